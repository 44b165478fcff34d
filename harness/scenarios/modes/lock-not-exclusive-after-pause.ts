/** A lock on a lease cannot stop a holder that does not know that its lease has ended. */
import { lockChecker } from '../../../checkers/lock.ts';
import type { EtcdClient } from '../../../src/client/etcd-client.ts';
import { leaseGrant } from '../../../src/client/lease-client.ts';
import { lock } from '../../../src/client/lock-client.ts';
import { putRequest } from '../../../src/client/requests.ts';
import { EMPTY_BYTES } from '../../../src/lib/bytes.ts';
import { must } from '../lab/must.ts';
import { noted } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

const LOCK = 'the-lock';
const DATA = 'guarded/data';
const HOLDER_TTL_S = 1;
const OTHER_TTL_S = 60;
const LOCK_MS = 15_000;

export const LOCK_NOT_EXCLUSIVE_AFTER_PAUSE: Scenario = {
  name: 'lock-not-exclusive-after-pause',
  story: 'a client that slept longer than its lease writes while somebody else holds the lock',
  affected: 'all versions of everything, by design: guard writes with the key of the lock',
  trigger: 'the holder does not renew its lease (it is paused), another takes the lock, it writes',
  checker: 'checkers/lock.ts',
  expected: {
    stormraft: { outcome: 'reproduced', words: 'by design; a guarded write is refused' },
    etcd: { outcome: 'reproduced', words: 'by design; a guarded write is refused' },
  },
  timeLimitMs: 60_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 1 });
  await cluster.serve();
  const client = cluster.client(cluster.node(0));
  const note = (
    process: number,
    f: string,
    fields: { readonly [field: string]: number | boolean },
  ) => noted(lab.recorder, { process, f, value: { name: LOCK, ...fields } });
  const lease = must('a lease', await leaseGrant(client, { ttlS: HOLDER_TTL_S }));
  const held = must('the lock', await lock(client, { name: LOCK, lease: lease.id }));
  note(0, 'lock', { at: held.header.revision });
  const later = must('a lease', await leaseGrant(client, { ttlS: OTHER_TTL_S }));
  const request = { name: LOCK, lease: later.id };
  const taken = must('the other lock', await lock(client, request, { timeoutMs: LOCK_MS }));
  note(1, 'lock', { at: taken.header.revision });
  if (await putIfHeld(client, held.key)) throw new Undecided('the guarded write was accepted');
  const blind = must('a write', await client.put({ key: DATA, value: 'of the first holder' }));
  note(0, 'lock-work', { at: blind.header.revision, isHeld: true });
  const verdict = lockChecker().check(lab.recorder.history);
  if (verdict.validity !== 'invalid') throw new Undecided(verdict.summary);
  return reproduced(`${verdict.summary}; guarded by the lock's key the write was refused`);
}

/** What a careful holder does: the write happens only while the key of its lock is there. */
async function putIfHeld(client: EtcdClient, key: Uint8Array): Promise<boolean> {
  const exists = { target: 'create', key, rangeEnd: EMPTY_BYTES } as const;
  const put = putRequest({ key: DATA, value: 'guarded' });
  const answer = await client.txn({
    compare: [{ ...exists, result: 'greater', operand: 0 }],
    success: [{ type: 'put', request: put }],
    failure: [],
  });
  return must('a guarded write', answer).succeeded;
}
