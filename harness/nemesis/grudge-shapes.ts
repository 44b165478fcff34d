/** The shapes of partitions by name, for whoever wants one without drawing a fault. */
import { assertNever } from '../../src/lib/assert.ts';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { Grudge } from '../cluster/cluster.ts';
import { bridgeGrudge, isolateGrudge, oneWayGrudge, ringGrudge, splitGrudge } from './grudge.ts';

export const GRUDGE_SHAPES = [
  'one',
  'halves',
  'minority-third',
  'majorities-ring',
  'bridge',
  'deaf',
  'mute',
] as const;

export type GrudgeShape = (typeof GRUDGE_SHAPES)[number];

/**
 * A grudge of the shape; `order` says who plays which part, the first node the lonely one, the
 * bridge, or part of the smaller side. To isolate the primary is `one` with the leader first.
 */
export function shapedGrudge(shape: GrudgeShape, order: readonly string[]): Grudge {
  const first = order[0]!;
  const split = (size: number): Grudge => splitGrudge(order.slice(0, size), order.slice(size));
  switch (shape) {
    case 'one':
      return isolateGrudge(order, first);
    case 'halves':
      return split(Math.floor(order.length / 2));
    case 'minority-third':
      return split(Math.max(1, Math.ceil(order.length / 3) - 1));
    case 'majorities-ring':
      return ringGrudge(order);
    case 'bridge':
      return bridgeGrudge(order, first);
    case 'deaf':
      return oneWayGrudge(order, first, 'incoming');
    case 'mute':
      return oneWayGrudge(order, first, 'outgoing');
    default:
      return assertNever(shape);
  }
}

/** The shape of that name; otherwise in one line which there are. */
export function parseGrudgeShape(field: string, name: string): Result<GrudgeShape, string> {
  const shape = GRUDGE_SHAPES.find((one) => one === name);
  return shape === undefined
    ? err(`${field}: ${name}: unknown shape; use ${GRUDGE_SHAPES.join(', ')}`)
    : ok(shape);
}
