/** The disk of whoever leads is slower than the election timeout: leaders come and go. */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { judgeTerms } from '../checkers/elections.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const FSYNC_MS = 1_500;
const STORM_MS = 8_000;
const STEP_MS = 100;
const WRITERS = 2;
const WRITE_MS = 4_000;
const HEAL_MS = 30_000;

export const SLOW_DISK_WRONG_TIMEOUTS: Scenario = {
  name: 'slow-disk-wrong-timeouts',
  story: 'an election storm: a disk that is slow under the load of the leader costs it its office',
  affected: 'all versions: heartbeats wait for the disk; raise the election timeout above it',
  trigger: `fsync of whoever leads takes ${FSYNC_MS} ms, at an election timeout of 500 ms`,
  checker: 'harness/scenarios/checkers/elections.ts',
  expected: {
    stormraft: { outcome: 'sound', words: 'heartbeats do not wait for the disk: the leader stays' },
    etcd: { outcome: 'reproduced', words: 'an election storm: the term rises again and again' },
  },
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  await cluster.leader();
  const load = new SetLoad(cluster);
  const before = await termOf(cluster);
  const begunMs = lab.nowMs();
  load.start(cluster.nodes, WRITERS, WRITE_MS);
  const leaders = await slowDownLeaders(cluster, begunMs + STORM_MS);
  const endMs = lab.nowMs();
  await load.stop();
  await cluster.serve(cluster.nodes, HEAL_MS);
  // etcd tells the term of the last entry that it has applied.
  await load.addAll(cluster.node(0), 1);
  const terms = [before, await termOf(cluster)];
  const set = await load.judge(cluster.node(0));
  if (set.validity !== 'valid') return outcomeOf(set);
  const acked = load.ackedBetween(begunMs, endMs);
  const words = `slow under ${leaders} leaders, ${acked} writes acknowledged, nothing lost`;
  const outcome = outcomeOf(judgeTerms(terms, endMs - begunMs), words);
  if (outcome.type !== 'reproduced') return outcome;
  return { ...outcome, evidence: `${outcome.evidence}; ${words}` };
}

/** Until `endMs`; resolves with how many leaders were seen. */
async function slowDownLeaders(cluster: LabCluster, endMs: number): Promise<number> {
  const { lab } = cluster;
  let slow: ClusterNode | undefined;
  let leaders = 0;
  while (lab.nowMs() < endMs) {
    const leader = await claimant(cluster, slow);
    if (leader !== undefined && leader !== slow) {
      leaders += 1;
      await cluster.cluster.setFsyncDelay(leader.name, FSYNC_MS);
      if (slow !== undefined) await cluster.cluster.setFsyncDelay(slow.name, 0);
      slow = leader;
    }
    await lab.sleep(STEP_MS);
  }
  if (slow === undefined) throw new Undecided('nobody led');
  const { delayedSyncs } = await cluster.cluster.diskCounter(slow.name);
  await cluster.cluster.setFsyncDelay(slow.name, 0);
  if (delayedSyncs === 0 && leaders === 1) throw new Undecided('no fsync was delayed');
  return leaders;
}

/** Who says that it leads; of two, not the one that is slow already: its office is over. */
async function claimant(
  cluster: LabCluster,
  slow: ClusterNode | undefined,
): Promise<ClusterNode | undefined> {
  const answers = await Promise.all(cluster.nodes.map((node) => cluster.status(node)));
  const claims = cluster.nodes.filter((_, at) => {
    const answer = answers[at];
    return answer !== undefined && answer.leader === answer.header.memberId;
  });
  return claims.find((node) => node !== slow) ?? claims[0];
}

async function termOf(cluster: LabCluster): Promise<number> {
  const answers = await Promise.all(cluster.nodes.map((node) => cluster.status(node)));
  return Math.max(0, ...answers.map((answer) => answer?.header.raftTerm ?? 0));
}
