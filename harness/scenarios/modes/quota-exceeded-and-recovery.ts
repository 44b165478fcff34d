/** The database reaches its quota; compaction, defragmentation and disarming bring it back. */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { disarmNoSpace, noSpaceAlarms } from '../lab/admin.ts';
import { callMethod } from '../lab/call.ts';
import { COMPACT, DEFRAGMENT } from '../lab/methods.ts';
import { must } from '../lab/must.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

const QUOTA_BYTES = 2 * 1024 * 1024;
const VALUE_BYTES = 64 * 1024;
const ELEMENTS = 10;
const PUTS_MAX = 200;
const FULL = 'database space exceeded';
const STEP_MS_MAX = 20_000;
const DEFRAGMENT_MS = 20_000;

export const QUOTA_EXCEEDED_AND_RECOVERY: Scenario = {
  name: 'quota-exceeded-and-recovery',
  story: 'the database is full: writes are refused everywhere until somebody makes room',
  affected: 'none; an operator must act',
  trigger: `overwrites of one key until ${QUOTA_BYTES} bytes, then compaction, defrag and disarm`,
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'NOSPACE, reads go on, then writes again' },
    etcd: { outcome: 'sound', words: 'NOSPACE, reads go on, then writes again' },
  },
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({
    members: 3,
    flags: [`--quota-backend-bytes=${QUOTA_BYTES}`],
  });
  await cluster.serve();
  const node = cluster.node(0);
  const client = cluster.client(node);
  const load = new SetLoad(cluster);
  await load.addAll(node, ELEMENTS);
  const puts = await fill(cluster, node);
  await lab.need('the alarm', STEP_MS_MAX, async () => {
    return (await noSpaceAlarms(client)).length > 0 ? true : undefined;
  });
  for (const each of cluster.nodes) {
    const add = await load.addOne(each, STEP_MS_MAX);
    if (add.type === 'ok') return reproduced(`${each.name} took a write while the alarm was on`);
  }
  const full = must('a read', await client.get('big'));
  if (full.kv === undefined) return reproduced('reads show nothing while the alarm is on');
  const revision = BigInt(full.header.revision);
  must('a compaction', await callMethod(client, COMPACT, { revision, physical: true }));
  for (const each of cluster.nodes) {
    const options = { timeoutMs: DEFRAGMENT_MS };
    must('a defrag', await callMethod(cluster.client(each), DEFRAGMENT, {}, options));
  }
  await disarmNoSpace(client);
  const left = await noSpaceAlarms(client);
  if (left.length > 0) return reproduced(`the alarm of ${left.join(', ')} does not go`);
  for (const each of cluster.nodes) await load.addAll(each, 1);
  const status = await lab.need('a status', STEP_MS_MAX, () => cluster.status(node));
  const words = `full after ${puts} puts, ${status.dbSizeBytes} bytes after the recovery`;
  return outcomeOf(await load.judge(node), words);
}

/** Overwrites one key until the quota refuses; after so many puts. */
async function fill(cluster: LabCluster, node: ClusterNode): Promise<number> {
  const value = 'x'.repeat(VALUE_BYTES);
  for (let puts = 1; puts <= PUTS_MAX; puts++) {
    const answer = await cluster.client(node).put({ key: 'big', value });
    if (!answer.ok && answer.error.message.includes(FULL)) return puts;
    await cluster.lab.sleep(0);
  }
  throw new Undecided(`${PUTS_MAX} puts, and the quota is not reached`);
}
