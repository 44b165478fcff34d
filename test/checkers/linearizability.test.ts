import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkPartitions } from '../../checkers/linearizability/check.ts';
import { findCore } from '../../checkers/linearizability/core.ts';
import type { Call, Model } from '../../checkers/linearizability/model.ts';
import { REGISTER_MODEL, type RegisterState } from '../../checkers/models/register.ts';
import { bruteForce, wingGong } from './brute-force.ts';
import { callsOf, type RegisterCall, slotArbitrary } from './register-calls.ts';

const SEED = 20_240_607;
const BUDGET = { stepsMax: 5_000_000, bytesMax: 64 * 1024 * 1024 };

const SMALL = slotArbitrary({
  values: 3,
  starts: 8,
  durations: 6,
  lostPercent: 15,
  liePercent: 25,
});
const MIDDLE = slotArbitrary({
  values: 4,
  starts: 120,
  durations: 9,
  lostPercent: 6,
  liePercent: 1,
});

function verdictOf(calls: readonly RegisterCall[]): string {
  return checkPartitions(REGISTER_MODEL, [calls], BUDGET).verdicts[0]!.type;
}

describe('the engine and slow judges agree', () => {
  test('on small histories with trying every order', () => {
    const seen = { linearizable: 0, violation: 0, unknown: 0 };
    fc.assert(
      fc.property(fc.array(SMALL, { minLength: 2, maxLength: 7 }), (slots) => {
        const calls = callsOf(slots);
        const { type } = checkPartitions(REGISTER_MODEL, [calls], BUDGET).verdicts[0]!;
        seen[type] += 1;
        expect(type).toBe(bruteForce(REGISTER_MODEL, calls) ? 'linearizable' : 'violation');
      }),
      { seed: SEED, numRuns: 20_000 },
    );
    expect(seen.linearizable).toBeGreaterThan(2_000);
    expect(seen.violation).toBeGreaterThan(2_000);
    expect(seen.unknown).toBe(0);
  });

  test('on middling histories with Wing and Gong', () => {
    const seen = { linearizable: 0, violation: 0, unknown: 0 };
    fc.assert(
      fc.property(fc.array(MIDDLE, { minLength: 20, maxLength: 60 }), (slots) => {
        const calls = callsOf(slots);
        const { type } = checkPartitions(REGISTER_MODEL, [calls], BUDGET).verdicts[0]!;
        seen[type] += 1;
        expect(type).toBe(wingGong(REGISTER_MODEL, calls) ? 'linearizable' : 'violation');
      }),
      { seed: SEED, numRuns: 1_000 },
    );
    expect(seen.linearizable).toBeGreaterThan(200);
    expect(seen.violation).toBeGreaterThan(100);
  });
});

describe('a violation', () => {
  test('ends the shortest prefix that has no explanation', () => {
    fc.assert(
      fc.property(fc.array(SMALL, { minLength: 2, maxLength: 7 }), (slots) => {
        const calls = callsOf(slots);
        const [verdict] = checkPartitions(REGISTER_MODEL, [calls], BUDGET).verdicts;
        if (verdict?.type !== 'violation' || verdict.call.type !== 'ok') return;
        const { returnAt } = verdict.call;
        expect(bruteForce(REGISTER_MODEL, prefixOf(calls, returnAt))).toBe(false);
        expect(bruteForce(REGISTER_MODEL, prefixOf(calls, returnAt - 1))).toBe(true);
      }),
      { seed: SEED, numRuns: 5_000 },
    );
  });

  test('is reduced to a core that no start explains, as trying every order confirms', () => {
    fc.assert(
      fc.property(fc.array(MIDDLE, { minLength: 20, maxLength: 40 }), (slots) => {
        const calls = callsOf(slots);
        const [verdict] = checkPartitions(REGISTER_MODEL, [calls], BUDGET).verdicts;
        if (verdict?.type !== 'violation') return;
        const core = findCore(REGISTER_MODEL, calls, verdict.call, BUDGET);
        expect(core.calls).toContain(verdict.call);
        for (const init of core.fromAnyState ? statesOf(calls) : [null]) {
          expect(wingGong({ ...REGISTER_MODEL, init }, core.calls)).toBe(false);
        }
      }),
      { seed: SEED, numRuns: 400 },
    );
  });

  test('is reduced to a core from which nothing is missing that could explain it', () => {
    let checked = 0;
    fc.assert(
      fc.property(fc.array(MIDDLE, { minLength: 20, maxLength: 60 }), (slots) => {
        const calls = callsOf(slots);
        const [verdict] = checkPartitions(REGISTER_MODEL, [calls], BUDGET).verdicts;
        if (verdict?.type !== 'violation') return;
        const core = findCore(REGISTER_MODEL, calls, verdict.call, BUDGET);
        const whole = withLeftOut(core.calls, calls, verdict.call);
        for (const init of core.fromAnyState ? statesOf(calls) : [null]) {
          const again = checkPartitions({ ...REGISTER_MODEL, init }, [whole], BUDGET);
          expect(again.verdicts[0]!.type).toBe('violation');
        }
        checked += 1;
      }),
      { seed: SEED, numRuns: 1_000 },
    );
    expect(checked).toBeGreaterThan(100);
  });
});

describe('what only allows more explanations keeps a valid history valid', () => {
  const slots = fc.array(MIDDLE, { minLength: 10, maxLength: 40 });
  const relaxed = (
    name: string,
    relax: (calls: readonly RegisterCall[], pick: number) => readonly RegisterCall[],
  ) =>
    test(name, () => {
      fc.assert(
        fc.property(slots, fc.nat(), (drawn, pick) => {
          const calls = callsOf(drawn.map((slot) => ({ ...slot, lie: undefined })));
          expect(verdictOf(calls)).toBe('linearizable');
          expect(verdictOf(relax(calls, pick % calls.length))).toBe('linearizable');
        }),
        { seed: SEED, numRuns: 500 },
      );
    });
  relaxed('dropping a read', (calls, pick) =>
    calls.filter((call, position) => position !== pick || call.input.f !== 'read'),
  );
  relaxed('widening an interval', (calls, pick) =>
    calls.map((call, position) =>
      position === pick && call.type === 'ok' ? { ...call, callAt: -1, returnAt: 1e6 } : call,
    ),
  );
  relaxed('not having seen an operation end', (calls, pick) =>
    calls.map((call, position): RegisterCall => {
      if (position !== pick) return call;
      const { id, input, callAt } = call;
      return { type: 'info', id, input, output: undefined, callAt };
    }),
  );
});

test('the order in which operations are given does not matter', () => {
  fc.assert(
    fc.property(fc.array(SMALL, { minLength: 2, maxLength: 7 }), (slots) => {
      const calls = callsOf(slots);
      expect(verdictOf(calls.toReversed())).toBe(verdictOf(calls));
    }),
    { seed: SEED, numRuns: 1_000 },
  );
});

describe('bounds', () => {
  /** Every order of `count` concurrent increments is possible, until a read denies them all. */
  const hard = (count: number): Call<number, number>[] => [
    ...Array.from({ length: count }, (_, id) => ({
      type: 'ok' as const,
      id,
      input: 2 ** id,
      output: -1,
      callAt: id,
      returnAt: 1_000 + id,
    })),
    { type: 'ok', id: count, input: 0, output: -2, callAt: 2_000, returnAt: 2_001 },
  ];
  /** A sum: adding an amount answers −1, adding nothing answers the sum. */
  const SUM: Model<number, number, number> = {
    name: 'sum',
    init: 0,
    step: (state, amount, output) =>
      amount === 0 ? (output === state ? state : undefined) : state + amount,
    key: (state) => state,
    effect: (amount) => (amount === 0 ? 'read' : 'update'),
    states: () => [0],
  };

  test('are large enough for what is merely large', () => {
    const check = checkPartitions(SUM, [hard(10)], BUDGET);
    expect(check.verdicts).toMatchObject([{ type: 'violation', call: { id: 10 } }]);
  });

  test('on steps end in unknown', () => {
    const check = checkPartitions(SUM, [hard(24)], { ...BUDGET, stepsMax: 100_000 });
    expect(check.verdicts).toEqual([{ type: 'unknown', exhausted: 'steps' }]);
    expect(check.steps).toBeLessThan(110_000);
  });

  test('on memory end in unknown', () => {
    const check = checkPartitions(SUM, [hard(24)], { ...BUDGET, bytesMax: 1_000_000 });
    expect(check.verdicts).toEqual([{ type: 'unknown', exhausted: 'memory' }]);
  });

  test('on memory end in unknown where there are many configurations of few states', () => {
    const remainder = {
      ...SUM,
      step: (state: number, amount: number, output: number | undefined) =>
        amount === 0 ? (output === state ? state : undefined) : (state + amount) % 7,
    };
    const check = checkPartitions(remainder, [hard(24)], { ...BUDGET, bytesMax: 1_000_000 });
    expect(check.verdicts).toEqual([{ type: 'unknown', exhausted: 'memory' }]);
  });

  test('do not keep an easy violation beside a hard partition from being found', () => {
    const easy: Call<number, number>[] = [
      { type: 'ok', id: 0, input: 0, output: 7, callAt: 0, returnAt: 1 },
    ];
    const check = checkPartitions(SUM, [hard(24), easy], { ...BUDGET, stepsMax: 100_000 });
    expect(check.verdicts.map((verdict) => verdict.type)).toEqual(['unknown', 'violation']);
  });
});

/** What the register may ever hold, not asking the model, which may be wrong about it. */
function statesOf(calls: readonly RegisterCall[]): readonly RegisterState[] {
  const written = calls.flatMap(({ input }) => {
    if (input.f === 'write') return [input.value];
    return input.f === 'cas' ? [input.to] : [];
  });
  return [null, ...new Set(written)];
}

/**
 * The core, and every write and compare-and-set that it leaves out though it may have taken
 * effect between the beginning of its first definite operation and the return of `stuck`.
 */
function withLeftOut(
  core: readonly RegisterCall[],
  calls: readonly RegisterCall[],
  stuck: RegisterCall,
): readonly RegisterCall[] {
  const kept = new Set(core.map((call) => call.id));
  const from = Math.min(...core.flatMap((call) => (call.type === 'ok' ? [call.callAt] : [])));
  const end = stuck.type === 'ok' ? stuck.returnAt : Number.POSITIVE_INFINITY;
  const leftOut = calls
    .filter((call) => !kept.has(call.id) && call.input.f !== 'read' && call.callAt < end)
    .filter((call) => call.type === 'info' || call.returnAt > from)
    .map(({ id, input, output, callAt }): RegisterCall => {
      return { type: 'info', id, input, output, callAt };
    });
  return [...core, ...leftOut];
}

function prefixOf(calls: readonly RegisterCall[], end: number): readonly RegisterCall[] {
  return calls
    .filter((call) => call.callAt <= end)
    .map((call): RegisterCall => {
      if (call.type === 'info' || call.returnAt <= end) return call;
      const { id, input, output, callAt } = call;
      return { type: 'info', id, input, output, callAt };
    });
}
