/** Faults that only the simulator can do so far, as the other backends refuse them. */
import {
  type Backend,
  type Capability,
  type CapabilityReport,
  type Cluster,
  ClusterError,
} from './cluster.ts';

const SIM_ONLY: readonly Capability[] = ['slow-process'];

type SimOnlyMethod = 'setSlowness';

/** Base of a backend that refuses all of them; it overrides what it learns to do. */
export abstract class WithoutSimFaults implements Pick<Cluster, 'backend' | SimOnlyMethod> {
  abstract readonly backend: Backend;

  setSlowness(): Promise<never> {
    return notPossible(this.backend, 'slow-process');
  }
}

/** What such a backend says of these capabilities. */
export function simOnlyReports(backend: Backend): CapabilityReport[] {
  const detail = whyNot(backend);
  return SIM_ONLY.map((capability) => ({ capability, available: false, detail }));
}

function notPossible(backend: Backend, what: Capability): Promise<never> {
  return Promise.reject(new ClusterError(`${what}: ${whyNot(backend)}`));
}

function whyNot(backend: Backend): string {
  return `not built for ${backend} yet; the simulator has it: storm sim`;
}
