/** From JSON to what a disk can be ordered to do; undefined for anything else. */

import type { DiskFault, PowerLoss } from '../cluster/cluster.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import { parseLatency } from './latency-profiles.ts';

export function parseFault(value: unknown): DiskFault | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  const { type, ...rest }: { type: unknown } & Readonly<Record<string, unknown>> = { ...value };
  switch (type) {
    case 'none':
    case 'lie':
    case 'read-only':
      return { type };
    case 'stall':
      if (rest.operation === undefined) return { type };
      return rest.operation === 'sync' ? { type, operation: 'sync' } : undefined;
    case 'error':
      return parseError(rest);
    case 'rot':
      return parseRot(rest);
    case 'latency': {
      const { seed, ...distributions } = rest;
      const latency = parseLatency(distributions);
      return latency !== undefined && isSeed(seed) ? { type, seed, ...latency } : undefined;
    }
    default:
      return undefined;
  }
}

export function parsePowerLoss(value: unknown): PowerLoss | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (!('keeps' in value && 'seed' in value && isSeed(value.seed))) return undefined;
  const { keeps, seed } = value;
  const isKnown = keeps === 'nothing' || keeps === 'some' || keeps === 'torn';
  return isKnown ? { keeps, seed } : undefined;
}

function parseError({ operation, code }: Readonly<Record<string, unknown>>): DiskFault | undefined {
  if (operation !== 'write' && operation !== 'sync') return undefined;
  if (code !== 'EIO' && code !== 'ENOSPC') return undefined;
  return { type: 'error', operation, code };
}

function parseRot({ everyBytes, seed }: Readonly<Record<string, unknown>>): DiskFault | undefined {
  if (typeof everyBytes !== 'number' || !(everyBytes >= 1) || !isSeed(seed)) return undefined;
  return { type: 'rot', everyBytes, seed };
}

function isSeed(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) < SEED_BOUND;
}
