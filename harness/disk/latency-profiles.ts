/**
 * Named kinds of disks, from `latency-profiles.json`. Round figures of the order that such disks
 * have, for what they do to a cluster; none is a measurement of a product.
 */

import { assert } from '../../src/lib/assert.ts';
import { type DiskLatency, parseDistribution } from './latency.ts';
import profiles from './latency-profiles.json' with { type: 'json' };

/** In the order of the file. */
export const LATENCY_PROFILES: readonly string[] = Object.keys(profiles);

/** Undefined if no profile has the name. */
export function latencyProfile(name: string): DiskLatency | undefined {
  if (!Object.hasOwn(profiles, name)) return undefined;
  const profile: unknown = Reflect.get(profiles, name);
  const latency = parseLatency(profile);
  assert(latency !== undefined, `latency-profiles.json: ${name} is not a latency`);
  return latency;
}

/** Undefined unless `value` has a distribution for syncs, for writes or for both. */
export function parseLatency(value: unknown): DiskLatency | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const fields = Object.entries(value).filter(([, distribution]) => distribution !== undefined);
  const parsed = fields.map(([field, distribution]) => [field, parseDistribution(distribution)]);
  const isSound = parsed.every(
    ([field, distribution]) => (field === 'sync' || field === 'write') && distribution,
  );
  return isSound && parsed.length > 0 ? Object.fromEntries(parsed) : undefined;
}
