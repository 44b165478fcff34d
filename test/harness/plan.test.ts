import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CapabilityReport } from '../../harness/cluster/cluster.ts';
import { runAgainCommand } from '../../harness/command-line.ts';
import {
  DEFAULT_FAULT_KINDS,
  FAULT_KINDS,
  familyOf,
  mayOverlap,
  SIM_FAULT_KINDS,
} from '../../harness/nemesis/packages.ts';
import type { PlannedFault } from '../../harness/nemesis/schedule.ts';
import { parseRunRequest, type RawRunOptions } from '../../harness/options.ts';
import { describePlan, makePlan, nodeNames, type Plan } from '../../harness/plan.ts';
import { SEED_BOUND } from '../../harness/seeded-random.ts';
import { ALL_CAPABILITIES } from './fake-cluster.ts';

/** The real command line, with a server copy that exists: any `--target` would do. */
const TARGET = `etcd:${process.execPath}`;

function planOf(
  raw: RawRunOptions,
  capabilities: readonly CapabilityReport[] = ALL_CAPABILITIES,
): Plan {
  const { options } = parseRunRequest({ target: TARGET, ...raw }, () => 4);
  return makePlan(options, 'process', capabilities);
}

const seeds = fc.integer({ min: 0, max: SEED_BOUND - 1 }).map(String);
const parameters = { seed: 1, numRuns: 300 };

function endMs(fault: PlannedFault): number {
  return fault.startMs + fault.durationMs;
}

describe('plan', () => {
  test('same seed, same plan; the plan survives JSON', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const plan = planOf({ seed });
        expect(planOf({ seed })).toEqual(plan);
        expect(JSON.parse(JSON.stringify(plan))).toEqual(plan);
      }),
      parameters,
    );
    expect(planOf({ seed: '1' }).schedule).not.toEqual(planOf({ seed: '2' }).schedule);
  });

  test('by default every kind comes, at least eight faults, all within the storm', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const { schedule, timeLimitMs } = planOf({ seed });
        expect(new Set(schedule.map((fault) => fault.spec.kind))).toEqual(
          new Set(DEFAULT_FAULT_KINDS),
        );
        expect(schedule.length).toBeGreaterThanOrEqual(8);
        expect(schedule.map((fault) => fault.id)).toEqual(schedule.map((_, at) => at + 1));
        for (const fault of schedule) {
          expect(fault.startMs).toBeGreaterThanOrEqual(2_000);
          expect(endMs(fault)).toBeLessThanOrEqual(timeLimitMs - 2_000);
          expect(fault.durationMs).toBeGreaterThan(0);
        }
      }),
      parameters,
    );
  });

  test('what a seed means stays as it is', () => {
    const { schedule } = planOf({ seed: '7' });
    const faults = schedule.map(
      ({ spec, startMs, durationMs }) => `${spec.kind} ${startMs} ${durationMs}`,
    );
    expect(faults).toEqual([
      'partition-halves 2180 1980',
      'kill 2792 1260',
      'pause 5744 2304',
      'partition-one-way 9200 2520',
      'slow-disk 13052 2124',
      'kill-all 16688 612',
      'partition-leader 20072 2484',
      'kill-all 23780 432',
      'partition-one 27308 2196',
      'partition-ring 30872 2376',
      'partition-ring 34544 2088',
    ]);
  });

  test('with many kinds, each comes once before any comes again, and none beside its like', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 5, max: 120 }), (seed, seconds) => {
        const faults = SIM_FAULT_KINDS.join(',');
        const { schedule } = planOf({ seed, faults, timeLimit: String(seconds) });
        expect(schedule.length).toBeGreaterThan(0);
        const kinds = schedule.map(({ spec }) => spec.kind).filter((kind) => kind !== 'kill-all');
        if (kinds.length < SIM_FAULT_KINDS.length) expect(new Set(kinds).size).toBe(kinds.length);
        if (seconds >= 80) expect(new Set(kinds).size).toBe(SIM_FAULT_KINDS.length - 1);
        for (const [at, fault] of schedule.entries()) {
          expect(fault.durationMs).toBeGreaterThan(0);
          const next = schedule[at + 1];
          if (next === undefined || next.startMs >= endMs(fault)) continue;
          expect(mayOverlap(fault.spec.kind, next.spec.kind)).toBe(true);
        }
      }),
      parameters,
    );
  });

  test('every kind is drawn within its limits', () => {
    fc.assert(
      fc.property(seeds, (seed) => {
        const raw = { seed, faults: FAULT_KINDS.join(','), timeLimit: '120' };
        for (const { spec } of planOf(raw).schedule) {
          if (spec.kind === 'flaky-links') {
            const { lossPercent, duplicatePercent, delayMs } = spec;
            expect(lossPercent + duplicatePercent + delayMs).toBeGreaterThan(0);
            expect(lossPercent).toBeLessThanOrEqual(30);
            expect(duplicatePercent).toBeLessThanOrEqual(20);
            expect(delayMs).toBeLessThanOrEqual(400);
          }
          if (spec.kind === 'disk-error' && spec.code === 'ENOSPC') {
            expect(spec.operation).toBe('write');
          }
          if (spec.kind === 'clock-skew') {
            expect(spec.driftPercent).toBeGreaterThanOrEqual(-50);
            expect(spec.driftPercent).toBeLessThanOrEqual(100);
            expect(Math.abs(spec.driftPercent)).toBeGreaterThanOrEqual(5);
            expect(Math.abs(spec.jumpMs)).toBeLessThanOrEqual(3_600_000);
          }
          if (spec.kind === 'slow-process') {
            expect(spec.delayMs).toBeGreaterThanOrEqual(5);
            expect(spec.delayMs).toBeLessThanOrEqual(300);
          }
        }
      }),
      parameters,
    );
  });

  test('at most two faults at a time, of different families', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 5, max: 120 }), (seed, seconds) => {
        const { schedule } = planOf({ seed, timeLimit: String(seconds) });
        for (const fault of schedule) {
          const others = schedule.filter(
            (other) =>
              other !== fault && other.startMs <= fault.startMs && endMs(other) > fault.startMs,
          );
          expect(others.length).toBeLessThanOrEqual(1);
          for (const other of others) {
            expect(familyOf(other.spec.kind)).not.toBe(familyOf(fault.spec.kind));
          }
        }
      }),
      parameters,
    );
  });

  test('targets are nodes of the cluster or the leader, sides are minorities', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 3, max: 7 }), (seed, members) => {
        const nodes = nodeNames(members);
        for (const { spec } of planOf({ seed, members: String(members) }).schedule) {
          if ('node' in spec) expect([...nodes, 'leader']).toContain(spec.node);
          if ('nodes' in spec) expect(nodes).toEqual(expect.arrayContaining([...spec.nodes]));
          if ('order' in spec) expect([...spec.order].sort()).toEqual([...nodes].sort());
          if ('minority' in spec) expect(spec.minority.length).toBeLessThan(members / 2);
          if ('delayMs' in spec) {
            expect(spec.delayMs).toBeGreaterThanOrEqual(20);
            expect(spec.delayMs).toBeLessThanOrEqual(300);
          }
        }
      }),
      parameters,
    );
  });

  test('what the backend cannot do is left out and said', () => {
    const capabilities = ALL_CAPABILITIES.map((report) =>
      report.capability === 'slow-disk'
        ? { ...report, available: false, detail: 'no /dev/fuse' }
        : report,
    );
    const plan = planOf({ seed: '3' }, capabilities);
    expect(plan.missingFaults).toEqual([{ kind: 'slow-disk', detail: 'no /dev/fuse' }]);
    expect(plan.schedule.some((fault) => fault.spec.kind === 'slow-disk')).toBe(false);
    expect(describePlan(plan)).toContain('not possible here: slow-disk');
  });

  test('one member has no links to cut', () => {
    const plan = planOf({ members: '1', faults: 'kill,partition-one' });
    expect(plan.missingFaults).toEqual([{ kind: 'partition-one', detail: 'needs 2 members' }]);
  });

  test('no faults is a plan too', () => {
    expect(planOf({ faults: 'none' }).schedule).toEqual([]);
  });

  test('the command to run again names what differs from the defaults', () => {
    const plan = planOf({ seed: '12', faults: 'kill,pause', timeLimit: '20', require: ['kill'] });
    expect(runAgainCommand(plan)).toBe(
      `npm run storm -- run --seed 12 --cluster process --time-limit 20 --faults kill,pause` +
        ` --require kill --target ${TARGET}`,
    );
    expect(runAgainCommand(planOf({ seed: '4' }))).toBe(
      `npm run storm -- run --seed 4 --cluster process --target ${TARGET}`,
    );
  });
});
