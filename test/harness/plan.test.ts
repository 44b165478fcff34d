import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CapabilityReport } from '../../harness/cluster/cluster.ts';
import { runAgainCommand } from '../../harness/command-line.ts';
import { FAULT_KINDS, familyOf } from '../../harness/nemesis/packages.ts';
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
        expect(new Set(schedule.map((fault) => fault.spec.kind))).toEqual(new Set(FAULT_KINDS));
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
