import { describe, expect, test } from 'vitest';
import type { DiskFault, DiskFaultTally } from '../../harness/cluster/cluster.ts';
import { DiskFaults, type OperationKind } from '../../harness/disk/disk-faults.ts';
import { parseFault, parsePowerLoss } from '../../harness/disk/orders.ts';

const KINDS: readonly OperationKind[] = ['read', 'change', 'grow', 'sync', 'exempt'];
const NO_TALLY: DiskFaultTally = { stalled: 0, refused: 0, lied: 0 };

/** A disk on which waiting takes no time, and what was waited for. */
function faultsWith(fault: DiskFault): { faults: DiskFaults; waits: number[] } {
  const waits: number[] = [];
  const wait = async (durationMs: number): Promise<number> => {
    waits.push(durationMs);
    return durationMs;
  };
  const faults = new DiskFaults({ wait }, NO_TALLY);
  faults.set(fault);
  return { faults, waits };
}

describe('what a fault refuses', () => {
  test.each<[DiskFault, Partial<Record<OperationKind, string>>]>([
    [{ type: 'none' }, {}],
    [
      { type: 'error', operation: 'write', code: 'EIO' },
      { change: 'EIO', grow: 'EIO' },
    ],
    [{ type: 'error', operation: 'write', code: 'ENOSPC' }, { grow: 'ENOSPC' }],
    [{ type: 'error', operation: 'sync', code: 'EIO' }, { sync: 'EIO' }],
    [{ type: 'read-only' }, { change: 'EROFS', grow: 'EROFS' }],
    [{ type: 'lie' }, {}],
    [{ type: 'rot', everyBytes: 1, seed: 1 }, {}],
    [{ type: 'latency', seed: 1, sync: { type: 'constant', ms: 1 } }, {}],
  ])('%o', async (fault, refused) => {
    const { faults } = faultsWith(fault);
    for (const kind of KINDS)
      expect([kind, await faults.admit(kind)]).toEqual([kind, refused[kind]]);
    expect(faults.tally().refused).toBe(Object.keys(refused).length);
  });

  test('a read-only disk refuses to open for writing', () => {
    expect(faultsWith({ type: 'read-only' }).faults.refusesToOpenForWriting()).toBe(true);
    expect(faultsWith({ type: 'none' }).faults.refusesToOpenForWriting()).toBe(false);
  });
});

describe('a stall', () => {
  test('holds what it is about until it is healed, and counts it', async () => {
    for (const [operation, held] of [
      [undefined, ['read', 'change', 'grow', 'sync']],
      ['sync', ['sync']],
    ] as const) {
      const { faults } = faultsWith({ type: 'stall', operation });
      const gone = new Set<OperationKind>();
      const going = KINDS.map((kind) => faults.admit(kind).then(() => gone.add(kind)));
      await new Promise(setImmediate);
      expect(KINDS.filter((kind) => !gone.has(kind))).toEqual(held);
      expect(faults.tally().stalled).toBe(held.length);
      faults.set({ type: 'none' });
      await Promise.all(going);
    }
  });

  test('that another one follows holds on', async () => {
    const { faults } = faultsWith({ type: 'stall' });
    let isGone = false;
    const going = faults.admit('sync').then(() => (isGone = true));
    faults.set({ type: 'stall', operation: 'sync' });
    await new Promise(setImmediate);
    expect(isGone).toBe(false);
    faults.set({ type: 'error', operation: 'sync', code: 'EIO' });
    await going;
    expect(faults.tally()).toMatchObject({ stalled: 1, refused: 1 });
  });
});

describe('latency', () => {
  test('is drawn for writes, and for syncs told to whoever does them', async () => {
    const { faults, waits } = faultsWith({
      type: 'latency',
      seed: 4,
      sync: { type: 'constant', ms: 30 },
      write: { type: 'uniform', leastMs: 1, mostMs: 2 },
    });
    for (const kind of KINDS) await faults.admit(kind);
    expect(waits).toHaveLength(2);
    expect(waits.every((ms) => ms >= 1 && ms <= 2)).toBe(true);
    expect(new Set(waits).size).toBe(2);
    expect(faults.writeDelays().delayedWrites).toBe(2);
    expect(faults.writeDelays().delayedWriteMeanMs).toBeCloseTo((waits[0]! + waits[1]!) / 2);
    expect(faults.drawSyncDelayMs()).toBe(30);
    expect(faultsWith({ type: 'none' }).faults.drawSyncDelayMs()).toBe(0);
  });
});

describe('lies and rot', () => {
  test('a lie is told of every sync, and counted', () => {
    const { faults } = faultsWith({ type: 'lie' });
    expect([faults.lies(), faults.lies()]).toEqual([true, true]);
    expect(faults.tally().lied).toBe(2);
    expect(faultsWith({ type: 'none' }).faults.lies()).toBe(false);
  });

  test('the same bits are flipped in every read, about as many as ordered', () => {
    const { faults } = faultsWith({ type: 'rot', everyBytes: 8192, seed: 5 });
    const whole = Buffer.alloc(1_000_000);
    faults.rot(whole, 0, 'file');
    const part = Buffer.alloc(5_000);
    faults.rot(part, 12_345, 'file');
    expect(part.equals(whole.subarray(12_345, 17_345))).toBe(true);
    const flipped = whole.filter((byte) => byte !== 0).length;
    expect(flipped).toBeGreaterThan(60);
    expect(flipped).toBeLessThan(200);
    expect(faults.tally().rotten).toBeGreaterThan(0);
    const other = Buffer.alloc(1_000_000);
    faults.rot(other, 0, 'other file');
    expect(other.equals(whole)).toBe(false);
  });
});

describe('orders', () => {
  test.each<DiskFault>([
    { type: 'none' },
    { type: 'stall' },
    { type: 'stall', operation: 'sync' },
    { type: 'error', operation: 'sync', code: 'EIO' },
    { type: 'lie' },
    { type: 'read-only' },
    { type: 'rot', everyBytes: 4096, seed: 1 },
    { type: 'latency', seed: 1, write: { type: 'constant', ms: 3 } },
  ])('%o is known', (fault) => {
    expect(parseFault(JSON.parse(JSON.stringify(fault)))).toEqual(fault);
  });

  test.each([
    7,
    null,
    {},
    { type: 'fire' },
    { type: 'stall', operation: 'read' },
    { type: 'error', operation: 'sync', code: 'EPERM' },
    { type: 'rot', everyBytes: 0, seed: 1 },
    { type: 'rot', everyBytes: 1, seed: -1 },
    { type: 'latency', seed: 1 },
    { type: 'latency', sync: { type: 'constant', ms: 3 } },
  ])('%o is refused', (order) => {
    expect(parseFault(order)).toBeUndefined();
  });

  test('a power failure says what survives', () => {
    expect(parsePowerLoss({ keeps: 'torn', seed: 4 })).toEqual({ keeps: 'torn', seed: 4 });
    for (const wrong of [{ keeps: 'all', seed: 4 }, { keeps: 'some' }, 'some']) {
      expect(parsePowerLoss(wrong)).toBeUndefined();
    }
  });
});
