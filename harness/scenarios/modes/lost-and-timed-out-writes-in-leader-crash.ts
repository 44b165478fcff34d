/** The leader dies with writes in flight: who got no answer knows nothing. */
import { fieldsOf } from '../../../checkers/history/guards.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const WARM_MS = 600;
const AFTER_MS = 1_500;
const WRITERS = 24;
const WRITE_MS = 700;

export const LOST_AND_TIMED_OUT_WRITES_IN_LEADER_CRASH: Scenario = {
  name: 'lost-and-timed-out-writes-in-leader-crash',
  story: 'writes without an answer: some are there, some are not, and acknowledged ones always are',
  affected: 'none; a client must not take "no answer" for "not done"',
  trigger: `kill -9 of the leader with ${3 * WRITERS} writers at work`,
  checker: 'checkers/set.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'acknowledged writes are there; others may be' },
    etcd: { outcome: 'sound', words: 'acknowledged writes are there; others may be' },
  },
  timeLimitMs: 90_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const load = new SetLoad(cluster);
  load.start(cluster.nodes, WRITERS, WRITE_MS);
  await lab.sleep(WARM_MS);
  await cluster.cluster.kill(leader.name);
  await lab.sleep(AFTER_MS);
  await load.stop();
  if (load.unsure === 0) throw new Undecided('every write got an answer');
  const rest = cluster.others(leader);
  await cluster.leader(rest);
  const verdict = await load.judge(rest[0]!);
  const done = Number(fieldsOf(verdict.details)?.recovered ?? 0);
  const words = `of ${load.unsure} writes without an answer ${done} were done`;
  return outcomeOf(verdict, words);
}
