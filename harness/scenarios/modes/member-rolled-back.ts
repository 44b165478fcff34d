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

/** Under a later leader than the one it acknowledged to, nothing is missing for long: once more. */
const ATTEMPTS_MAX = 3;

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  const load = new SetLoad(cluster);
  for (let attempt = 1; attempt <= ATTEMPTS_MAX; attempt++) {
    await cluster.serve();
    const leader = await cluster.leader();
    const victim = cluster.others(leader)[0]!;
    const revision = await rollBack(cluster, { leader, victim, load });
    const start = await startUp(cluster, victim, (log) => log.includes('went back in time'));
    const stale = start.revisions.find((read) => read < revision);
    if (stale !== undefined) {
      return reproduced(`it answered a linearizable read at revision ${stale} of ${revision}`);
    }
    const set = await load.judge(start.type === 'serves' ? victim : leader);
    if (set.validity !== 'valid') return outcomeOf(set);
    if (start.type !== 'serves') {
      return outcomeOf(judgeStartUp(start, undefined), `the others go on: ${set.summary}`);
    }
  }
  throw new Undecided(`it serves all that was acknowledged: sent again, ${ATTEMPTS_MAX} times`);
}
