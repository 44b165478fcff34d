/** What explorations draw: pure, bounded, and everything comes up. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  drawRun,
  EXPLORED_FAULTS,
  LYING,
  PART_NAMES,
  STORM_LENGTH,
} from '../../harness/explore/draw-run.ts';
import { isFaultKind } from '../../harness/nemesis/packages.ts';
import { SEED_BOUND } from '../../harness/seeded-random.ts';

const seeds = fc.integer({ min: 0, max: SEED_BOUND - 1 });
const indexes = fc.integer({ min: 1, max: 1_000_000 });

test('seed and number decide everything', () => {
  fc.assert(
    fc.property(seeds, indexes, (seed, index) => {
      expect(drawRun(seed, index)).toEqual(drawRun(seed, index));
    }),
  );
  expect(drawRun(1, 1)).not.toEqual({ ...drawRun(1, 2), index: 1 });
  expect(drawRun(1, 1)).not.toEqual(drawRun(2, 1));
});

test('every draw can be run', () => {
  fc.assert(
    fc.property(seeds, indexes, (seed, index) => {
      const run = drawRun(seed, index);
      expect([1, 3, 5]).toContain(run.memberCount);
      expect(run.electionMs).toBeGreaterThanOrEqual(5 * run.heartbeatMs);
      expect(run.timeLimitMs).toBeGreaterThanOrEqual(STORM_LENGTH.leastS * 1_000);
      expect(run.timeLimitMs).toBeLessThanOrEqual(STORM_LENGTH.mostS * 1_000);
      expect(new Set(run.faults).size).toBe(run.faults.length);
      const names = run.parts.map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(names.some((name) => name !== 'flood' && name !== 'upkeep')).toBe(true);
      for (const { threads, opsPerSecond } of run.parts) {
        expect(threads).toBeGreaterThan(0);
        expect(opsPerSecond).toBeGreaterThan(0);
      }
    }),
  );
});

test('every fault and every part comes up, and most runs leave most out', () => {
  const runs = Array.from({ length: 400 }, (_, at) => drawRun(3, at + 1));
  const faults = new Set(runs.flatMap((run) => run.faults));
  expect([...faults].toSorted()).toEqual([...EXPLORED_FAULTS].toSorted());
  expect(EXPLORED_FAULTS.every(isFaultKind)).toBe(true);
  const parts = new Set(runs.flatMap((run) => run.parts.map(({ name }) => name)));
  expect([...parts].toSorted()).toEqual([...PART_NAMES].toSorted());
  const few = runs.filter((run) => run.faults.length <= 4);
  expect(few.length).toBeGreaterThan(runs.length / 2);
  // A disk that lies is a class of its own, and a small one.
  const lying = runs.filter((run) => run.faults.includes(LYING));
  expect(lying.length).toBeGreaterThan(0);
  expect(lying.length).toBeLessThan(runs.length / 5);
});
