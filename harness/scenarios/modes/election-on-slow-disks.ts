/** The leader dies, and votes take longer to be written down than candidates wait for them. */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { judgeTerms } from '../checkers/elections.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import { SetLoad } from '../lab/set-load.ts';
import { type Outcome, type Scenario, Undecided } from '../scenario.ts';

const FSYNC_MS = 1_500;
const STORM_MS = 6_000;
const STEP_MS = 200;
const ELEMENTS = 20;
const HEAL_MS = 30_000;

export const ELECTION_ON_SLOW_DISKS: Scenario = {
  name: 'election-on-slow-disks',
  story: 'the disks are too slow for the timeouts: election follows election, and nobody leads',
  affected: 'all versions: a vote waits for the disk; raise the election timeout above it',
  trigger: `fsync takes ${FSYNC_MS} ms at an election timeout of 500 ms, and the leader dies`,
  checker: 'harness/scenarios/checkers/elections.ts',
  expected: {
    stormraft: {
      outcome: 'reproduced',
      words: 'by design: nobody leads until the disks are faster',
    },
    etcd: { outcome: 'reproduced', words: 'by design: nobody leads until the disks are faster' },
  },
  timeLimitMs: 120_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const cluster = await lab.open({ members: 3 });
  await cluster.serve();
  const leader = await cluster.leader();
  const rest = cluster.others(leader);
  const load = new SetLoad(cluster);
  await load.addAll(leader, ELEMENTS);
  const terms = [await termOf(cluster, rest)];
  for (const { name } of cluster.nodes) await cluster.cluster.setFsyncDelay(name, FSYNC_MS);
  await cluster.cluster.kill(leader.name);
  const begunMs = lab.nowMs();
  let ledMs: number | undefined;
  for (let at = 0; at < STORM_MS / STEP_MS; at++) {
    await lab.sleep(STEP_MS);
    terms.push(Math.max(terms.at(-1)!, await termOf(cluster, rest)));
    ledMs ??= (await cluster.lookForLeader(rest)) === undefined ? undefined : lab.nowMs() - begunMs;
  }
  const endMs = lab.nowMs();
  const delayed = await delayedSyncs(cluster, rest);
  for (const { name } of cluster.nodes) await cluster.cluster.setFsyncDelay(name, 0);
  if (delayed === 0) throw new Undecided('no fsync was delayed');
  await cluster.serve(rest, HEAL_MS);
  // etcd tells the term of the last entry that it has applied: it shows only now.
  terms.push(Math.max(terms.at(-1)!, await termOf(cluster, rest)));
  const set = await load.judge(rest[0]!);
  if (set.validity !== 'valid') return outcomeOf(set);
  const led = ledMs === undefined ? 'nobody led' : `the first leader after ${ledMs.toFixed(0)} ms`;
  const words = `${led}; ${delayed} fsyncs of ${FSYNC_MS} ms; nothing lost after the heal`;
  const outcome = outcomeOf(judgeTerms(terms, endMs - begunMs), words);
  if (outcome.type !== 'reproduced') return outcome;
  return { ...outcome, evidence: `${outcome.evidence}; ${words}` };
}

async function termOf(cluster: LabCluster, nodes: readonly ClusterNode[]): Promise<number> {
  const answers = await Promise.all(nodes.map((node) => cluster.status(node)));
  return Math.max(0, ...answers.map((answer) => answer?.header.raftTerm ?? 0));
}

async function delayedSyncs(cluster: LabCluster, nodes: readonly ClusterNode[]): Promise<number> {
  const counters = await Promise.all(nodes.map(({ name }) => cluster.cluster.diskCounter(name)));
  return counters.reduce((sum, counter) => sum + counter.delayedSyncs, 0);
}
