/** The database file is cut short, as file systems do that lose the end of a file. */
import { existsSync } from 'node:fs';
import { judgeStartUp } from '../checkers/start-up.ts';
import { cutTo, databaseIn } from '../lab/damage.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { startUp } from '../lab/start-up.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const KEPT_BYTES = 4_096;
const ELEMENTS = 60;
const SNAPSHOT_COUNT = 20;
const CHECKPOINT_MS = 10_000;

export const TORN_DB: Scenario = {
  name: 'torn-db',
  story: 'a member whose database was cut short ends with a panic',
  affected: '3.4.x (LazyFS, etcd-16 to etcd-18)',
  trigger: `a follower is killed, and its database file is cut to ${KEPT_BYTES} bytes`,
  checker: 'harness/scenarios/checkers/start-up.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it refuses in one line: which file, and what to do' },
    etcd: { outcome: 'reproduced', words: 'panic: file size too small' },
  },
  needsFiles: true,
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3, flags: [`--snapshot-count=${SNAPSHOT_COUNT}`] });
  await cluster.serve();
  const leader = await cluster.leader();
  const victim = cluster.others(leader)[0]!;
  const load = new SetLoad(cluster);
  await load.addAll(leader, ELEMENTS);
  const path = databaseIn(cluster.dataOf(victim));
  await lab.need('a database file', CHECKPOINT_MS, () => (existsSync(path) ? true : undefined));
  await cluster.cluster.kill(victim.name);
  cutTo(path, KEPT_BYTES);
  const start = await startUp(cluster, victim);
  const set = start.type === 'serves' ? await load.judge(victim) : undefined;
  return outcomeOf(judgeStartUp(start, set));
}
