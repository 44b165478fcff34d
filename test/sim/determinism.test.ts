import { describe, expect, test } from 'vitest';
import { FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { simulate } from '../../harness/sim/simulate.ts';
import type { TraceEvent } from '../../harness/sim/trace.ts';
import { TraceHash } from '../../harness/sim/trace-hash.ts';
import { transcriptLine } from '../../harness/sim/transcript.ts';
import { shortPlan } from './short-plan.ts';

describe('a simulation', () => {
  test.each(FAULT_KINDS)(
    'with %s is the same again, and another with another seed',
    async (kind) => {
      const plan = shortPlan({ faults: [kind], seed: 7 });
      expect(plan.schedule.length).toBeGreaterThan(0);
      const [one, two] = [await simulate(plan), await simulate(plan)];
      expect(two).toEqual(one);
      expect(one.history.length).toBeGreaterThan(50);
      // A disk that lies breaks what Raft rests on; everything else it must bear.
      if (kind !== 'lying-disk') {
        expect(one.failure).toBeUndefined();
        expect(one.faults.map((fault) => fault.kind)).toContain(kind);
      }
      const other = await simulate({ ...plan, seed: 8 });
      expect(other.traceHash).not.toBe(one.traceHash);
    },
  );

  test('is the same with a tracer, which is told everything in order', async () => {
    const plan = shortPlan({ faults: ['kill', 'flaky-links', 'disk-error'], safetyMs: 3_000 });
    const events: TraceEvent[] = [];
    const untold = await simulate(plan);
    const told = await simulate(plan, { tracer: { trace: (event) => events.push(event) } });
    expect(told).toEqual(untold);
    const times = events.map((event) => event.atNs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const types = ['member', 'message', 'fact', 'disk', 'fault', 'op'];
    expect([...new Set(events.map((event) => event.type))].toSorted()).toEqual(types.toSorted());
    const ops = events.filter((event) => event.type === 'op');
    expect(ops.length).toBe(told.history.filter((op) => op.process !== 'nemesis').length);
    for (const event of events) expect(transcriptLine(event)).toMatch(/^ *\d+\.\d{6} \S.*$/);
  });

  test('depends on everything in its plan', async () => {
    const plan = shortPlan({ safetyMs: 2_000 });
    const hashes = [
      await simulate(plan),
      await simulate({ ...plan, network: { ...plan.network, latencyUs: [100, 501] } }),
      await simulate({ ...plan, disk: { ...plan.disk, syncUs: [300, 901] } }),
      await simulate({ ...plan, clockDriftPpm: [0, 0, 1_000] }),
      await simulate({ ...plan, safetyMs: 2_001 }),
    ].map((outcome) => outcome.traceHash);
    expect(new Set(hashes).size).toBe(hashes.length);
  });

  test('is the same when messages pass through the codec', async () => {
    const plan = shortPlan({ safetyMs: 2_000 });
    const encoded = await simulate({ ...plan, network: { ...plan.network, encodes: true } });
    expect(encoded.traceHash).toBe((await simulate(plan)).traceHash);
  });
});

describe('the hash of a trace', () => {
  function hashOf(feed: (hash: TraceHash) => void): string {
    const hash = new TraceHash();
    feed(hash);
    return hash.digest();
  }

  test('tells order, borders between texts, and numbers of any size apart', () => {
    const digests = [
      hashOf(() => undefined),
      hashOf((hash) => hash.number(0)),
      hashOf((hash) => hash.number(1)),
      hashOf((hash) => hash.number(2 ** 32)),
      hashOf((hash) => hash.number(2 ** 33)),
      hashOf((hash) => hash.number(-1)),
      hashOf((hash) => hash.text('')),
      hashOf((hash) => hash.text('ab')),
      hashOf((hash) => hash.text('ba')),
      hashOf((hash) => {
        hash.text('a');
        hash.text('b');
      }),
      hashOf((hash) => {
        hash.text('b');
        hash.text('a');
      }),
      hashOf((hash) => hash.bytes(Uint8Array.of(97))),
      hashOf((hash) => hash.bytes(Uint8Array.of(97, 0))),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    for (const digest of digests) expect(digest).toMatch(/^[0-9a-f]{16}$/);
    expect(hashOf((hash) => hash.text('ab'))).toBe(digests[7]);
  });
});
