/** From a choice of backend to members that run, in a run directory of their own. */
import { basename } from 'node:path';
import { type BackendChoice, type Candidate, chooseBackends } from './backends.ts';
import { type Cluster, type ClusterConfig, ClusterError, type Target } from './cluster/cluster.ts';
import type { Services } from './services.ts';
import { RunDirectory } from './store.ts';
import { unknownFlagIn } from './targets/etcd-version.ts';

export interface OpenedCluster {
  readonly cluster: Cluster;
  readonly directory: RunDirectory;
  /** Why it is this backend. */
  readonly why: string;
}

export interface OpenRequest {
  readonly choice: BackendChoice;
  readonly runsDirectory: string;
  /** Middle of the run directory's name: the seed, or the command. */
  readonly label: string;
  readonly config: Omit<ClusterConfig, 'runId' | 'runDirectory'>;
}

/**
 * Opens the first backend that works. Under `auto` a docker that answers and then fails is
 * reported and processes are used; otherwise rejects with ClusterError.
 */
export async function openCluster(
  services: Services,
  request: OpenRequest,
): Promise<OpenedCluster> {
  const candidates = await chooseBackends(request.choice, services.backends);
  for (const [at, candidate] of candidates.entries()) {
    try {
      return await openCandidate(services, request, candidate);
    } catch (error) {
      const next = candidates[at + 1];
      if (!(error instanceof ClusterError) || next === undefined) throw error;
      services.progress.print(`cluster: ${candidate.backend} failed: ${error.message}`);
    }
  }
  throw new ClusterError('no backend to run a cluster on');
}

async function openCandidate(
  services: Services,
  request: OpenRequest,
  { backend, why }: Candidate,
): Promise<OpenedCluster> {
  const { progress, processId } = services;
  const stamp = stampOf(services.clock.wallMs());
  const directory = RunDirectory.create(
    request.runsDirectory,
    `${stamp}-${request.label}-${backend}`,
  );
  progress.print(`cluster: ${request.config.memberCount} members on ${backend} (${why})`);
  const runId = `storm-${basename(directory.path)}-${processId}`;
  const config = { ...request.config, runId, runDirectory: directory.path };
  const driver = services.backends[backend];
  if (driver === undefined) throw new ClusterError(`--cluster ${backend}: not for this command`);
  try {
    const cluster = await driver.open(config, (line) => {
      progress.print(`cluster: ${line}`);
    });
    return { cluster, directory, why };
  } catch (error) {
    directory.removeIfEmpty();
    throw explained(error, request.config.target);
  }
}

/** A server that does not know one of its flags is too old for it, or no server of that kind. */
function explained(error: unknown, target: Target): unknown {
  if (!(error instanceof ClusterError)) return error;
  const flag = unknownFlagIn(error.message);
  if (flag === undefined || target.kind !== 'etcd') return error;
  const { image, path } = target;
  return new ClusterError(
    `--target etcd:${image ?? path}: does not know --${flag}; give a version of etcd that does`,
    { cause: error },
  );
}

/** `20251121-111042`, UTC. */
export function stampOf(wallMs: number): string {
  const digits = new Date(wallMs).toISOString().replaceAll(/\D/g, '');
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}`;
}
