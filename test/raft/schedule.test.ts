/** Random schedules from a fixed seed; a failure names the schedule to run again. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runSchedule } from './schedule.ts';

const STEPS = 6_000;

describe('random schedules', () => {
  test('keep every invariant, answer reads linearizably, and progress once healed', () => {
    const totals = { applied: 0, terms: 0, readsAnswered: 0, jointChanges: 0 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), (seed) => {
        const outcome = runSchedule(seed, STEPS);
        totals.applied += outcome.applied;
        totals.terms += outcome.terms;
        totals.readsAnswered += outcome.readsAnswered;
        totals.jointChanges += outcome.jointChanges;
      }),
      { seed: 20_26, numRuns: 60, endOnFailure: true },
    );
    // The schedules are worth something only if much happens in them.
    expect(totals.applied).toBeGreaterThan(500);
    expect(totals.terms).toBeGreaterThan(200);
    expect(totals.readsAnswered).toBeGreaterThan(200);
    expect(totals.jointChanges).toBeGreaterThan(100);
  });

  test('are the same when run again', () => {
    expect(runSchedule(7, STEPS)).toEqual(runSchedule(7, STEPS));
  });
});
