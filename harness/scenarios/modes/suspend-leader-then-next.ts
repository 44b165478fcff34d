/** The leader hangs, the next one hangs too: what is left must say that it is not healthy. */
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, reproduced, type Scenario } from '../scenario.ts';

const ELEMENTS = 10;
const STEP_MS_MAX = 15_000;
const ALONE_WRITE_MS = 1_500;

export const SUSPEND_LEADER_THEN_NEXT: Scenario = {
  name: 'suspend-leader-then-next',
  story: 'two of three members hang, and the last one still says that it is healthy',
  affected: 'none',
  trigger: 'SIGSTOP of the leader, then of its successor; later both go on',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: '/health turns false, writes wait; then all is well' },
    etcd: { outcome: 'sound', words: '/health turns false, writes wait; then all is well' },
  },
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const load = new SetLoad(cluster);
  const first = await cluster.leader();
  await load.addAll(first, ELEMENTS);
  await cluster.cluster.pause(first.name);
  const second = await cluster.leader(cluster.others(first));
  await load.addAll(second, ELEMENTS);
  await cluster.cluster.pause(second.name);
  const last = cluster.others(first, second)[0]!;
  const pausedMs = lab.nowMs();
  const health = async (isHealthy: boolean): Promise<true | undefined> => {
    const page = await cluster.page(last, '/health', STEP_MS_MAX);
    const says = page?.text.includes(`"health":"${isHealthy}"`) === true;
    return says ? true : undefined;
  };
  const saysSo = await lab.look(STEP_MS_MAX, () => health(false));
  const tookMs = (lab.nowMs() - pausedMs).toFixed(0);
  if (saysSo === undefined) return reproduced(`${last.name} says it is healthy, alone`);
  const alone = await load.addOne(last, ALONE_WRITE_MS);
  if (alone.type === 'ok') return reproduced(`${last.name} acknowledged a write alone`);
  await cluster.cluster.resume(first.name);
  await cluster.cluster.resume(second.name);
  await cluster.serve();
  await lab.need('health again', STEP_MS_MAX, () => health(true));
  await load.addAll(last, 1);
  const verdict = await load.judge(last);
  return outcomeOf(verdict, `${last.name} said health false ${tookMs} ms after the second pause`);
}
