import { describe, expect, test } from 'vitest';
import { PendingRequests } from '../../src/member/pending.ts';
import { PendingReads } from '../../src/member/reads.ts';

const DATA = new Uint8Array(1);
const LED = { term: 1, hasLeader: true };

function pending(max = 10): PendingRequests {
  return new PendingRequests({ max, timeoutTicks: 5 });
}

describe('pending requests', () => {
  test('a request is handed out once to be proposed, and again only if it was refused', () => {
    const requests = pending();
    expect(requests.hold(1n, DATA, 0)).toBe(true);
    const held = requests.takeHeld();
    expect(held.map(({ id }) => id)).toEqual([1n]);
    expect(requests.takeHeld()).toEqual([]);
    requests.holdAgain(held);
    expect(requests.takeHeld()).toEqual(held);
    requests.markProposed(held, 1);
    expect(() => requests.markProposed(held, 1)).toThrowError('proposed once');
  });

  test('no more than the limit wait, and an outcome is delivered once', () => {
    const requests = pending(1);
    expect(requests.hold(1n, DATA, 0)).toBe(true);
    expect(requests.hold(2n, DATA, 0)).toBe(false);
    expect(requests.settle(1n)).toBe(true);
    expect(requests.settle(1n)).toBe(false);
    expect(requests.hold(2n, DATA, 0)).toBe(true);
  });

  test('what was never proposed fails definitely, what was may still happen', () => {
    const requests = pending();
    requests.hold(1n, DATA, 0);
    requests.markProposed(requests.takeHeld(), 1);
    requests.hold(2n, DATA, 0);
    expect(requests.expire({ tick: 4, ...LED })).toEqual([]);
    expect(requests.expire({ tick: 5, term: 1, hasLeader: false })).toEqual([
      { id: 1n, error: 'timeoutLeaderFailed' },
      { id: 2n, error: 'noLeader' },
    ]);
    expect(requests.takeHeld()).toEqual([]);
    expect(requests.count).toBe(0);
  });

  test('with the same leader all along it is a plain time-out', () => {
    const requests = pending();
    requests.hold(1n, DATA, 0);
    requests.markProposed(requests.takeHeld(), 1);
    expect(requests.expire({ tick: 5, ...LED })).toEqual([{ id: 1n, error: 'timeout' }]);
  });
});

function reads(): PendingReads {
  return new PendingReads({ waitingMax: 3, batchesMax: 1, timeoutTicks: 10, retryTicks: 2 }, 100);
}

describe('pending reads', () => {
  test('reads that arrive together share a batch; later ones wait for the next', () => {
    const asked: number[] = [];
    const ask = (context: number): boolean => asked.push(context) > 0;
    const pendingReads = reads();
    pendingReads.add(1n, 0);
    pendingReads.add(2n, 0);
    pendingReads.flush(0, ask);
    pendingReads.add(3n, 0);
    pendingReads.flush(0, ask);
    expect(asked).toEqual([100]);
    pendingReads.confirm(100, 7);
    expect(pendingReads.takeReady(6)).toEqual([]);
    expect(pendingReads.takeReady(7)).toEqual([1n, 2n]);
    pendingReads.flush(0, ask);
    expect(asked).toEqual([100, 101]);
  });

  test('an answer to a batch that was asked again is not used (etcd#20418)', () => {
    const pendingReads = reads();
    pendingReads.add(1n, 0);
    pendingReads.flush(0, () => true);
    pendingReads.askAgain();
    pendingReads.confirm(100, 1);
    expect(pendingReads.takeReady(99)).toEqual([]);
    pendingReads.flush(0, () => true);
    pendingReads.confirm(101, 5);
    expect(pendingReads.takeReady(5)).toEqual([1n]);
  });

  test('without an answer a batch is asked again, until the read is given up', () => {
    const asked: number[] = [];
    const pendingReads = reads();
    pendingReads.add(1n, 0);
    const expired: bigint[] = [];
    for (let tick = 0; tick < 12; tick++) {
      pendingReads.flush(tick, (context) => asked.push(context) > 0);
      expired.push(...pendingReads.onTick(tick));
    }
    expect(asked.length).toBeGreaterThan(3);
    expect(new Set(asked).size).toBe(asked.length);
    expect(expired).toEqual([1n]);
  });

  test('no more than the limit wait', () => {
    const pendingReads = reads();
    expect([1n, 2n, 3n, 4n].map((id) => pendingReads.add(id, 0))).toEqual([
      true,
      true,
      true,
      false,
    ]);
  });
});
