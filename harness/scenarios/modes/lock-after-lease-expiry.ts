/** etcd#11456: a waiter whose lease has ended is told that it holds the lock. */
import { leaseGrant, leaseTimeToLive } from '../../../src/client/lease-client.ts';
import { lock, unlock } from '../../../src/client/lock-client.ts';
import { utf8Decode } from '../../../src/lib/utf8.ts';
import { HELD_LOCK, heldLocksChecker } from '../checkers/held-locks.ts';
import { must } from '../lab/must.ts';
import { noted, outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const LOCK = 'the-lock';
const WAITER_TTL_S = 1;
const LONG_TTL_S = 60;
const LOCK_MS = 15_000;

export const LOCK_AFTER_LEASE_EXPIRY: Scenario = {
  name: 'lock-after-lease-expiry',
  story: 'a client that waited too long for a lock is told it has it, and somebody else has it too',
  affected: 'up to 3.4.x (etcd#11456); still in 3.4.23',
  trigger: 'the lease of a waiter ends while it queues; then the holder unlocks',
  checker: 'harness/scenarios/checkers/held-locks.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'the waiter is refused: its lease is gone' },
    etcd: { outcome: 'reproduced', words: 'the waiter is told OK, and its key does not exist' },
  },
  timeLimitMs: 60_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 1 });
  await cluster.serve();
  const client = cluster.client(cluster.node(0));
  const first = must('a lease', await leaseGrant(client, { ttlS: LONG_TTL_S }));
  const held = must('the first lock', await lock(client, { name: LOCK, lease: first.id }));
  const short = must('a lease', await leaseGrant(client, { ttlS: WAITER_TTL_S }));
  const waits = lock(client, { name: LOCK, lease: short.id }, { timeoutMs: LOCK_MS });
  await lab.need('the end of the waiting lease', LOCK_MS, async () => {
    const left = await leaseTimeToLive(client, { id: short.id });
    return left.ok && left.value.ttlS < 0 ? true : undefined;
  });
  must('the unlock', await unlock(client, held.key));
  const waited = await waits;
  if (waited.ok) await look('the waiter', waited.value);
  else if (!waited.error.definite) throw new Undecided(`the waiter: ${waited.error.message}`);
  const third = must('a lease', await leaseGrant(client, { ttlS: LONG_TTL_S }));
  const last = must('the last lock', await lock(client, { name: LOCK, lease: third.id }));
  await look('a third client', last);
  const verdict = heldLocksChecker().check(lab.recorder.history);
  return outcomeOf(verdict, waited.ok ? '' : `the waiter was refused: ${waited.error.message}`);

  async function look(
    holder: string,
    answer: { readonly header: { readonly revision: number }; readonly key: Uint8Array },
  ): Promise<void> {
    const at = answer.header.revision;
    const found = must('a read', await client.range({ key: answer.key, revision: at }));
    const value = { holder, name: LOCK, key: utf8Decode(answer.key), at, isThere: found.count > 0 };
    noted(lab.recorder, { process: 0, f: HELD_LOCK, value });
  }
}
