/** A member started again, and watched until it is clear how it takes its data. */
import type { ClusterNode } from '../../cluster/cluster.ts';
import { ClusterError } from '../../cluster/cluster.ts';
import type { StartUp } from '../checkers/start-up.ts';
import { Undecided } from '../scenario.ts';
import type { LabCluster } from './scenario-lab.ts';

/** A busy machine takes long to start a member: that it says nothing yet proves nothing. */
const SETTLED_MS_MAX = 30_000;
const READ_MS = 1_000;
const READS_LEAST = 3;
const READS_APART_MS = 150;

/**
 * With the revisions that it answered linearizable reads with.
 * `isSettled`: tells by its log that it will not serve, before the time is up.
 */
export async function startUp(
  cluster: LabCluster,
  node: ClusterNode,
  isSettled: (log: string) => boolean = () => false,
): Promise<StartUp & { readonly revisions: readonly number[] }> {
  const { lab } = cluster;
  try {
    await cluster.startAgain(node);
  } catch (error) {
    // It can end so quickly that the backend takes it for a bad launch.
    if (!(error instanceof ClusterError) || (await cluster.cluster.isRunning(node.name)))
      throw error;
  }
  const revisions: number[] = [];
  const type = await lab.look(SETTLED_MS_MAX, async () => {
    if (!(await cluster.cluster.isRunning(node.name))) return 'ended';
    if (isSettled(await cluster.logOf(node))) return 'serves nobody';
    const answer = await cluster.client(node).get('storm/ready', { timeoutMs: READ_MS });
    if (!answer.ok) return undefined;
    revisions.push(answer.value.header.revision);
    // A member may find out what is wrong while it answers its first clients.
    if (revisions.length >= READS_LEAST) return 'serves';
    await lab.sleep(READS_APART_MS);
    return undefined;
  });
  const log = await cluster.logOf(node);
  if (type === undefined && log === '') throw new Undecided(`${node.name} has not started yet`);
  return { type: type ?? 'serves nobody', log, revisions };
}
