/** A member is put back to an earlier day, by a backup of its disk or an old image of its machine. */
import { judgeStartUp } from '../checkers/start-up.ts';
import { outcomeOf } from '../lab/recording.ts';
import { rollBack } from '../lab/roll-back.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { startUp } from '../lab/start-up.ts';
import { type Outcome, reproduced, type Scenario, Undecided } from '../scenario.ts';

export const MEMBER_ROLLED_BACK: Scenario = {
  name: 'member-rolled-back',
  story: 'a member that was put back to an old copy of its data dies with a panic, again and again',
  affected: 'all versions so far',
  trigger: 'a follower is stopped, its data directory is replaced by an older copy, it starts',
  checker: 'harness/scenarios/checkers/start-up.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it serves nobody, and says in one line how to go on' },
    etcd: { outcome: 'reproduced', words: 'panic: tocommit is out of range' },
  },
  needsFiles: true,
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const victim = cluster.others(leader)[0]!;
  const load = new SetLoad(cluster);
  const revision = await rollBack(cluster, { leader, victim, load });
  const start = await startUp(cluster, victim, (log) => log.includes('went back in time'));
  const stale = start.revisions.find((read) => read < revision);
  if (stale !== undefined) {
    return reproduced(`it answered a linearizable read at revision ${stale} of ${revision}`);
  }
  if (start.type === 'serves') {
    throw new Undecided('it serves: nothing that it had acknowledged was missing');
  }
  const set = await load.judge(leader);
  if (set.validity !== 'valid') return outcomeOf(set);
  return outcomeOf(judgeStartUp(start, undefined), `the others go on: ${set.summary}`);
}
