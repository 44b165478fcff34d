/** The disk faults of real backends, on a cluster that remembers what was done to it. */
import { describe, expect, test } from 'vitest';
import type { FaultSpec } from '../../harness/nemesis/fault.ts';
import type { FakeFlaws } from './fake-cluster.ts';
import { inTurn, type Ran, run } from './nemesis-lab.ts';

const POWER: FaultSpec = { kind: 'power-failure', node: 'leader', keeps: 'some', seed: 3 };
const TORN: FaultSpec = { kind: 'torn-write', node: 'n1', seed: 3 };
const READ_ONLY: FaultSpec = { kind: 'read-only-disk', node: 'n3' };
const LATENCY: FaultSpec = {
  kind: 'disk-latency',
  nodes: ['n1', 'n3'],
  profile: 'hdd',
  seed: 9,
};

const ROT: FaultSpec = { kind: 'read-rot', node: 'n1', everyBytes: 4096, seed: 5 };

const one = (spec: FaultSpec, flaws: FakeFlaws = {}): Promise<Ran> =>
  run(inTurn([spec]), { flaws });

describe('disk faults', () => {
  test.each<[FaultSpec, string, string]>([
    [
      POWER,
      'power failure of leader n2; un-synced writes survive in part',
      'n2 is down, lost 700 bytes of 2 changes, 1 names undone',
    ],
    [
      TORN,
      'power failure of n1; un-synced writes survive but for the end of the last one',
      'n1 is down, lost 700 bytes of 2 changes, 1 of them torn, 1 names undone',
    ],
    [READ_ONLY, 'the disk of n3 can only be read', '1 refused (write); n3 has stopped'],
    [
      LATENCY,
      'disk of n1, n3 as slow as: hdd',
      'n1 10 delayed fsyncs, mean 200.0 ms; n3 10 delayed fsyncs, mean 200.0 ms',
    ],
    [
      ROT,
      'kill -9 n1, start it on reads with a bit in 4096 bytes flipped',
      '1 reads were rotten; n1 refused to start',
    ],
  ])('%o is proven and healed', async (spec, description, observation) => {
    const { cluster, context, records } = await one(spec);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ effect: 'observed', description, observation });
    expect(cluster.isWhole).toBe(true);
    expect(context.diedAlone).toEqual(new Set());
  });

  test.each<[FakeFlaws, FaultSpec, string]>([
    [{ powerStays: true }, TORN, 'n1 still runs or answers; lost 700'],
    [{ diskFaultDoesNothing: true }, READ_ONLY, '0 refused (write); n3 still runs'],
    [{ diskFaultDoesNothing: true }, LATENCY, 'n1 0 delayed fsyncs, mean 0.0 ms'],
    [{ diskFaultDoesNothing: true }, ROT, '0 reads were rotten; n1 refused to start'],
  ])('%o: no effect', async (flaws, spec, observation) => {
    const { cluster, records } = await one(spec, flaws);
    expect(records[0]!.effect).toBe('no-effect');
    expect(records[0]!.observation).toContain(observation);
    expect(cluster.isWhole).toBe(true);
  });

  test('the power fails while a sync is under way, and the disk is sound before the start', async () => {
    const { cluster } = await one(TORN);
    expect(cluster.calls).toEqual(['disk n1 stall', 'power n1 torn', 'disk n1 none', 'start n1']);
  });

  test('who reads rot starts again on good reads, and is not given up for having refused', async () => {
    const { cluster, context } = await one(ROT);
    const start = ['disk n1 rot', 'kill n1', 'start n1'];
    expect(cluster.calls).toEqual([...start, 'kill n1', 'disk n1 none', 'start n1']);
    expect(context.givenUp).toEqual(new Set());
  });

  test('who reads rot and serves is started again all the same', async () => {
    const { cluster, records } = await one(ROT, { onDamage: 'starts' });
    expect(records[0]!.observation).toBe('1 reads were rotten; n1 serves');
    expect(cluster.calls.filter((call) => call === 'start n1')).toHaveLength(2);
    expect(cluster.isWhole).toBe(true);
  });

  test('a member that had died alone is not blamed on the power', async () => {
    const { cluster, context, records } = await run(
      inTurn([{ kind: 'disk-error', node: 'n1', operation: 'write', code: 'EIO' }, POWER]),
      { flaws: { onDiskError: 'goes on' } },
    );
    expect(records.map(({ effect }) => effect)).toEqual(['observed', 'observed']);
    expect(context.diedAlone).toEqual(new Set());
    expect(cluster.isWhole).toBe(true);
  });
});
