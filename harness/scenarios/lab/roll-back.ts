/** A member's data directory, put back to what it was before. */
import { cpSync, rmSync } from 'node:fs';
import type { ClusterNode } from '../../cluster/cluster.ts';
import { must } from './must.ts';
import type { LabCluster } from './scenario-lab.ts';
import type { SetLoad } from './set-load.ts';

const BEFORE = 20;
const AFTER = 100;
const CATCH_UP_MS = 20_000;

/**
 * Leaves `victim` dead, with a copy of its data from before {@link AFTER} writes that it has
 * acknowledged meanwhile. Resolves with the revision that no linearizable read may be below.
 */
export async function rollBack(
  cluster: LabCluster,
  who: { readonly leader: ClusterNode; readonly victim: ClusterNode; readonly load: SetLoad },
): Promise<number> {
  const { leader, victim, load } = who;
  const { lab } = cluster;
  const data = cluster.dataOf(victim);
  const aside = cluster.path(`aside-${victim.name}`);
  await load.addAll(leader, BEFORE);
  await cluster.cluster.kill(victim.name);
  rmSync(aside, { recursive: true, force: true });
  cpSync(data, aside, { recursive: true });
  await cluster.startAgain(victim);
  await cluster.serve([victim]);
  await load.addAll(leader, AFTER);
  const { appliedIndex } = await lab.need('a status', CATCH_UP_MS, () => cluster.status(leader));
  await lab.need('the follower has it', CATCH_UP_MS, async () => {
    const status = await cluster.status(victim);
    return status !== undefined && status.appliedIndex >= appliedIndex ? true : undefined;
  });
  await cluster.cluster.kill(victim.name);
  rmSync(data, { recursive: true });
  cpSync(aside, data, { recursive: true });
  return must('a read', await cluster.client(leader).get('storm/ready')).header.revision;
}
