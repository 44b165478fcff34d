/** A minority dies: the others go on. */
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

const WARM_MS = 600;
const AFTER_MS = 1_500;
const WRITERS = 4;
/** Followers that die cost at most a request in flight. */
const WRITES_LEAST = 10;

export const MINORITY_LOSS: Scenario = {
  name: 'minority-loss',
  story: 'two of five members die, and the cluster stops or forgets',
  affected: 'none',
  trigger: 'kill -9 of two followers of five, under writes through the other members',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it goes on, under the same leader' },
    etcd: { outcome: 'sound', words: 'it goes on, under the same leader' },
  },
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 5 });
  await cluster.serve();
  const leader = await cluster.leader();
  const lost = cluster.others(leader).slice(0, 2);
  const rest = cluster.others(...lost);
  const load = new SetLoad(cluster);
  load.start(rest, WRITERS);
  await lab.sleep(WARM_MS);
  if (load.acknowledged === 0) throw new Undecided('no write was acknowledged before the kill');
  const killedMs = lab.nowMs();
  await Promise.all(lost.map(({ name }) => cluster.cluster.kill(name)));
  await lab.sleep(AFTER_MS);
  await load.stop();
  const endMs = lab.nowMs();
  const after = load.ackedBetween(killedMs, endMs);
  const verdict = await load.judge(leader);
  if (after < WRITES_LEAST) {
    return reproduced(`${after} writes in ${(endMs - killedMs).toFixed(0)} ms after the kill`);
  }
  const gapMs = load.longestGapMs(killedMs, endMs).toFixed(0);
  return outcomeOf(verdict, `${after} writes after the kill, at most ${gapMs} ms apart`);
}
