/** Where the members of a run live, as its options say. */
import { assert } from '../src/lib/assert.ts';
import type { ClusterConfig } from './cluster/cluster.ts';
import { latencyProfile } from './disk/latency-profiles.ts';
import type { RunOptions } from './plan.ts';

/** The options were checked. */
export function surroundingsOf({
  disk,
  tls,
  seed,
}: Pick<RunOptions, 'disk' | 'tls' | 'seed'>): Pick<ClusterConfig, 'disk' | 'tls'> {
  return { ...(disk !== undefined && { disk: syntheticDisk(disk, seed) }), ...(tls && { tls }) };
}

function syntheticDisk(profile: string, seed: number): NonNullable<ClusterConfig['disk']> {
  const latency = latencyProfile(profile);
  assert(latency !== undefined, `no latency profile ${profile}`);
  return { fault: { type: 'latency', seed, ...latency } };
}
