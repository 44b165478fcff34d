/** A bit of the log has flipped: the member must not serve from it, and must say so. */
import { judgeStartUp } from '../checkers/start-up.ts';
import { flipBitInMiddle, segmentIn } from '../lab/damage.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { PREFIX, SetLoad } from '../lab/set-load.ts';
import { startUp } from '../lab/start-up.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const ELEMENTS = 100;

export const WAL_BIT_FLIP: Scenario = {
  name: 'wal-bit-flip',
  story: 'a member with a damaged log ends, and its message names neither the file nor a way out',
  affected: 'all versions so far',
  trigger: 'a follower is killed, and one bit in the middle of its log flips',
  checker: 'harness/scenarios/checkers/start-up.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it refuses in one line: which file, and what to do' },
    etcd: { outcome: 'reproduced', words: 'it refuses: "crc mismatch", and no more than that' },
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
  await load.addAll(leader, ELEMENTS);
  await cluster.cluster.kill(victim.name);
  const offset = flipBitInMiddle(segmentIn(cluster.dataOf(victim)), PREFIX);
  const start = await startUp(cluster, victim);
  if (start.type === 'serves') throw new Undecided(`nothing came of the bit at byte ${offset}`);
  return outcomeOf(judgeStartUp(start, undefined));
}
