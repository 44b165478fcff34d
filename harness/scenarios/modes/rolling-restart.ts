/** Every member is restarted, one after the other, while clients write. */
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const WARM_MS = 400;
const WRITERS = 3;

export const ROLLING_RESTART: Scenario = {
  name: 'rolling-restart',
  story: 'a rolling restart loses writes that were acknowledged',
  affected: 'none',
  trigger: 'each of three members is killed and started again in turn, the leader last',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'nothing lost; one change of the leader' },
    etcd: { outcome: 'sound', words: 'nothing lost; one change of the leader' },
  },
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const load = new SetLoad(cluster);
  load.start(cluster.nodes, WRITERS);
  const begunMs = lab.nowMs();
  for (const node of [...cluster.others(leader), leader]) {
    await lab.sleep(WARM_MS);
    const before = load.acknowledged;
    await cluster.cluster.kill(node.name);
    await cluster.startAgain(node);
    await cluster.serve([node]);
    if (load.acknowledged === before) throw new Undecided(`no write went on without ${node.name}`);
  }
  await lab.sleep(WARM_MS);
  await load.stop();
  const gapMs = load.longestGapMs(begunMs, lab.nowMs()).toFixed(0);
  return outcomeOf(await load.judge(leader), `at most ${gapMs} ms without an acknowledgement`);
}
