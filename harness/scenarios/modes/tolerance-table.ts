/** How many members may be lost, for clusters of 2 to 8. */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { judgeTolerance, type Loss, tolerated } from '../checkers/tolerance.ts';
import { outcomeOf } from '../lab/recording.ts';
import type { LabCluster, ScenarioLab } from '../lab/scenario-lab.ts';
import type { Outcome, Scenario } from '../scenario.ts';

const SIZES = [2, 3, 4, 5, 6, 7, 8];
const OPEN_MS = 60_000;
const WRITE_MS = 1_000;
const GOES_ON_MS = 20_000;
/** So long nothing must be acknowledged before a cluster counts as stopped: several elections. */
const STOPPED_MS = 3_000;

export const TOLERANCE_TABLE: Scenario = {
  name: 'tolerance-table',
  story: 'a cluster stops after fewer losses than it should bear, or goes on after more',
  affected: 'none',
  trigger: 'clusters of 2 to 8 members lose as many as they bear, and then one more',
  checker: 'harness/scenarios/checkers/tolerance.ts',
  expected: {
    stormraft: { outcome: 'sound', words: '2: 0, 3: 1, 4: 1, 5: 2, 6: 2, 7: 3, 8: 3' },
    etcd: { outcome: 'sound', words: '2: 0, 3: 1, 4: 1, 5: 2, 6: 2, 7: 3, 8: 3' },
  },
  timeLimitMs: 400_000,
  run,
};

async function run(lab: ScenarioLab): Promise<Outcome> {
  const losses: Loss[] = [];
  for (const size of SIZES) {
    const cluster = await lab.open({ members: size });
    await cluster.serve(cluster.nodes, OPEN_MS);
    losses.push(...(await lose(cluster)));
    await lab.close(cluster);
  }
  return outcomeOf(judgeTolerance(losses));
}

/** As many at once as may be lost, then one more. */
async function lose(cluster: LabCluster): Promise<readonly Loss[]> {
  const size = cluster.nodes.length;
  const borne = tolerated(size);
  const leader = await cluster.leader();
  const order = [leader, ...cluster.others(leader)];
  await Promise.all(order.slice(0, borne).map(({ name }) => cluster.cluster.kill(name)));
  const goesOn = await writes(cluster, order.slice(borne), GOES_ON_MS);
  await cluster.cluster.kill(order[borne]!.name);
  const goesOnStill = await writes(cluster, order.slice(borne + 1), STOPPED_MS);
  return [
    { size, lost: borne, goesOn },
    { size, lost: borne + 1, goesOn: goesOnStill },
  ];
}

async function writes(
  cluster: LabCluster,
  alive: readonly ClusterNode[],
  limitMs: number,
): Promise<boolean> {
  const written = await cluster.lab.look(limitMs, async () => {
    const answers = await Promise.all(
      alive.map((node) =>
        cluster.client(node).put({ key: 'tolerance', value: 'x' }, { timeoutMs: WRITE_MS }),
      ),
    );
    return answers.some(({ ok }) => ok) ? true : undefined;
  });
  return written === true;
}
