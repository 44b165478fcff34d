/** Which backends there are, which one a run gets and why, and cleaning up after dead runs. */
import { type Backend, type Cluster, type ClusterConfig, ClusterError } from './cluster/cluster.ts';

/** What a sweep removed, by what it was. */
export interface SweepCounts {
  readonly containers?: number;
  readonly networks?: number;
  readonly processes?: number;
  readonly mounts?: number;
}

export interface BackendProbe {
  readonly available: boolean;
  /** What answered, or why nothing did. */
  readonly detail: string;
  /** It may be there, and only slow. */
  readonly isSilent?: true;
}

/** One way to run members. */
export interface BackendDriver {
  probe(): Promise<BackendProbe>;
  open(config: ClusterConfig, onProgress: (line: string) => void): Promise<Cluster>;
  /** Removes what runs with dead owners left behind; living runs stay. */
  sweep(): Promise<SweepCounts>;
}

/** `sim`: only where time is simulated too (sim/simulated-services.ts). */
export type Backends = { readonly [Name in Exclude<Backend, 'sim'>]: BackendDriver } & {
  readonly sim?: BackendDriver;
};

export type BackendChoice = Backend | 'auto';

/** The real ones; loaded when used, because container libraries take their time. */
export const BACKENDS: Backends = {
  docker: {
    async probe() {
      const { probeDocker } = await import('./cluster/docker/daemon.ts');
      return probeDocker();
    },
    async open(config, onProgress) {
      const { openDockerCluster } = await import('./cluster/docker/docker-cluster.ts');
      return openDockerCluster(config, { onProgress });
    },
    async sweep() {
      const { sweepDocker } = await import('./cluster/docker/sweep.ts');
      return sweepDocker();
    },
  },
  process: {
    probe: async () => ({ available: true, detail: 'local processes on loopback' }),
    async open(config, onProgress) {
      const { openProcessCluster } = await import('./cluster/process/process-cluster.ts');
      return openProcessCluster(config, { onProgress });
    },
    async sweep() {
      const { sweepProcesses } = await import('./cluster/process/process-cluster.ts');
      return sweepProcesses();
    },
  },
};

/** A backend to try, and why it is this one. */
export interface Candidate {
  readonly backend: Backend;
  readonly why: string;
}

/**
 * Backends to try in this order. `auto` prefers docker and falls back on processes; a backend
 * asked for by name is the only candidate, and throws {@link ClusterError} when not available.
 */
export async function chooseBackends(
  choice: BackendChoice,
  backends: Backends,
): Promise<Candidate[]> {
  if (choice === 'process' || choice === 'sim') return [{ backend: choice, why: 'asked for' }];
  const probe = await backends.docker.probe();
  if (choice === 'docker') {
    if (probe.available) return [{ backend: 'docker', why: `asked for; ${probe.detail}` }];
    throw new ClusterError(
      `--cluster docker: ${probe.detail}; start the daemon or use --cluster process`,
    );
  }
  const fallback: Candidate = { backend: 'process', why: `no docker: ${probe.detail}` };
  return probe.available ? [{ backend: 'docker', why: probe.detail }, fallback] : [fallback];
}

/** On a machine that is busy, a daemon that has left-overs takes its time. */
const SWEEP_PROBES_MAX = 6;

/**
 * Sweeps every backend that answers, and says in words what was removed; '' when nothing.
 * `onSilent`: hears of a daemon that may be there, and could not be asked.
 */
export async function sweepAll(
  backends: Backends,
  onSilent: (detail: string) => void = () => undefined,
): Promise<string> {
  let probe = await backends.docker.probe();
  for (let asked = 1; probe.isSilent === true && asked < SWEEP_PROBES_MAX; asked++) {
    probe = await backends.docker.probe();
  }
  const { available } = probe;
  if (probe.isSilent === true) onSilent(probe.detail);
  const sweeps = await Promise.all([
    available ? backends.docker.sweep() : Promise.resolve({}),
    backends.process.sweep(),
  ]);
  return describeSweep(sweeps);
}

const SWEPT = ['containers', 'networks', 'processes', 'mounts'] as const;

function describeSweep(sweeps: readonly SweepCounts[]): string {
  const words = SWEPT.map((what) => {
    const count = sweeps.reduce((sum, sweep) => sum + (sweep[what] ?? 0), 0);
    return count === 0 ? '' : `${count} ${what}`;
  });
  return words.filter((word) => word !== '').join(', ');
}
