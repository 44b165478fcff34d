import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SimFailure } from '../../harness/sim/outcome.ts';
import type { SimPlan } from '../../harness/sim/plan.ts';
import { SHRINK_RUNS_MAX, shrink } from '../../harness/sim/shrink.ts';
import { simulate } from '../../harness/sim/simulate.ts';
import { drawSimPlan } from '../../harness/sim/swarm.ts';
import { FAILURE, FakeSimulator, GENERATED, largePlan, opsOf, valuesOf } from './shrink-fixture.ts';

const RUNS_MAX = SHRINK_RUNS_MAX;

/** A kill, two of the writes in their order, and a third member. */
function failsWithKill(plan: SimPlan): boolean {
  const values = valuesOf(plan);
  const writes = values.includes(17) && values.indexOf(150) > values.indexOf(17);
  return writes && plan.memberCount >= 3 && plan.schedule.some(({ spec }) => spec.kind === 'kill');
}

describe('shrinking', () => {
  it('leaves what the failure needs and nothing else', async () => {
    const fake = new FakeSimulator(failsWithKill);
    const { plan, outcome, before, after, runs } = await shrink(largePlan(), {
      simulate: fake.simulate,
      runsMax: RUNS_MAX,
    });
    expect(valuesOf(plan)).toEqual([17, 150]);
    expect(plan.schedule.map(({ id, spec }) => [id, spec.kind])).toEqual([[1, 'kill']]);
    expect(after).toEqual({ operations: 2, faults: 1, members: 3, keys: 1 });
    expect(before).toEqual({
      operations: GENERATED.length,
      faults: largePlan().schedule.length,
      members: 5,
      keys: 7,
    });
    expect(outcome.failure).toEqual(FAILURE);
    expect(runs).toBe(fake.runs);
  });

  it('makes the settings ordinary, the clients few and the run short', async () => {
    const { simulate } = new FakeSimulator(failsWithKill);
    const { plan } = await shrink(largePlan(), { simulate, runsMax: RUNS_MAX });
    expect(plan).toMatchObject({
      memberCount: 3,
      heartbeatMs: 100,
      electionMs: 1_000,
      clockDriftPpm: [0, 0, 0],
      core: ['n1', 'n2', 'n3'],
      network: { latencyUs: [500, 500], encodes: false },
      workload: { concurrency: 1, registerPercent: 100, setPercent: 0, kvPercent: 0 },
    });
    expect(Math.max(...opsOf(plan).map(({ atNs }) => atNs))).toBeLessThan(1e9);
    expect(plan.safetyMs).toBeLessThan(10_000);
  });

  it('keeps an odd setting that the failure needs', async () => {
    const { simulate } = new FakeSimulator(({ network, electionMs }) => {
      return network.encodes && electionMs < 700;
    });
    const drawn = largePlan();
    const odd = { ...drawn, electionMs: 600, network: { ...drawn.network, encodes: true } };
    const { plan } = await shrink(odd, { simulate, runsMax: RUNS_MAX });
    expect(plan.network).toMatchObject({ encodes: true, latencyUs: [500, 500] });
    expect(plan.electionMs).toBe(600);
    expect(plan.script).toEqual([]);
  });

  it('cuts off what came after the failure', async () => {
    const failure: SimFailure = { ...FAILURE, atNs: 5e9 };
    const { simulate } = new FakeSimulator(() => failure);
    const { plan } = await shrink(largePlan(), { simulate, runsMax: 3 });
    expect(opsOf(plan)).toHaveLength(51);
    expect(plan.schedule.every(({ startMs }) => startMs <= 5_000)).toBe(true);
  });

  it('begins with what a checker could not explain', async () => {
    const unexplained = [GENERATED[30]!, GENERATED[95]!];
    const fake = new FakeSimulator((plan) =>
      unexplained.every((op) => valuesOf(plan).includes((op.value as { value: number }).value)),
    );
    const invalid = { name: 'register', validity: 'invalid', summary: '', details: {} } as const;
    const failing = async (plan: SimPlan) => {
      const outcome = await fake.simulate(plan);
      const ops = outcome.history.filter(({ time }) =>
        unexplained.some(({ atNs }) => atNs === time),
      );
      const evidence = { sentence: '', ops, fromIndex: 0, toIndex: 0 };
      return { ...outcome, checks: [{ ...invalid, evidence }] };
    };
    // Nothing, faults and members cost the others.
    const { plan } = await shrink(largePlan(), { simulate: failing, runsMax: 20 });
    expect(valuesOf(plan)).toEqual([30, 95]);
  });

  it('simplifies transactions', async () => {
    const put = { op: 'put', key: 'kv/a/0', value: '1', prevKv: true };
    const range = { op: 'range', key: 'kv/a/0', limit: 3 };
    const value = { compare: [], success: [range, put], failure: [range, range] };
    const txn = { atNs: 0, thread: 0, f: 'kv-txn', value };
    const { simulate } = new FakeSimulator(({ script }) => {
      return JSON.stringify(script).includes('"op":"put"');
    });
    const { plan } = await shrink({ ...largePlan(), script: [txn] }, { simulate, runsMax: 99 });
    const smallest = { op: 'put', key: 'kv/a/0', value: '1' };
    expect(plan.script?.map((op) => op.value)).toEqual([
      { compare: [], success: [smallest], failure: [] },
    ]);
  });

  it('finds failures that only some seeds show', async () => {
    const { simulate } = new FakeSimulator((plan) => plan.seed % 3 === 1 && failsWithKill(plan));
    const { plan, after } = await shrink(largePlan(), { simulate, runsMax: 600 });
    expect(after).toMatchObject({ operations: 2, faults: 1, members: 3 });
    expect(plan.seed % 3).toBe(1);
  });

  it('does not exchange the failure for another one', async () => {
    const other: SimFailure = { ...FAILURE, by: 'liveness', name: 'progress' };
    const { simulate } = new FakeSimulator((plan) => (failsWithKill(plan) ? true : other));
    const { plan, outcome } = await shrink(largePlan(), { simulate, runsMax: RUNS_MAX });
    expect(outcome.failure).toEqual(FAILURE);
    expect(valuesOf(plan)).toEqual([17, 150]);
  });

  it('takes any failure that it is told to accept', async () => {
    const other: SimFailure = { ...FAILURE, by: 'liveness', name: 'progress' };
    const { simulate } = new FakeSimulator((plan) => (failsWithKill(plan) ? true : other));
    const options = { simulate, runsMax: RUNS_MAX, accepts: () => true };
    const { outcome, after } = await shrink(largePlan(), options);
    expect(outcome.failure).toEqual(other);
    expect(after).toEqual({ operations: 0, faults: 0, members: 1, keys: 0 });
  });

  it('passes over candidates that cannot be simulated', async () => {
    const { simulate } = new FakeSimulator((plan) => {
      if (plan.memberCount < 4) throw new Error('runs in circles');
      return failsWithKill(plan);
    });
    const { after } = await shrink(largePlan(), { simulate, runsMax: RUNS_MAX });
    expect(after).toMatchObject({ operations: 2, members: 4 });
  });

  it('refuses a plan that does not fail, or not as expected', async () => {
    const sound = new FakeSimulator(() => false);
    await expect(shrink(largePlan(), { ...sound, runsMax: 9 })).rejects.toThrow('does not fail');
    const failing = new FakeSimulator(() => true);
    const options = { ...failing, runsMax: 9, accepts: () => false };
    await expect(shrink(largePlan(), options)).rejects.toThrow(FAILURE.detail);
  });

  it('takes fewer simulations when they are large', async () => {
    const fake = new FakeSimulator(failsWithKill, 1_000_000);
    const { runs, outcome } = await shrink(largePlan(), { ...fake, runsMax: RUNS_MAX });
    expect(runs).toBeGreaterThan(10);
    expect(runs).toBeLessThan(30);
    expect(outcome.failure).toEqual(FAILURE);
  });

  it('tells how it goes', async () => {
    const { simulate } = new FakeSimulator(failsWithKill);
    const lines: string[] = [];
    const onProgress = (line: string): void => void lines.push(line);
    await shrink(largePlan(), { simulate, runsMax: RUNS_MAX, onProgress });
    expect(lines.find((line) => line.startsWith('rounds'))).toMatch(
      /^rounds: 2 operations, 1 faults, 3 members, 1 keys after \d+ simulations$/,
    );
  });
});

describe('whatever the plan needs to fail', () => {
  interface Needs {
    readonly seed: number;
    readonly values: readonly number[];
    readonly members: number;
    readonly oneSeedIn: number;
    readonly runsMax: number;
  }
  const needs: fc.Arbitrary<Needs> = fc.record({
    seed: fc.nat(1_000),
    values: fc.uniqueArray(fc.nat(GENERATED.length - 1), { maxLength: 6 }),
    members: fc.integer({ min: 1, max: 5 }),
    oneSeedIn: fc.integer({ min: 1, max: 4 }),
    runsMax: fc.integer({ min: 1, max: 300 }),
  });
  const simulatorOf = ({ seed, values, members, oneSeedIn }: Needs): FakeSimulator =>
    new FakeSimulator((plan) => {
      const isSeed = (plan.seed - seed) % oneSeedIn === 0;
      const written = valuesOf(plan);
      const hasAll = values.every((value) => written.includes(value));
      return isSeed && hasAll && plan.memberCount >= members;
    });

  it('the result fails, is no larger, and the runs were not more than allowed', async () => {
    const property = fc.asyncProperty(needs, async (given) => {
      const { seed, runsMax } = given;
      const fake = simulatorOf(given);
      const { plan, runs, before, after } = await shrink(largePlan(seed), { ...fake, runsMax });
      expect(runs).toBe(fake.runs);
      expect(runs).toBeLessThanOrEqual(runsMax);
      expect((await fake.simulate(plan)).failure).toEqual(FAILURE);
      expect(after.operations).toBeLessThanOrEqual(before.operations);
      expect(after.faults).toBeLessThanOrEqual(before.faults);
      expect(after.members).toBeLessThanOrEqual(before.members);
      expect(after.keys).toBeLessThanOrEqual(before.keys);
    });
    await fc.assert(property, { numRuns: 25, seed: 1 });
  });

  it('the same plan shrinks to the same plan', async () => {
    const property = fc.asyncProperty(needs, async (given) => {
      const results = [simulatorOf(given), simulatorOf(given)].map(({ simulate }) =>
        shrink(largePlan(given.seed), { simulate, runsMax: given.runsMax }),
      );
      const [first, second] = await Promise.all(results);
      expect(second).toEqual(first);
    });
    await fc.assert(property, { numRuns: 6, seed: 2 });
  });
});

describe('a script in place of the generator', () => {
  it('has clients ask for the same, at the same times', async () => {
    const drawn = drawSimPlan(7, 'code', { memberCount: 3, safetyMs: 2_000, faults: [] });
    // Busy to the end: a script that ends early lets the final reads begin early.
    const workload = { ...drawn.workload, ratePerSecond: 60, restMs: 0 };
    const plan = { ...drawn, workload };
    const failing = async (each: SimPlan) => ({ ...(await simulate(each)), failure: FAILURE });
    const generated = await simulate(plan);
    // The first run is the plan's own, the second the script's.
    const scripted = await shrink(plan, { simulate: failing, runsMax: 2 });
    expect(scripted.plan.script?.length).toBeGreaterThan(50);
    const asked = (history: typeof generated.history) =>
      history
        .filter(({ type, time }) => type === 'invoke' && time < 2_000e6)
        .map(({ time, process, f, value }) => ({ time, process, f, value }));
    expect(asked((await simulate(scripted.plan)).history)).toEqual(asked(generated.history));
  });
});
