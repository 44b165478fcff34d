/** The end of the log is torn, as a crash leaves it: does the member come up again? */
import { judgeStartUp } from '../checkers/start-up.ts';
import { bytesInLastSector, segmentIn, zeroLastBytes } from '../lab/damage.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { startUp } from '../lab/start-up.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const TORN_BYTES = 20;
const ELEMENTS = 30;

export const TORN_WAL_TAIL: Scenario = {
  name: 'torn-wal-tail',
  story: 'after a crash a member does not start any more, though only the end of its log is torn',
  affected: '3.4.x, 3.5.x before 3.5.7',
  trigger: `a follower is killed, and the last ${TORN_BYTES} bytes of its log become zeros`,
  checker: 'harness/scenarios/checkers/start-up.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'it cuts the torn record off, starts, and catches up' },
    etcd: { outcome: 'reproduced', words: 'it ends: "illegal tag 0" or "crc mismatch", for good' },
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
  // Zeros that fill what a sector has of a record are repaired: those here must not.
  while (bytesInLastSector(segmentIn(cluster.dataOf(victim))) < 2 * TORN_BYTES) {
    await cluster.startAgain(victim);
    await cluster.serve([victim]);
    await load.addAll(leader, 1);
    await cluster.cluster.kill(victim.name);
  }
  zeroLastBytes(segmentIn(cluster.dataOf(victim)), TORN_BYTES);
  const start = await startUp(cluster, victim);
  const set = start.type === 'serves' ? await load.judge(victim) : undefined;
  return outcomeOf(judgeStartUp(start, set));
}
