import { describe, expect, test } from 'vitest';
import { ExerciseRun, runExercise } from '../../harness/scope/exercise-run.ts';
import { EXERCISES, type Exercise, type Expectation } from '../../harness/scope/exercises.ts';
import { LiveCluster } from '../../harness/scope/live/live-cluster.ts';

function exercise(id: string): Exercise {
  return EXERCISES.find((each) => each.id === id)!;
}

/** The exercise with one other expectation in place of its own. */
function expecting(id: string, expectation: Expectation): Exercise {
  return { ...exercise(id), expect: [expectation] };
}

describe('exercises', () => {
  test.each(EXERCISES.map((each) => [each.id, each] as const))(
    '%s comes out as expected, under many seeds',
    (_, each) => {
      for (let seed = 1; seed <= 20; seed++) {
        expect({ seed, ...runExercise(each, seed) }).toMatchObject({ seed, holds: true });
      }
    },
  );

  test.each<[string, string, Expectation]>([
    ['that three down commit', 'three-down', { type: 'committed', byMs: 13_000, sinceMs: 5_300 }],
    ['that three down lead', 'three-down', { type: 'leader', byMs: 13_000 }],
    ['that two down do not commit', 'two-down', { type: 'notCommitted', byMs: 8_000, sinceMs: 0 }],
    ['that nobody leads', 'first-election', { type: 'noLeader', byMs: 5_000 }],
    ['a leader at once', 'first-election', { type: 'leader', byMs: 100 }],
    [
      'a new leader without a stop',
      'two-down',
      { type: 'leader', byMs: 8_000, laterThanAtMs: 4_000 },
    ],
    [
      'a new leader where there was none',
      'first-election',
      {
        type: 'leader',
        byMs: 5_000,
        laterThanAtMs: 100,
      },
    ],
    ['equal logs while one is down', 'catch-up', { type: 'logsEqual', byMs: 7_900 }],
    ['equal logs at the moment of return', 'catch-up', { type: 'logsEqual', byMs: 8_001 }],
    ['commits without requests', 'first-election', { type: 'committed', byMs: 5_000, sinceMs: 0 }],
  ])('a wrong expectation is not met: %s', (_, id, expectation) => {
    const { holds, sentence } = runExercise(expecting(id, expectation));
    expect(holds).toBe(false);
    expect(sentence).toMatch(/^At \d.*\.$/);
  });

  test('what comes out does not depend on how it is advanced', () => {
    for (const each of EXERCISES) {
      const cluster = new LiveCluster({ memberCount: each.members, seed: 1 }, { trace: () => {} });
      const run = new ExerciseRun(each, cluster);
      for (let ns = 0; ns < run.endNs; ns += 17e6) run.advanceTo(ns);
      run.advanceTo(run.endNs);
      const sentences = run.judgements.map((judgement) => judgement?.sentence).join(' ');
      expect(sentences).toBe(runExercise(each, 1).sentence);
    }
  });

  test('are told apart, in order of time, and end with an expectation', () => {
    expect(new Set(EXERCISES.map(({ id }) => id)).size).toBe(EXERCISES.length);
    for (const { steps, expect: expectations, members } of EXERCISES) {
      const times = steps.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(Math.max(...expectations.map(({ byMs }) => byMs))).toBeGreaterThan(times.at(-1) ?? 0);
      expect(members).toBeGreaterThanOrEqual(3);
    }
  });
});
