import { describe, expect, test } from 'vitest';
import type { Op } from '../../checkers/history/op.ts';
import { runSchedule } from '../../harness/nemesis/compose.ts';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import type { PlannedFault } from '../../harness/nemesis/schedule.ts';
import { parseRunRequest } from '../../harness/options.ts';
import { makePlan } from '../../harness/plan.ts';
import { Recorder } from '../../harness/recorder.ts';
import { recover } from '../../harness/recovery.ts';
import { sleep } from '../../harness/timing.ts';
import type { FaultRecord } from '../../reports/run-record.ts';
import { ALL_CAPABILITIES, FakeCluster, type FakeFlaws, fakeProbe } from './fake-cluster.ts';
import { VirtualClock } from './virtual-clock.ts';

const EVERY_SPEC: readonly FaultSpec[] = [
  { kind: 'kill', node: 'n1' },
  { kind: 'kill-all', atOnce: true },
  { kind: 'pause', node: 'leader' },
  { kind: 'partition-one', node: 'n3' },
  { kind: 'partition-leader', node: 'leader' },
  { kind: 'partition-halves', minority: ['n1'] },
  { kind: 'partition-one-way', node: 'n2', drops: 'incoming' },
  { kind: 'partition-ring', order: ['n3', 'n1', 'n2'] },
  { kind: 'slow-disk', nodes: ['n1', 'n2'], delayMs: 50 },
];

function inTurn(specs: readonly FaultSpec[]): PlannedFault[] {
  return specs.map((spec, at) => ({
    id: at + 1,
    startMs: 1_000 + at * 3_000,
    durationMs: 1_000,
    spec,
  }));
}

interface Ran {
  readonly cluster: FakeCluster;
  readonly records: readonly FaultRecord[];
  readonly history: readonly Op[];
}

async function run(
  schedule: readonly PlannedFault[],
  flaws: FakeFlaws = {},
  signal: AbortSignal = new AbortController().signal,
  clock: VirtualClock = new VirtualClock(),
): Promise<Ran> {
  const cluster = new FakeCluster(flaws);
  const recorder = new Recorder(clock, () => undefined);
  const context = { cluster, probe: fakeProbe(cluster), clock };
  const records = await runSchedule({ schedule, context, recorder, signal });
  return { cluster, records, history: recorder.history };
}

describe('nemesis', () => {
  test('every fault is injected, proven and healed, and stands in the history', async () => {
    const { cluster, records, history } = await run(inTurn(EVERY_SPEC));
    expect(records.map((record) => [record.kind, record.effect])).toEqual(
      EVERY_SPEC.map((spec) => [spec.kind, 'observed']),
    );
    expect(cluster.isWhole).toBe(true);
    expect(history).toHaveLength(4 * EVERY_SPEC.length);
    for (const [at, record] of records.entries()) {
      const ops = history.slice(at * 4, at * 4 + 4);
      for (const op of ops) expect(op).toMatchObject({ process: 'nemesis', type: 'info' });
      expect(ops.map((op) => op.time)).toEqual([
        record.injectStartNs,
        record.injectEndNs,
        record.healStartNs,
        record.healEndNs,
      ]);
      expect(record.healStartNs - record.injectEndNs).toBeGreaterThanOrEqual(1_000e6);
    }
  });

  test('the leader is found when the fault is injected', async () => {
    const { cluster, records } = await run(inTurn([{ kind: 'kill', node: 'leader' }]));
    expect(records[0]).toMatchObject({ nodes: ['n2'], description: 'kill -9 leader n2' });
    expect(cluster.calls).toEqual(['kill n2', 'start n2']);
  });

  test.each<[keyof FakeFlaws, FaultSpec]>([
    ['killDoesNothing', { kind: 'kill', node: 'n1' }],
    ['killDoesNothing', { kind: 'kill-all', atOnce: true }],
    ['pauseDoesNothing', { kind: 'pause', node: 'n1' }],
    ['grudgeDoesNothing', { kind: 'partition-one', node: 'n1' }],
    ['grudgeDoesNothing', { kind: 'partition-ring', order: ['n1', 'n2', 'n3'] }],
    ['slowDiskDoesNothing', { kind: 'slow-disk', nodes: ['n1'], delayMs: 50 }],
  ])('%s: no effect is seen of %o', async (flaw, spec) => {
    const { cluster, records } = await run(inTurn([spec]), { [flaw]: true });
    expect(records[0]!.effect).toBe('no-effect');
    expect(cluster.isWhole).toBe(true);
  });

  test('pausing a member that was silent before proves nothing', async () => {
    const clock = new VirtualClock();
    const cluster = new FakeCluster();
    await cluster.kill('n1');
    const recorder = new Recorder(clock, () => undefined);
    const records = await runSchedule({
      schedule: inTurn([{ kind: 'pause', node: 'n1' }]),
      context: { cluster, probe: fakeProbe(cluster), clock },
      recorder,
      signal: new AbortController().signal,
    });
    expect(records[0]!.effect).toBe('no-effect');
  });

  test('a refused injection is a fault without effect, healed all the same', async () => {
    const { cluster, records, history } = await run(inTurn(EVERY_SPEC), {
      refuses: ['kill', 'pause', 'setGrudge'],
    });
    const refused = records.filter((record) => record.kind !== 'slow-disk');
    for (const record of refused) {
      expect(record.effect).toBe('no-effect');
      expect(record.observation).toMatch(/^inject failed: (kill|pause|setGrudge) refused$/);
    }
    expect(history.filter((op) => JSON.stringify(op.value).includes('"healed"'))).toHaveLength(9);
    expect(cluster.isWhole).toBe(true);
  });

  test('a refused heal is tried again, and in the end reported', async () => {
    const partition = inTurn([{ kind: 'partition-one', node: 'n1' }]);
    const { cluster, records } = await run(partition, { refusedHeals: 2 });
    expect(records[0]!.effect).toBe('observed');
    expect(cluster.isWhole).toBe(true);
    await expect(run(partition, { refusedHeals: 3 })).rejects.toThrow('heal refused');
  });

  test('an abort heals what is in place and injects nothing further', async () => {
    const clock = new VirtualClock();
    const aborting = new AbortController();
    const running = run(inTurn(EVERY_SPEC), {}, aborting.signal, clock);
    await sleep(clock, 1_500);
    aborting.abort();
    const { cluster, records } = await running;
    expect(records.map((record) => record.kind)).toEqual(['kill']);
    expect(records[0]!.healEndNs).toBeLessThan(2_500e6);
    expect(cluster.isWhole).toBe(true);
  });

  test('faults of one family wait for each other when the machine is behind', async () => {
    const overlapping = inTurn([
      { kind: 'partition-one', node: 'n1' },
      { kind: 'partition-one', node: 'n2' },
    ]).map((fault) => ({ ...fault, startMs: 1_000 }));
    const { records } = await run(overlapping);
    const [first, second] = [...records].sort((a, b) => a.injectStartNs - b.injectStartNs);
    expect(second!.injectStartNs).toBeGreaterThanOrEqual(first!.healEndNs);
  });

  test('whole plans leave the cluster whole', async () => {
    for (const seed of ['1', '2', '3', '4', '5']) {
      const raw = { seed, target: `etcd:${process.execPath}` };
      const { options } = parseRunRequest(raw, () => 0);
      const plan = makePlan(options, 'process', ALL_CAPABILITIES);
      const { cluster, records } = await run(plan.schedule);
      expect(records).toHaveLength(plan.schedule.length);
      expect(cluster.isWhole).toBe(true);
    }
  });
});

describe('recovery', () => {
  const never = new AbortController().signal;

  test('dead members are started and named', async () => {
    const cluster = new FakeCluster();
    await cluster.kill('n3');
    const clock = new VirtualClock();
    const recovery = await recover({ cluster, probe: fakeProbe(cluster), clock }, 30_000, never);
    expect(recovery).toMatchObject({ diedAlone: ['n3'], unreadable: [] });
    expect(cluster.isWhole).toBe(true);
  });

  test('a member that answers no read is named when the time is up', async () => {
    const cluster = new FakeCluster({ unreadable: ['n2'] });
    const clock = new VirtualClock();
    const recovery = await recover({ cluster, probe: fakeProbe(cluster), clock }, 30_000, never);
    expect(recovery.unreadable).toEqual(['n2']);
    expect(recovery.tookMs).toBeGreaterThanOrEqual(30_000);
  });
});
