/** The leader dies: another takes over, and nothing that was acknowledged is lost. */
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const WARM_MS = 800;
const AFTER_MS = 1_000;
const WRITERS = 4;

export const LEADER_LOSS: Scenario = {
  name: 'leader-loss',
  story: 'the leader dies while clients write; acknowledged writes are gone, or nobody leads',
  affected: 'none',
  trigger: 'kill -9 of the leader of three, under writes through all members',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'a new leader within two elections, nothing lost' },
    etcd: { outcome: 'sound', words: 'a new leader within two elections, nothing lost' },
  },
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const rest = cluster.others(leader);
  const load = new SetLoad(cluster);
  load.start(cluster.nodes, WRITERS);
  await lab.sleep(WARM_MS);
  const before = load.acknowledged;
  if (before === 0) throw new Undecided('no write was acknowledged before the kill');
  const killedMs = lab.nowMs();
  await cluster.cluster.kill(leader.name);
  const next = await cluster.leader(rest);
  await lab.sleep(AFTER_MS);
  await load.stop();
  const endMs = lab.nowMs();
  const after = load.ackedBetween(killedMs, endMs);
  if (after === 0) throw new Undecided('no write was acknowledged after the kill');
  const gapMs = load.longestGapMs(killedMs, endMs);
  const verdict = await load.judge(next);
  const words = `${next.name} took over from ${leader.name}, ${gapMs.toFixed(0)} ms without an acknowledgement`;
  return outcomeOf(verdict, words);
}
