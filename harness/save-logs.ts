/** Keeps what the members wrote with the run. */
import { type Cluster, ClusterError } from './cluster/cluster.ts';
import type { Services } from './services.ts';
import type { RunDirectory } from './store.ts';

/** Called while something else may be failing already, so a refusal is only reported. */
export async function saveLogs(
  services: Services,
  cluster: Cluster,
  directory: RunDirectory,
): Promise<void> {
  try {
    await cluster.collectLogs(directory.logsDirectory);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    services.progress.print(`logs: not saved: ${error.message}`);
  }
}
