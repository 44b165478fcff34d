/** A member dies, misses writes, comes back on its old data and catches up. */
import { agreedHash } from '../lab/admin.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const BEFORE = 20;
const MISSED = 200;

export const KILL_AND_RETURN: Scenario = {
  name: 'kill-and-return',
  story: 'a member that was killed comes back, and does not have what the others have',
  affected: 'none',
  trigger: 'kill -9 of a follower, writes without it, start on its old data',
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it catches up; all members have the same hash' },
    etcd: { outcome: 'sound', words: 'it catches up; all members have the same hash' },
  },
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const victim = cluster.others(leader)[0]!;
  const load = new SetLoad(cluster);
  await load.addAll(leader, BEFORE);
  await cluster.cluster.kill(victim.name);
  await load.addAll(leader, MISSED);
  const backMs = lab.nowMs();
  await cluster.startAgain(victim);
  await cluster.serve([victim]);
  const tookMs = (lab.nowMs() - backMs).toFixed(0);
  const verdict = await load.judge(victim);
  const urls = cluster.nodes.map(({ clientUrl }) => clientUrl);
  const hash = await agreedHash(lab, urls);
  const words = `${victim.name} read them ${tookMs} ms after its start, hash ${hash} everywhere`;
  return outcomeOf(verdict, words);
}
