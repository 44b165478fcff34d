import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { nodeNames } from '../../harness/plan.ts';
import { whyNoPlan } from '../../harness/sim/plan-shape.ts';
import { placeThreads } from '../../harness/sim/shrink/clients.ts';
import { withMembers } from '../../harness/sim/shrink/members.ts';
import { reduceList } from '../../harness/sim/shrink/reduce-list.ts';
import { keysIn } from '../../harness/sim/shrink/size.ts';
import { withTimes } from '../../harness/sim/shrink/time.ts';
import { drawSimPlan } from '../../harness/sim/swarm.ts';
import { PARTS } from '../../harness/sim/workload.ts';
import { GENERATED, largePlan } from './shrink-fixture.ts';

describe('reduceList', () => {
  it('finds exactly what is needed', async () => {
    const lists = fc
      .uniqueArray(fc.nat(500), { maxLength: 60 })
      .chain((items) => fc.record({ items: fc.constant(items), needed: fc.subarray(items) }));
    const property = fc.asyncProperty(lists, async ({ items, needed }) => {
      const kept = await reduceList(items, async (left) =>
        needed.every((item) => left.includes(item)),
      );
      expect(kept).toEqual(needed);
    });
    await fc.assert(property, { seed: 3 });
  });

  it('asks about few lists when few items are needed', async () => {
    const items = Array.from({ length: 1_024 }, (_, at) => at);
    let asked = 0;
    await reduceList(items, async (left) => {
      asked += 1;
      return left.includes(700);
    });
    expect(asked).toBeLessThan(30);
  });

  it('leaves out no pieces below the least', async () => {
    const items = Array.from({ length: 64 }, (_, at) => at);
    const kept = await reduceList(items, async (left) => left.includes(0), 16);
    expect(kept).toHaveLength(16);
  });
});

describe('withMembers', () => {
  const counts = fc.record({ seed: fc.nat(10_000), memberCount: fc.integer({ min: 1, max: 6 }) });

  it('speaks of no member that is not there, and leaves a quorum to the core', () => {
    const property = fc.property(counts, ({ seed, memberCount }) => {
      const plan = drawSimPlan(seed, 'code', { memberCount: 7, faults: FAULT_KINDS });
      const fewer = withMembers({ ...plan, script: GENERATED }, memberCount);
      const names = nodeNames(memberCount);
      const named = JSON.stringify([fewer.schedule, fewer.core]).match(/"n\d"/g) ?? [];
      expect(named.every((name) => names.includes(JSON.parse(name)))).toBe(true);
      expect(fewer.core.length * 2).toBeGreaterThan(memberCount);
      expect(fewer.clockDriftPpm).toHaveLength(memberCount + fewer.spareCount);
      expect(whyNoPlan(fewer)).toBeUndefined();
      for (const { spec } of fewer.schedule) {
        if (spec.kind === 'partition-halves')
          expect(spec.minority.length).toBeLessThan(memberCount);
        if (spec.kind === 'partition-shuffle') {
          expect(spec.sides.every(({ length }) => length > 0 && length < memberCount)).toBe(true);
        }
        if (spec.kind === 'partition-ring') expect([...spec.order].sort()).toEqual(names);
        if (spec.kind.startsWith('partition')) expect(memberCount).toBeGreaterThan(1);
      }
    });
    fc.assert(property, { seed: 4 });
  });

  it('leaves operations of the members that stay with them', () => {
    const plan = { ...largePlan(), script: GENERATED };
    const fewer = withMembers(plan, 3);
    expect(fewer.script).toHaveLength(GENERATED.length);
    for (const [at, { thread }] of GENERATED.entries()) {
      expect(fewer.script![at]!.thread % 3).toBe((thread % 5) % 3);
    }
    // Two clients of each of five members are four of n1 and n2, and two of n3.
    const threads = new Set(fewer.script!.map(({ thread }) => thread));
    expect([...threads].sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 9, 10]);
    expect(fewer.workload.concurrency).toBe(11);
  });
});

describe('placeThreads', () => {
  it('keeps a thread for every workload that has a share', () => {
    const plan = { ...largePlan(), script: GENERATED.slice(0, 4) };
    const one = placeThreads(plan, () => ({ node: 0, client: 0 }));
    expect(one.script?.map(({ thread }) => thread)).toEqual([0, 0, 0, 0]);
    const used = PARTS.filter(({ percent }) => plan.workload[percent] > 0);
    expect(one.workload.concurrency).toBe(used.length);
  });

  it('leaves a plan without a script alone', () => {
    const plan = largePlan();
    expect(placeThreads(plan, () => ({ node: 0, client: 0 }))).toBe(plan);
  });
});

describe('withTimes', () => {
  it('keeps the order, and faults their lengths in proportion', () => {
    const plan = { ...largePlan(), script: GENERATED };
    const { script, schedule, safetyMs } = withTimes(plan, (ms) => ms / 10);
    expect(script!.map(({ atNs }) => atNs)).toEqual(GENERATED.map(({ atNs }) => atNs / 10));
    for (const [at, { startMs, durationMs }] of plan.schedule.entries()) {
      expect(schedule[at]!.startMs).toBe(Math.round(startMs / 10));
      expect(Math.abs(schedule[at]!.durationMs - durationMs / 10)).toBeLessThanOrEqual(1);
    }
    const ends = schedule.map(({ startMs, durationMs }) => startMs + durationMs);
    expect(safetyMs).toBeGreaterThan(Math.max(...ends, script!.at(-1)!.atNs / 1e6));
  });
});

describe('keysIn', () => {
  it('finds keys at any depth and elements of the set', () => {
    const nested = { op: 'txn', compare: [{ key: 'kv/a/1' }], success: [{ op: 'put', key: 'b' }] };
    expect(keysIn({ compare: [], success: [nested] })).toEqual(['kv/a/1', 'b']);
    expect(keysIn({ element: 7 })).toEqual(['set/7']);
    expect(keysIn([{ key: 'x', rangeEnd: 'y' }])).toEqual(['x']);
    expect(keysIn({})).toEqual([]);
  });
});
