/** What is worth knowing about the machine that a run ran on. */
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import type { Cluster } from './cluster/cluster.ts';
import type { Environment } from './store.ts';

/** `backendReason`: why the run got its backend. */
export function describeEnvironment(cluster: Cluster, backendReason: string): Environment {
  const missing = cluster.capabilities.filter((capability) => !capability.available);
  const known = new Set(cluster.environment.map((each) => each.name));
  const machine = [
    { name: 'node', value: process.version },
    { name: 'system', value: `${type()} ${release()}, ${cpus().length} CPUs` },
    { name: 'memory', value: `${Math.round(totalmem() / 2 ** 30)} GiB` },
    { name: 'load average at start', value: (loadavg()[0] ?? 0).toFixed(2) },
  ];
  return [
    { name: 'backend', value: `${cluster.backend} (${backendReason})` },
    ...cluster.environment,
    ...cluster.capabilities.map(({ capability, available, detail }) => ({
      name: `fault mechanism: ${capability}`,
      value: available ? detail : `none: ${detail}`,
    })),
    ...(missing.length > 0
      ? [{ name: 'not possible', value: missing.map((each) => each.capability).join(', ') }]
      : []),
    ...machine.filter((each) => !known.has(each.name)),
  ];
}
