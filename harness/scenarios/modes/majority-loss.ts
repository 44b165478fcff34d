/** A majority dies: nothing is acknowledged until it is back, and then everything is there. */
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

const WARM_MS = 600;
/** What was on its way when the majority died may still be answered. */
const ON_ITS_WAY_MS = 500;
const WITHOUT_MS = 2_000;
const WRITERS = 4;
const READ_MS = 1_000;

export const MAJORITY_LOSS: Scenario = {
  name: 'majority-loss',
  story: 'two of three members die, and the last one serves alone; or it never comes back',
  affected: 'none',
  trigger: 'kill -9 of two of three members under writes, two seconds without them, start',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'no write and no read meanwhile; then it recovers' },
    etcd: { outcome: 'sound', words: 'no write and no read meanwhile; then it recovers' },
  },
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const last = await cluster.leader();
  const lost = cluster.others(last);
  const load = new SetLoad(cluster);
  load.start(cluster.nodes, WRITERS);
  await lab.sleep(WARM_MS);
  if (load.acknowledged === 0) throw new Undecided('no write was acknowledged before the kill');
  await Promise.all(lost.map(({ name }) => cluster.cluster.kill(name)));
  await lab.sleep(ON_ITS_WAY_MS);
  const aloneMs = lab.nowMs();
  const read = await cluster.client(last).get('storm/ready', { timeoutMs: READ_MS });
  if (read.ok) return reproduced('the last member answered a linearizable read alone');
  await lab.sleep(WITHOUT_MS);
  const backMs = lab.nowMs();
  const alone = load.ackedBetween(aloneMs, backMs);
  if (alone > 0) return reproduced(`${alone} writes were acknowledged without a majority`);
  await Promise.all(lost.map((node) => cluster.startAgain(node)));
  await cluster.serve();
  await lab.need('a write', 10_000, () => load.ackedBetween(backMs, lab.nowMs()) || undefined);
  const recoveredMs = lab.nowMs() - backMs;
  await load.stop();
  const verdict = await load.judge(last);
  const alive = `no write and no read in ${(backMs - aloneMs).toFixed(0)} ms without a majority`;
  return outcomeOf(verdict, `${alive}, ${recoveredMs.toFixed(0)} ms to recover`);
}
