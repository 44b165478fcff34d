/** Faults that only the simulator does so far, and members that a fault costs for good. */
import { describe, expect, test } from 'vitest';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import { settleDamagedStart } from '../../harness/nemesis/give-up.ts';
import { describeRecovery, recover } from '../../harness/recovery.ts';
import { sleep } from '../../harness/timing.ts';
import { FakeCluster, type FakeFlaws } from './fake-cluster.ts';
import { contextOf, inTurn, type Ran, run } from './nemesis-lab.ts';
import { VirtualClock } from './virtual-clock.ts';

const FLAKY: FaultSpec = {
  kind: 'flaky-links',
  lossPercent: 10,
  duplicatePercent: 0,
  delayMs: 50,
  reorders: true,
};
const STALL: FaultSpec = { kind: 'disk-stall', node: 'leader' };
const WRITE_ERROR: FaultSpec = {
  kind: 'disk-error',
  node: 'n1',
  operation: 'write',
  code: 'ENOSPC',
};
const BIT_ROT: FaultSpec = { kind: 'bit-rot', node: 'n3' };
const MISDIRECTED: FaultSpec = { kind: 'misdirected-write', node: 'n3' };
const LIE: FaultSpec = { kind: 'lying-disk', node: 'n1' };
const SKEW: FaultSpec = { kind: 'clock-skew', node: 'n1', driftPercent: 50, jumpMs: -60_000 };
const SLOW: FaultSpec = { kind: 'slow-process', node: 'n1', delayMs: 100 };

const never = new AbortController().signal;

async function one(spec: FaultSpec, flaws: FakeFlaws = {}): Promise<Ran> {
  return run(inTurn([spec]), { flaws });
}

describe('faults of the simulator', () => {
  test.each<[FaultSpec, string, string]>([
    [
      FLAKY,
      'messages between members: 10 % lost, up to 50 ms late, in any order',
      'messages: 2 lost, 2 delayed',
    ],
    [STALL, 'all disk operations of leader n2 hang', '1 disk operations of n2 hung'],
    [WRITE_ERROR, 'every write of n1 fails with ENOSPC', '1 refused (write); n1 has stopped'],
    [
      BIT_ROT,
      'kill -9 n3, bit-rot in its log, start it',
      'n3 refused to start on a damaged log (record 3)',
    ],
    [
      MISDIRECTED,
      'kill -9 n3, misdirected-write in its log, start it',
      'n3 refused to start on a damaged log (record 3)',
    ],
    [LIE, 'syncs of n1 keep nothing, then its power fails', '1 syncs of n1 kept nothing'],
    [
      SKEW,
      'clock of n1 50 % faster, 60000 ms back',
      // Probed 400 ms before the end of its second.
      'wall clock jumped -60000 of -60000 ms, drifted 300 of 300 ms',
    ],
    [SLOW, 'all that n1 does starts up to 100 ms late', 'Status after 50.0 ms, before 0.0 ms'],
  ])('%o is proven and healed', async (spec, description, observation) => {
    const { cluster, context, records } = await one(spec);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ effect: 'observed', description, observation });
    expect(cluster.isWhole).toBe(true);
    expect(context.diedAlone).toEqual(new Set());
  });

  test.each<[FakeFlaws, FaultSpec, string]>([
    [{ flakyLinksDoNothing: true }, FLAKY, 'messages: 0 lost, 0 delayed'],
    [{ diskFaultDoesNothing: true }, STALL, '0 disk operations of n2 hung'],
    [{ diskFaultDoesNothing: true }, WRITE_ERROR, '0 refused (write); n1 still runs'],
    [{ diskFaultDoesNothing: true }, LIE, '0 syncs of n1 kept nothing'],
    [{ damageIsForbidden: true }, BIT_ROT, 'not damaged: no copy can be spared, or there is none'],
    [
      { onDamage: 'starts' },
      MISDIRECTED,
      'n3 started and serves: the damage (record 3) went unnoticed',
    ],
    [{ onDamage: 'is silent' }, BIT_ROT, 'n3 runs and answers no Status (record 3)'],
    [{ clockDoesOnly: 'nothing' }, SKEW, 'wall clock jumped 0 of -60000 ms, drifted 0 of 300 ms'],
    [{ clockDoesOnly: 'jump' }, SKEW, 'wall clock jumped -60000 of -60000 ms, drifted 0 of 300 ms'],
    [{ clockDoesOnly: 'drift' }, SKEW, 'wall clock jumped 0 of -60000 ms, drifted 300 of 300 ms'],
    [{ slownessDoesNothing: true }, SLOW, 'Status after 0.0 ms, before 0.0 ms'],
    [{ silent: ['n1'] }, SLOW, 'n1 did not answer before either'],
    [{ refuses: ['kill'] }, BIT_ROT, 'inject failed: kill refused'],
    [
      { clockDoesOnly: 'nothing' },
      // The parts cancel out: the sum alone would look right.
      { kind: 'clock-skew', node: 'n1', driftPercent: 50, jumpMs: -300 },
      'wall clock jumped 0 of -300 ms, drifted 0 of 300 ms',
    ],
  ])('%o: no effect is seen of %o', async (flaws, spec, observation) => {
    const { cluster, context, records } = await one(spec, flaws);
    expect(records[0]).toMatchObject({ effect: 'no-effect', observation });
    expect(cluster.isWhole).toBe(true);
    expect(context.givenUp).toEqual(new Set());
    expect(context.diedAlone).toEqual(new Set());
  });

  test.each([WRITE_ERROR, BIT_ROT, LIE, SLOW])(
    '%o does not hide that a member had died alone',
    async (spec) => {
      const cluster = new FakeCluster();
      const node = 'node' in spec ? spec.node : '';
      cluster.dead.add(node);
      const { context, records } = await run(inTurn([spec]), { cluster });
      expect(records[0]).toMatchObject({
        effect: 'no-effect',
        observation: `${node} had died alone before`,
      });
      expect(cluster.damaged).toEqual(new Set());
      const recovery = await recover(context, 30_000, never);
      expect(recovery).toMatchObject({ diedAlone: [node], givenUp: [], unreadable: [] });
      expect(cluster.isWhole).toBe(true);
    },
  );

  test('a member with a disk that fails is started again once it has stopped', async () => {
    // Late: shortly after the heal, when the next fault would find it dead.
    const { cluster, context } = await one(WRITE_ERROR, { onDiskError: 'stops late' });
    expect(cluster.calls).toEqual(['disk n1 error', 'disk n1 none', 'start n1']);
    expect(cluster.isWhole).toBe(true);
    expect(context.diedAlone).toEqual(new Set());
  });

  test('a member that goes on after a refused write is left alone, and the words say so', async () => {
    const { cluster, records } = await one(WRITE_ERROR, { onDiskError: 'goes on' });
    expect(records[0]!.observation).toBe('1 refused (write); n1 still runs');
    expect(cluster.calls).toEqual(['disk n1 error', 'disk n1 none']);
  });

  test('one that goes on over refused syncs is killed while they are refused', async () => {
    const spec = { ...WRITE_ERROR, operation: 'sync' } as const;
    const { cluster } = await one(spec, { onDiskError: 'goes on' });
    expect(cluster.calls).toEqual(['disk n1 error', 'kill n1', 'disk n1 none', 'start n1']);
  });

  test('the power fails while the disk still lies', async () => {
    const { cluster } = await one(LIE);
    expect(cluster.calls).toEqual(['disk n1 lie', 'kill n1', 'disk n1 none', 'start n1']);
  });

  test('an abort heals them too', async () => {
    for (const spec of [FLAKY, STALL, WRITE_ERROR, BIT_ROT, LIE, SKEW, SLOW]) {
      const clock = new VirtualClock();
      const aborting = new AbortController();
      const running = run(inTurn([spec]), { signal: aborting.signal, clock });
      await sleep(clock, 1_100);
      aborting.abort();
      const { cluster, context, records } = await running;
      expect(records).toHaveLength(1);
      expect(cluster.isWhole).toBe(true);
      expect(context.diedAlone).toEqual(new Set());
    }
  });

  test('a fault that excludes a second family waits for its faults', async () => {
    const stall = { id: 1, startMs: 1_000, durationMs: 1_000, spec: STALL };
    const error = { id: 2, startMs: 1_100, durationMs: 1_000, spec: WRITE_ERROR };
    const kill = { ...error, id: 3, startMs: 1_200, spec: { kind: 'kill', node: 'n1' } as const };
    const { records } = await run([stall, error, kill]);
    expect(records.map(({ effect }) => effect)).toEqual(['observed', 'observed', 'observed']);
    expect(records[1]!.injectStartNs).toBeGreaterThanOrEqual(records[0]!.healEndNs);
    expect(records[2]!.injectStartNs).toBeGreaterThanOrEqual(records[1]!.healEndNs);
  });
});

describe('a member given up', () => {
  /** Of three members n3 refuses to start, then comes what `specs` say. */
  async function without(specs: readonly FaultSpec[], flaws: FakeFlaws = {}): Promise<Ran> {
    const ran = await run(inTurn([BIT_ROT, ...specs]), { flaws });
    expect([...ran.context.givenUp]).toEqual(['n3']);
    return ran;
  }

  test('is not started by kill-all, nor blamed for being dead', async () => {
    const { cluster, context, records } = await without([{ kind: 'kill-all', atOnce: true }]);
    expect(records[1]).toMatchObject({
      effect: 'observed',
      nodes: ['n1', 'n2'],
      observation: 'n1, n2 gone, Status refused',
    });
    const bitRot = ['kill n3', 'bit-rot n3', 'start n3'];
    expect(cluster.calls).toEqual([...bitRot, 'kill n1', 'kill n2', 'start n1', 'start n2']);
    expect(context.diedAlone).toEqual(new Set());
  });

  test('is not a target any more', async () => {
    const { cluster, records } = await without([
      { kind: 'kill', node: 'n3' },
      { kind: 'partition-one', node: 'n3' },
      { kind: 'partition-halves', minority: ['n3'] },
      { kind: 'slow-disk', nodes: ['n3'], delayMs: 50 },
      { kind: 'slow-disk', nodes: ['n1', 'n2', 'n3'], delayMs: 50 },
      MISDIRECTED,
    ]);
    expect(records.slice(1).map(({ nodes, effect }) => [nodes, effect])).toEqual([
      [['n1'], 'observed'],
      [['n1'], 'observed'],
      [['n1'], 'observed'],
      [['n1'], 'observed'],
      [['n1', 'n2'], 'observed'],
      // The fake allows one damaged log of three.
      [['n1'], 'no-effect'],
    ]);
    expect(records[1]!.description).toBe('kill -9 n1 (n3 was given up)');
    expect(cluster.isWhole).toBe(true);
  });

  test('does not stand in for a leader', async () => {
    const cluster = new FakeCluster();
    cluster.leader = 'nobody';
    const rotten = { kind: 'bit-rot', node: 'n1' } as const;
    const { records } = await run(inTurn([rotten, STALL]), { cluster });
    expect(records[1]!.description).toBe('all disk operations of n2 (nobody led) hang');
  });

  test('is not waited for, and the recovery says so', async () => {
    const { cluster, context } = await without([]);
    cluster.dead.add('n1');
    const recovery = await recover(context, 30_000, never);
    expect(recovery).toMatchObject({ diedAlone: ['n1'], givenUp: ['n3'], unreadable: [] });
    expect(describeRecovery(recovery)).toBe(
      `every member but n3 answers linearizable reads after ${recovery.tookMs} ms;` +
        ' n1 had died alone',
    );
    expect(cluster.calls).toEqual(['kill n3', 'bit-rot n3', 'start n3', 'start n1']);
  });

  test('may take a moment to refuse', async () => {
    const { records } = await without([], { onDamage: 'refuses late' });
    expect(records[0]).toMatchObject({ effect: 'observed' });
  });

  test('is known also when the storm is broken off before it refuses', async () => {
    const clock = new VirtualClock();
    const cluster = new FakeCluster({ onDamage: 'refuses late' });
    const aborting = new AbortController();
    const running = run(inTurn([BIT_ROT]), { signal: aborting.signal, clock, cluster });
    await sleep(clock, 1_001);
    aborting.abort();
    const { context } = await running;
    expect([...context.givenUp]).toEqual(['n3']);
  });

  test('there is none when no majority would be left', async () => {
    const cluster = new FakeCluster();
    const context = contextOf(cluster);
    for (const node of ['n3', 'n1']) {
      cluster.dead.add(node);
      cluster.damaged.add(node);
      expect(await settleDamagedStart(context, node)).toBe('refused');
    }
    expect([...context.givenUp]).toEqual(['n3']);
    const recovery = await recover(context, 30_000, never);
    expect(recovery).toMatchObject({ diedAlone: ['n1'], givenUp: ['n3'], unreadable: ['n1'] });
  });
});
