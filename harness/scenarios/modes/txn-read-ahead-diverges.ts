/**
 * A transaction that writes, and reads at a revision that is not there yet, is refused by the
 * member that the client talks to, and carried out by the others: etcd drops the reads of a
 * transaction where nobody waits for their answers, and with them what they would have refused.
 */
import { putRequest, rangeRequest } from '../../../src/client/requests.ts';
import { MEMBER_HASH, memberDataChecker } from '../checkers/member-data.ts';
import { callMethod } from '../lab/call.ts';
import { HASH_KV } from '../lab/methods.ts';
import { must } from '../lab/must.ts';
import { noted, outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const KEY = 'written';
const MARK = 'mark';
const AHEAD = 1_000;
const CAUGHT_UP_MS = 10_000;

export const TXN_READ_AHEAD_DIVERGES: Scenario = {
  name: 'txn-read-ahead-diverges',
  story: 'members hold different data for good, though nothing failed and nobody restarted',
  affected: 'all versions up to 3.6.x of that time (etcd#18667); still in 3.4.23',
  trigger: 'a transaction with a write, and a read at a revision that is not there yet',
  checker: 'harness/scenarios/checkers/member-data.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'refused, and no member has the write' },
    etcd: { outcome: 'reproduced', words: 'refused by one member, and written by the others' },
  },
  timeLimitMs: 60_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const [first] = cluster.nodes;
  const client = cluster.client(first!);
  const { revision } = must('a put', await client.put({ key: KEY, value: 'before' })).header;
  const answer = await client.txn({
    compare: [],
    success: [
      { type: 'put', request: putRequest({ key: KEY, value: 'after' }) },
      { type: 'range', request: rangeRequest({ key: KEY, revision: revision + AHEAD }) },
    ],
    failure: [],
  });
  if (answer.ok) throw new Undecided(`${first!.name} read at a revision that is not there`);
  if (!answer.error.definite) throw new Undecided(`no answer: ${answer.error.message}`);
  // Whoever has carried it out is a revision ahead from here on.
  const mark = must('a put', await client.put({ key: MARK, value: 'mark' })).header.revision;
  await noteHashes(cluster, mark);
  return outcomeOf(memberDataChecker().check(lab.recorder.history), answer.error.message);
}

/** What each member holds up to the revision, once it has read past it. */
async function noteHashes(cluster: LabCluster, revision: number): Promise<void> {
  const { lab } = cluster;
  for (const node of cluster.nodes) {
    const client = cluster.client(node);
    await lab.need(`${node.name} at revision ${revision}`, CAUGHT_UP_MS, async () => {
      const read = await client.get(MARK);
      return read.ok && read.value.header.revision >= revision ? true : undefined;
    });
    const hashed = await callMethod(client, HASH_KV, { revision: BigInt(revision) });
    const { hash } = must(`the hash of ${node.name}`, hashed);
    const value = { node: node.name, revision, hash };
    noted(lab.recorder, { process: 0, f: MEMBER_HASH, value });
  }
}
