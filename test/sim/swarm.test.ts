import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FAULT_KINDS, mayOverlap, SIM_FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { SEED_BOUND } from '../../harness/seeded-random.ts';
import { describeSimPlan } from '../../harness/sim/describe-plan.ts';
import { type Between, CHANGE_TYPES, type SimPlan } from '../../harness/sim/plan.ts';
import { whyNoPlan } from '../../harness/sim/plan-shape.ts';
import { drawSimPlan } from '../../harness/sim/swarm.ts';
import { PARTS, shareOut } from '../../harness/sim/workload.ts';

const seeds = fc.nat(SEED_BOUND - 1);
const CODE = '0123456789ab';

/** For any seed. */
function everyPlan(check: (plan: SimPlan) => void): void {
  fc.assert(
    fc.property(seeds, (seed) => check(drawSimPlan(seed, CODE))),
    { seed: 1, numRuns: 300 },
  );
}

function expectRange([least, most]: Between): void {
  expect(least).toBeGreaterThan(0);
  expect(most).toBeGreaterThanOrEqual(least);
}

describe('a drawn plan', () => {
  test('is within bounds', () => {
    everyPlan((plan) => {
      expect(plan.memberCount).toBeGreaterThanOrEqual(1);
      expect(plan.memberCount).toBeLessThanOrEqual(7);
      expect(plan.electionMs).toBeGreaterThanOrEqual(5 * plan.heartbeatMs);
      expect(plan.safetyMs).toBeGreaterThanOrEqual(10 * plan.electionMs);
      expect(plan.clockDriftPpm).toHaveLength(plan.memberCount + plan.spareCount);
      for (const ppm of plan.clockDriftPpm) expect(Math.abs(ppm)).toBeLessThanOrEqual(1_000);
      const { network, disk, workload, member } = plan;
      for (const range of [network.latencyUs, network.clientLatencyUs]) expectRange(range);
      for (const range of [disk.writeUs, disk.syncUs]) expectRange(range);
      expect(disk.processKillPercent).toBeLessThanOrEqual(100);
      for (const [name, size] of Object.entries(member)) {
        if (typeof size !== 'number') continue;
        // None: the leader compacts nothing by itself, and there is no quota.
        const mayBeNone = name === 'compactEveryMs' || name === 'quotaBytes';
        expect(size).toBeGreaterThanOrEqual(mayBeNone ? 0 : 1);
      }
      expect(member.catchupEntries).toBeLessThanOrEqual(Math.max(20, member.snapshotCount));
      // Election timeouts must be worth several round trips with a sync in them.
      expect(plan.electionMs * 1_000).toBeGreaterThan(2 * network.latencyUs[1]);
      expect(workload.opTimeoutMs).toBeGreaterThanOrEqual(100);
      expect(workload.keys).toBeGreaterThan(0);
      expect(Number.isInteger(workload.opTimeoutMs)).toBe(true);
    });
  });

  test('shares the operations out in full, and gives every workload a thread', () => {
    everyPlan(({ workload }) => {
      const { registerPercent, setPercent, kvPercent, concurrency } = workload;
      const percents = PARTS.map((part) => workload[part.percent]);
      expect(percents.reduce((sum, percent) => sum + percent, 0)).toBe(100);
      for (const percent of [registerPercent, setPercent, kvPercent]) {
        expect(percent).toBeGreaterThan(0);
      }
      for (const [at, threads] of shareOut(concurrency, percents).entries()) {
        expect(threads > 0).toBe(percents[at]! > 0);
      }
    });
  });

  test('asks for each feature in some seeds, and for none of them in others', () => {
    const drawn = new Map<string, number>();
    everyPlan((plan) => {
      for (const { percent } of PARTS) {
        if (plan.workload[percent] > 0) drawn.set(percent, (drawn.get(percent) ?? 0) + 1);
      }
      const extra = PARTS.slice(3).some(({ percent }) => plan.workload[percent] > 0);
      if (!extra) drawn.set('plain', (drawn.get('plain') ?? 0) + 1);
      expect(describeSimPlan(plan).includes('watch')).toBe(plan.workload.watchPercent > 0);
    });
    for (const name of [...PARTS.map(({ percent }) => percent), 'plain']) {
      expect(drawn.get(name), name).toBeGreaterThan(20);
    }
  });

  test('changes the membership in some seeds: in order, of machines there are, no copy destroyed', () => {
    const types = new Set<string>();
    everyPlan(({ changes, spareCount, memberCount, schedule, safetyMs, core }) => {
      expect(spareCount > 0).toBe(changes.length > 0);
      if (changes.length === 0) return;
      const times = changes.map(({ atMs }) => atMs);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times.at(-1)).toBeLessThan(safetyMs);
      for (const { type, node } of changes) {
        types.add(type);
        const number = Number(node.slice(1));
        expect(number).toBeLessThanOrEqual(memberCount + spareCount);
        if (type.startsWith('add')) expect(number).toBeGreaterThan(memberCount);
      }
      expect(core).toHaveLength(memberCount);
      const kinds = schedule.map(({ spec }) => spec.kind);
      expect(kinds.filter((kind) => /rot|misdirected|lying/.test(kind))).toEqual([]);
    });
    expect(types).toEqual(new Set(CHANGE_TYPES));
  });

  test('heals a quorum at the end, or all', () => {
    const sizes = new Set<string>();
    everyPlan(({ core, memberCount }) => {
      expect(new Set(core).size).toBe(core.length);
      expect(core.length * 2).toBeGreaterThan(memberCount);
      for (const name of core) expect(name).toMatch(/^n[1-7]$/);
      for (const name of core) expect(Number(name.slice(1))).toBeLessThanOrEqual(memberCount);
      sizes.add(core.length < memberCount ? 'some' : 'all');
    });
    expect(sizes).toEqual(new Set(['some', 'all']));
  });

  test('has faults of kinds that make sense, which begin and end in time', () => {
    everyPlan(({ schedule, safetyMs, memberCount }) => {
      expect(schedule.map(({ id }) => id)).toEqual(schedule.map((_, at) => at + 1));
      for (const { spec, startMs, durationMs } of schedule) {
        expect(SIM_FAULT_KINDS).toContain(spec.kind);
        if (memberCount === 1) expect(spec.kind).not.toMatch(/partition|flaky/);
        if (memberCount < 3) expect(spec.kind).not.toBe('partition-ring');
        expect(durationMs).toBeGreaterThan(0);
        expect(startMs + durationMs).toBeLessThanOrEqual(safetyMs);
      }
      for (const a of schedule) {
        for (const b of schedule) {
          const overlaps = a.id < b.id && b.startMs < a.startMs + a.durationMs;
          if (overlaps) expect(mayOverlap(a.spec.kind, b.spec.kind)).toBe(true);
        }
      }
    });
  });

  test('can be saved: it comes back equal, and is accepted', () => {
    everyPlan((plan) => {
      const saved: unknown = JSON.parse(JSON.stringify(plan));
      expect(saved).toEqual(plan);
      expect(whyNoPlan(saved)).toBeUndefined();
    });
  });

  test('is one line for people', () => {
    everyPlan((plan) => {
      const line = describeSimPlan(plan);
      expect(line).not.toContain('\n');
      expect(line).toContain(`seed ${plan.seed}, ${plan.memberCount} members`);
      expect(line).toContain(`${plan.schedule.length} faults: `);
    });
  });
});

describe('the seed', () => {
  test('decides the plan, and nothing else does', () => {
    fc.assert(
      fc.property(seeds, seeds, (one, other) => {
        expect(drawSimPlan(one, CODE)).toEqual(drawSimPlan(one, CODE));
        fc.pre(one !== other);
        const [a, b] = [drawSimPlan(one, CODE), drawSimPlan(other, CODE)];
        expect({ ...a, seed: 0 }).not.toEqual({ ...b, seed: 0 });
      }),
      { seed: 1 },
    );
  });

  test('brings up every size of cluster and every kind of fault', () => {
    const plans = Array.from({ length: 300 }, (_, seed) => drawSimPlan(seed, CODE));
    const counts = new Set(plans.map((plan) => plan.memberCount));
    expect([...counts].toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const kinds = new Set(plans.flatMap((plan) => plan.schedule.map(({ spec }) => spec.kind)));
    expect([...kinds].toSorted()).toEqual([...SIM_FAULT_KINDS].toSorted());
    expect(plans.filter((plan) => plan.network.encodes).length).toBeGreaterThan(30);
    // Hardly a run without faults.
    expect(plans.filter((plan) => plan.schedule.length === 0).length).toBeLessThan(6);
  });
});

describe('what a user chooses', () => {
  const choices = fc.record(
    {
      memberCount: fc.integer({ min: 3, max: 7 }),
      safetyMs: fc.integer({ min: 1_000, max: 60_000 }),
      faults: fc.subarray([...FAULT_KINDS]),
    },
    { requiredKeys: [] },
  );

  test('is respected', () => {
    fc.assert(
      fc.property(seeds, choices, (seed, chosen) => {
        const plan = drawSimPlan(seed, CODE, chosen);
        const drawn = drawSimPlan(seed, CODE);
        expect(plan.memberCount).toBe(chosen.memberCount ?? drawn.memberCount);
        expect(plan.safetyMs).toBe(chosen.safetyMs ?? drawn.safetyMs);
        const kinds = plan.schedule.map(({ spec }) => spec.kind);
        for (const kind of kinds) expect(chosen.faults ?? SIM_FAULT_KINDS).toContain(kind);
        if (chosen.faults?.length === 0) expect(kinds).toEqual([]);
        // Nothing else moves.
        expect(plan.network).toEqual(drawn.network);
        expect(plan.disk).toEqual(drawn.disk);
        expect(plan.member).toEqual(drawn.member);
        expect(plan.electionMs).toBe(drawn.electionMs);
        expect(plan.workload).toEqual(drawn.workload);
      }),
      { seed: 1 },
    );
  });

  test('may be any fault on any number of members', () => {
    for (const kind of FAULT_KINDS) {
      for (const memberCount of [1, 2, 3]) {
        const plan = drawSimPlan(1, CODE, { memberCount, faults: [kind] });
        expect(plan.schedule.length).toBeGreaterThan(0);
        expect(whyNoPlan(plan)).toBeUndefined();
      }
    }
  });
});

describe('threads', () => {
  test('are shared out in full, in proportion, and to everyone if there are enough', () => {
    const percents = fc
      .tuple(fc.nat(100), fc.nat(100))
      .map(([a, b]) => [Math.min(a, b), Math.abs(a - b), 100 - Math.max(a, b)]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 64 }), percents, (threads, shares) => {
        const given = shareOut(threads, shares);
        expect(given.reduce((sum, share) => sum + share, 0)).toBe(threads);
        given.forEach((share, at) => {
          expect(share).toBeGreaterThanOrEqual(0);
          if (shares[at] === 0) expect(share).toBe(0);
          else if (threads >= 3) expect(share).toBeGreaterThan(0);
          expect(Math.abs(share - (threads * shares[at]!) / 100)).toBeLessThan(3);
        });
      }),
      { seed: 1, numRuns: 500 },
    );
  });
});
