/** How long something takes, drawn anew each time. */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween } from '../draw.ts';
import type { Between } from './plan.ts';

const NS_PER_US = 1000;

/** Evenly between the two, given in µs, in ns. */
export function drawNs(random: Random, [leastUs, mostUs]: Between): number {
  return drawBetween(random, leastUs * NS_PER_US, mostUs * NS_PER_US);
}
