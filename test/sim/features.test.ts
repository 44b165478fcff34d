/** Each feature in a run of its own: it happens, nothing is wrong with it, and it repeats. */
import { describe, expect, test } from 'vitest';
import type { SimPlan, SimWorkloadOptions } from '../../harness/sim/plan.ts';
import { simulate } from '../../harness/sim/simulate.ts';
import { SimWorld } from '../../harness/sim/world.ts';
import { type ShortPlanOptions, shortPlan } from './short-plan.ts';

function planWith(shares: Partial<SimWorkloadOptions>, more: ShortPlanOptions = {}): SimPlan {
  const plan = shortPlan({ safetyMs: 6_000, faults: ['kill', 'partition-one'], ...more });
  const others = Object.values(shares).reduce((sum, share) => sum + Number(share), 0);
  const workload = {
    ...plan.workload,
    concurrency: 10,
    ratePerSecond: 120,
    registerPercent: 20,
    setPercent: 10,
    kvPercent: 70 - others,
    ...shares,
  };
  return { ...plan, workload };
}

async function countOk(plan: SimPlan): Promise<(f: string) => number> {
  const outcome = await simulate(plan);
  expect(outcome.failure).toBeUndefined();
  expect(outcome.checks.map(({ validity }) => validity)).not.toContain('invalid');
  return (f) => outcome.history.filter((op) => op.f === f && op.type === 'ok').length;
}

describe('a simulation', () => {
  test('grants leases, keeps them alive, and sees them end', async () => {
    const ok = await countOk(planWith({ leasePercent: 40 }));
    for (const f of ['lease-grant', 'lease-put', 'lease-keep-alive', 'lease-read', 'lease-look']) {
      expect(ok(f)).toBeGreaterThan(0);
    }
  });

  test('locks and unlocks', async () => {
    const ok = await countOk(planWith({ lockPercent: 40 }));
    const fs = ['lock', 'lock-again', 'lock-work', 'unlock', 'lock-relay'];
    for (const f of fs) expect(ok(f), f).toBeGreaterThan(0);
  });

  test('elects leaders, who say something and resign', async () => {
    const ok = await countOk(planWith({ electionPercent: 40 }));
    const fs = ['campaign', 'proclaim', 'election-leader', 'election-observe', 'resign'];
    for (const f of fs) expect(ok(f), f).toBeGreaterThan(0);
  });

  test('watches what is written', async () => {
    const outcome = await simulate(planWith({ watchPercent: 30 }));
    expect(outcome.failure).toBeUndefined();
    const check = outcome.checks.find(({ name }) => name === 'watch');
    expect(check?.validity).toBe('valid');
    expect(check?.details.events).toBeGreaterThan(50);
  });

  test('watches from where it compacts, a little at a time', async () => {
    const plan = planWith({ watchPercent: 30, upkeepPercent: 5 });
    const tight = { watchRowsMax: 4, watchProgressMs: 100, watchUntakenMax: 1 };
    const ok = await countOk({ ...plan, member: { ...plan.member, ...tight } });
    for (const f of ['watch-compact', 'watch-progress', 'watch-read']) {
      expect(ok(f), f).toBeGreaterThan(0);
    }
  });

  test('does long work in small pieces', async () => {
    const plan = planWith({ upkeepPercent: 20 });
    const small = { checkpointChunkBytes: 4_096, rangeKeysPerTurn: 2, pauseUs: 2_000 };
    const member = { ...plan.member, ...small, compactEveryMs: 500, snapshotCount: 20 };
    const ok = await countOk({ ...plan, member });
    for (const f of ['kv-range', 'compact', 'snapshot']) expect(ok(f), f).toBeGreaterThan(0);
  });

  test('loses members just when a snapshot has come', async () => {
    const plan = planWith({}, { faults: ['partition-one'], seed: 3 });
    const member = { ...plan.member, snapshotCount: 5, catchupEntries: 1 };
    const disk = { ...plan.disk, snapshotCrashPercent: 100 };
    const restarts = async (of: SimPlan): Promise<number> => {
      let starts = 0;
      const outcome = await simulate(of, {
        tracer: {
          trace: (event) => {
            if (event.type === 'fact' && event.text.startsWith('published')) starts += 1;
          },
        },
      });
      expect(outcome.failure).toBeUndefined();
      return starts;
    };
    expect(await restarts({ ...plan, member, disk })).toBeGreaterThan(
      await restarts({ ...plan, member }),
    );
  });

  test('compacts, by hand and by itself', async () => {
    const plan = planWith({ upkeepPercent: 20 });
    const member = { ...plan.member, compactEveryMs: 500, snapshotCount: 20 };
    const ok = await countOk({ ...plan, member });
    for (const f of ['compact', 'hash-kv', 'snapshot']) expect(ok(f)).toBeGreaterThan(0);
  });

  test('asks users who they are', async () => {
    const outcome = await simulate(planWith({ authPercent: 40 }));
    expect(outcome.failure).toBeUndefined();
    const of = (f: string, error: string): number =>
      outcome.history.filter((op) => op.f === f && (op.error ?? '').includes(error)).length;
    expect(outcome.history.some(({ f, type }) => f === 'auth-put' && type === 'ok')).toBe(true);
    expect(of('auth-put', 'permission denied')).toBeGreaterThan(0);
    for (const f of ['auth-delete', 'auth-read', 'auth-txn', 'auth-lease', 'auth-watch']) {
      const isDone = outcome.history.some((op) => op.f === f && op.type === 'ok');
      expect(isDone, f).toBe(true);
    }
    expect(of('auth-txn', 'permission denied')).toBeGreaterThan(0);
  });

  test('runs out of space, and makes room', async () => {
    const plan = planWith({ alarmPercent: 40 });
    const member = { ...plan.member, quotaBytes: 64_000 };
    const outcome = await simulate({ ...plan, member });
    expect(outcome.failure).toBeUndefined();
    const count = (f: string, words: string): number =>
      outcome.history.filter((op) => op.f === f && JSON.stringify(op).includes(words)).length;
    expect(count('alarm', '"action":"activate","member"')).toBeGreaterThan(0);
    expect(count('alarm-put', 'database space exceeded')).toBeGreaterThan(0);
    for (const f of ['alarm', 'alarm-put', 'alarm-delete', 'alarm-txn', 'alarm-room']) {
      expect(count(f, '"type":"ok"'), f).toBeGreaterThan(0);
    }
  });

  test('says that space is short when nobody put the alarm on', async () => {
    const plan = planWith({});
    const outcome = await simulate({ ...plan, member: { ...plan.member, quotaBytes: 58_000 } });
    // The last writes are refused: progress is an alarm that all know of, and deletions.
    expect(outcome.failure).toBeUndefined();
    const refused = outcome.history.filter((op) => op.error?.includes('database space exceeded'));
    expect(refused.length).toBeGreaterThan(0);
  });

  test('does the same again, with everything at once', async () => {
    const plan = planWith(
      { leasePercent: 10, lockPercent: 10, watchPercent: 10, upkeepPercent: 5, authPercent: 5 },
      { spareCount: 1, changes: [{ atMs: 500, type: 'add', node: 'n4' }] },
    );
    const [first, second] = [await simulate(plan), await simulate(plan)];
    expect(first.failure).toBeUndefined();
    expect(second.traceHash).toBe(first.traceHash);
    expect(second.history).toEqual(first.history);
  });
});

describe('changes of the membership', () => {
  async function factsOf(plan: SimPlan): Promise<string[]> {
    const facts: string[] = [];
    const outcome = await simulate(plan, {
      tracer: {
        trace: (event) => {
          if (event.type === 'fact') facts.push(`${event.node} ${event.text}`);
        },
      },
    });
    expect(outcome.failure).toBeUndefined();
    return facts;
  }

  test('a learner joins, is promoted, and another member leaves', async () => {
    const facts = await factsOf(
      shortPlan({
        safetyMs: 6_000,
        spareCount: 1,
        changes: [
          { atMs: 300, type: 'add', node: 'n4' },
          { atMs: 2_000, type: 'remove', node: 'n1' },
        ],
      }),
    );
    expect(facts).toContain('administrator n4 joins as 101');
    expect(facts.some((fact) => fact.startsWith('n4 memberPromoted'))).toBe(true);
    expect(facts).toContain('n1 left the cluster');
  });

  test('a member is replaced on an empty disk while another is killed', async () => {
    const facts = await factsOf(
      shortPlan({
        safetyMs: 6_000,
        faults: ['kill'],
        changes: [{ atMs: 1_000, type: 'replace', node: 'n2' }],
      }),
    );
    expect(facts.some((fact) => fact.startsWith('administrator n2 joins as'))).toBe(true);
    expect(facts.some((fact) => fact.endsWith('memberRemoved 2'))).toBe(true);
  });
});

test('nobody is to blame when the one voter that is left never heard that it is alone', async () => {
  const plan = shortPlan({
    seed: 3,
    memberCount: 2,
    heartbeatMs: 50,
    electionMs: 450,
    network: { latencyUs: [500, 500], clientLatencyUs: [50, 50], encodes: false },
    changes: [{ atMs: 5, type: 'remove', node: 'n2' }],
    schedule: [{ id: 1, startMs: 8, durationMs: 5, spec: { kind: 'kill', node: 'leader' } }],
    script: [],
  });
  const stranded = await simulate(plan);
  expect(stranded.failure).toBeUndefined();
  expect(stranded.recovery?.unreadable).toEqual(['n1']);
  // It has heard of it in time.
  const warned = await simulate({ ...plan, schedule: [] });
  expect(warned.failure).toBeUndefined();
  expect(warned.recovery?.unreadable).toEqual([]);
});

test('what was taken before the healing is waited for, an entry at a time if need be', async () => {
  const { member, workload } = shortPlan();
  const outcome = await simulate(
    shortPlan({
      seed: 674,
      safetyMs: 20_000,
      electionMs: 1_200,
      member: { ...member, maxMessageBytes: 64, maxInflightMessages: 1 },
      network: { latencyUs: [30_000, 50_000], clientLatencyUs: [20, 50], encodes: false },
      disk: { ...shortPlan().disk, syncUs: [60_000, 100_000] },
      workload: { ...workload, concurrency: 30, opTimeoutMs: 200 },
    }),
  );
  expect(outcome.failure).toBeUndefined();
});

test('a spare machine runs nothing until it joins', async () => {
  const world = new SimWorld(shortPlan({ spareCount: 1 }));
  const spare = world.cluster.node('n4');
  spare.start();
  expect(spare.life).toBeUndefined();
  spare.join(104n);
  spare.start();
  expect(spare.life).toBeDefined();
  expect(() => spare.join(105n)).toThrow('only a dead machine gets another disk');
  spare.leave();
  spare.start();
  expect(spare.life).toBeUndefined();
});
