/**
 * The default workload with its checkers against a virtual cluster: it must find each of the
 * broken ones in at least 9 of 10 seeds, and never accuse the sound one.
 */
import { describe, expect, test } from 'vitest';
import { runDefault } from './default-run.ts';
import type { Defect } from './virtual-cluster.ts';

const SEEDS = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];

/** Long enough for a partition of the leader, a kill of everybody and a slow disk. */
const STORM_NS = 14e9;

/** These need no fault to show. */
const SHORT_STORM_NS = 6e9;

/** Kills seldom meet a write that is acknowledged and not on disk: give them several tries. */
const VOLATILE_STORM_NS = 30e9;

function validities(defect: Defect, stormNs: number): readonly string[] {
  return SEEDS.map((seed) => runDefault(defect, seed, stormNs).verdict.validity);
}

test('a sound cluster is valid in 10 of 10 seeds', () => {
  expect(validities('none', STORM_NS)).toEqual(SEEDS.map(() => 'valid'));
});

describe('a broken cluster is invalid in at least 9 of 10 seeds', () => {
  test.each<readonly [Defect, number]>([
    ['local-reads', SHORT_STORM_NS],
    ['lease-free-leader-reads', STORM_NS],
    ['early-acknowledgement', STORM_NS],
    ['volatile-log', VOLATILE_STORM_NS],
    ['eager-compare', SHORT_STORM_NS],
  ])('%s', (defect, stormNs) => {
    const invalid = validities(defect, stormNs).filter((validity) => validity === 'invalid');
    expect(invalid.length).toBeGreaterThanOrEqual(9);
  });
});

test('compare-and-sets succeed often, and a run is cheap to check', () => {
  const { history, verdict } = runDefault('none', 1, STORM_NS);
  const swaps = history.filter((op) => op.f === 'cas' && op.type === 'ok');
  const succeeded = swaps.filter((op) => JSON.stringify(op.value).includes('"swapped":true'));
  expect(succeeded.length / swaps.length).toBeGreaterThan(0.2);
  const register = verdict.checks.find((check) => check.name === 'register');
  expect(register?.details.steps).toBeLessThan(5 * history.length);
  expect(history.length).toBeGreaterThan(8_000);
});

test('one seed gives one history', () => {
  const once = runDefault('none', 4, 5e9).history;
  expect(runDefault('none', 4, 5e9).history).toEqual(once);
});
