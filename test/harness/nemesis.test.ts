import { describe, expect, test } from 'vitest';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { SIM_FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { parseRunRequest } from '../../harness/options.ts';
import { makePlan } from '../../harness/plan.ts';
import { recover } from '../../harness/recovery.ts';
import { sleep } from '../../harness/timing.ts';
import { ALL_CAPABILITIES, FakeCluster, type FakeFlaws } from './fake-cluster.ts';
import { contextOf, inTurn, run } from './nemesis-lab.ts';
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
  { kind: 'partition-shuffle', sides: [['n1'], ['n2']], stepMs: 300 },
  { kind: 'slow-disk', nodes: ['n1', 'n2'], delayMs: 50 },
];

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
    ['grudgeDoesNothing', { kind: 'partition-shuffle', sides: [['n1'], ['n2']], stepMs: 300 }],
    ['slowDiskDoesNothing', { kind: 'slow-disk', nodes: ['n1'], delayMs: 50 }],
  ])('%s: no effect is seen of %o', async (flaw, spec) => {
    const { cluster, records } = await run(inTurn([spec]), { flaws: { [flaw]: true } });
    expect(records[0]!.effect).toBe('no-effect');
    expect(cluster.isWhole).toBe(true);
  });

  test('partitions are shuffled one after the other, without a pause', async () => {
    const sides = [['n1'], ['n2', 'n3']];
    const spec = { kind: 'partition-shuffle', sides, stepMs: 300 } as const;
    const { cluster, records } = await run(inTurn([spec]));
    expect(records[0]!.observation).toMatch(/^\d partitions swallowed \d+ in all$/);
    // At once, and after 300, 600 and 900 ms of the second that it lasts.
    expect(cluster.calls.filter((call) => call === 'setGrudge')).toHaveLength(4);
    expect(cluster.isWhole).toBe(true);
  });

  test('pausing a member that was silent before proves nothing', async () => {
    const cluster = new FakeCluster({ silent: ['n1'] });
    const { records } = await run(inTurn([{ kind: 'pause', node: 'n1' }]), { cluster });
    expect(records[0]).toMatchObject({
      effect: 'no-effect',
      observation: 'n1 did not answer before either',
    });
  });

  test.each<[FaultSpec, string, string]>([
    [{ kind: 'kill', node: 'n2' }, 'no-effect', 'n2 had died alone before'],
    [
      { kind: 'kill-all', atOnce: true },
      'observed',
      'n1, n3 gone, Status refused; n2 had died alone before',
    ],
    [{ kind: 'pause', node: 'n2' }, 'no-effect', 'n2 had died alone before'],
  ])('%o does not hide that a member had died alone', async (spec, effect, observation) => {
    const cluster = new FakeCluster();
    cluster.dead.add('n2');
    const { context, records } = await run(inTurn([spec]), { cluster });
    expect(records[0]).toMatchObject({ effect, observation });
    const recovery = await recover(context, 30_000, new AbortController().signal);
    expect(recovery.diedAlone).toEqual(['n2']);
    expect(cluster.isWhole).toBe(true);
  });

  test('members that faults killed did not die alone', async () => {
    const { context } = await run(inTurn(EVERY_SPEC));
    expect(context.diedAlone.size).toBe(0);
  });

  test('a fault whose turn comes when the storm is over is not started', async () => {
    const late = inTurn([{ kind: 'kill', node: 'n1' }]);
    const both = [...late, ...late.map((fault) => ({ ...fault, id: 2 }))];
    const { cluster, records, history } = await run(both, { untilNs: 2_000e6 });
    expect(records.map(({ effect }) => effect)).toEqual(['observed', 'no-effect']);
    expect(records[1]).toMatchObject({ nodes: ['n1'], observation: 'not started in time' });
    expect(cluster.calls).toEqual(['kill n1', 'start n1']);
    expect(history).toHaveLength(4);
  });

  test('a refused injection is a fault without effect, healed all the same', async () => {
    const { cluster, records, history } = await run(inTurn(EVERY_SPEC), {
      flaws: { refuses: ['kill', 'pause', 'setGrudge'] },
    });
    const refused = records.filter((record) => record.kind !== 'slow-disk');
    for (const record of refused) {
      expect(record.effect).toBe('no-effect');
      expect(record.observation).toMatch(/^inject failed: (kill|pause|setGrudge) refused$/);
    }
    expect(history.filter((op) => JSON.stringify(op.value).includes('"healed"'))).toHaveLength(
      EVERY_SPEC.length,
    );
    expect(cluster.isWhole).toBe(true);
  });

  test('a refused heal is tried again, and in the end reported', async () => {
    const partition = inTurn([{ kind: 'partition-one', node: 'n1' }]);
    const { cluster, records } = await run(partition, { flaws: { refusedHeals: 2 } });
    expect(records[0]!.effect).toBe('observed');
    expect(cluster.isWhole).toBe(true);
    const refusing = run(partition, { flaws: { refusedHeals: 3 } });
    await expect(refusing).rejects.toThrow('heal refused');
  });

  test('an abort heals what is in place and injects nothing further', async () => {
    const clock = new VirtualClock();
    const aborting = new AbortController();
    const running = run(inTurn(EVERY_SPEC), { signal: aborting.signal, clock });
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
    for (const faults of [undefined, SIM_FAULT_KINDS.join(',')]) {
      for (const seed of ['1', '2', '3', '4', '5']) {
        const raw = { seed, faults, target: `etcd:${process.execPath}` };
        const { options } = parseRunRequest(raw, () => 0);
        const plan = makePlan(options, 'process', ALL_CAPABILITIES);
        const { cluster, context, records } = await run(plan.schedule);
        expect(records).toHaveLength(plan.schedule.length);
        expect(cluster.isWhole).toBe(true);
        expect(context.diedAlone).toEqual(new Set());
        expect(context.givenUp).toEqual(cluster.dead);
      }
    }
  });
});

describe('recovery', () => {
  const never = new AbortController().signal;

  test('dead members are started and named', async () => {
    const cluster = new FakeCluster();
    await cluster.kill('n3');
    const recovery = await recover(contextOf(cluster), 30_000, never);
    expect(recovery).toMatchObject({ diedAlone: ['n3'], unreadable: [] });
    expect(cluster.isWhole).toBe(true);
  });

  test('a member that answers no read is named when the time is up', async () => {
    const cluster = new FakeCluster({ unreadable: ['n2'] });
    const recovery = await recover(contextOf(cluster), 30_000, never);
    expect(recovery.unreadable).toEqual(['n2']);
    expect(recovery.tookMs).toBeGreaterThanOrEqual(30_000);
  });

  test('a member that dies again when it is started is not waited for', async () => {
    const cluster = new FakeCluster();
    await cluster.kill('n3');
    cluster.start = async () => undefined;
    const recovery = await recover(contextOf(cluster), 30_000, never);
    expect(recovery).toMatchObject({ diedAlone: ['n3'], unreadable: ['n3'] });
    expect(recovery.tookMs).toBeLessThan(30_000);
  });
});
