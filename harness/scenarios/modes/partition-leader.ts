/** The leader is cut off: it must not answer reads that the rest of the cluster has made stale. */
import { registerChecker } from '../../../checkers/register.ts';
import { utf8Decode } from '../../../src/lib/utf8.ts';
import type { ClusterNode } from '../../cluster/cluster.ts';
import { type Ended, outcomeOf, recorded } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const KEY = 'register';
const READ_MS = 400;
const WRITE_MS = 3_000;
const ROUNDS = 4;

export const PARTITION_LEADER: Scenario = {
  name: 'partition-leader',
  story: 'a leader that is cut off goes on answering, with values that are out of date',
  affected: 'none for linearizable reads; serializable ones may be stale, by design',
  trigger: 'the leader is cut off, the others elect and write, clients read from the old one',
  checker: 'checkers/register.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'linearizable reads wait; serializable ones are old' },
    etcd: { outcome: 'sound', words: 'linearizable reads wait; serializable ones are old' },
  },
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const old = await cluster.leader();
  const rest = cluster.others(old);
  let process = 0;
  let value = 0;
  await write(cluster, old, process++, ++value);
  const names = rest.map(({ name }) => name);
  const from = new Set([old.name]);
  const cut = new Map([[old.name, new Set(names)], ...names.map((name) => [name, from] as const)]);
  await cluster.cluster.setGrudge(cut);
  const next = await cluster.leader(rest);
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const written = await write(cluster, next, process++, ++value);
    if (written.type !== 'ok') throw new Undecided('the new leader acknowledges nothing');
    const read = await readFrom(cluster, old, process++);
    if (read.type !== 'ok') refused += 1;
  }
  const stale = await serializable(cluster, old);
  await cluster.cluster.setGrudge(new Map());
  await cluster.serve([old]);
  const last = await readFrom(cluster, old, process++);
  if (last.type !== 'ok') throw new Undecided('the old leader answers no read after the heal');
  const words = `${refused} of ${ROUNDS} linearizable reads got no answer from ${old.name}, cut off`;
  const old2 =
    stale === undefined ? '' : `, a serializable one ${stale} where ${value} was written`;
  return outcomeOf(registerChecker().check(lab.recorder.history), words + old2);
}

function write(
  cluster: LabCluster,
  node: ClusterNode,
  process: number,
  value: number,
): Promise<Ended> {
  const fields = { key: KEY, value };
  const asked = { process, f: 'write', value: fields, node: node.name };
  return recorded<Ended>(cluster.lab.recorder, asked, async () => {
    const put = { key: KEY, value: `${value}` };
    const answer = await cluster.client(node).put(put, { timeoutMs: WRITE_MS });
    if (answer.ok) return { type: 'ok', value: fields, revision: answer.value.header.revision };
    return { type: answer.error.definite ? 'fail' : 'info', error: answer.error.message };
  });
}

function readFrom(cluster: LabCluster, node: ClusterNode, process: number): Promise<Ended> {
  const asked = { process, f: 'read', value: { key: KEY }, node: node.name };
  return recorded<Ended>(cluster.lab.recorder, asked, async () => {
    const answer = await cluster.client(node).get(KEY, { timeoutMs: READ_MS });
    if (!answer.ok) return { type: 'fail', error: answer.error.message };
    const { kv, header } = answer.value;
    const value = kv === undefined ? null : Number(utf8Decode(kv.value));
    return { type: 'ok', value: { key: KEY, value }, revision: header.revision };
  });
}

/** What a read shows that asks for no more than the member's own data. */
async function serializable(cluster: LabCluster, node: ClusterNode): Promise<string | undefined> {
  const request = { key: KEY, serializable: true };
  const answer = await cluster.client(node).range(request, { timeoutMs: READ_MS });
  const kv = answer.ok ? answer.value.kvs[0] : undefined;
  return kv === undefined ? undefined : utf8Decode(kv.value);
}
