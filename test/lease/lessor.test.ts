import { beforeEach, describe, expect, test } from 'vitest';
import { leaseTtlMinS } from '../../src/lease/lease-clock.ts';
import { type LeaseRecord, Lessor, type LessorOptions } from '../../src/lease/lessor.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';

const TICKS_PER_S = 10;
const OPTIONS: LessorOptions = {
  minTtlS: 2,
  ticksPerS: TICKS_PER_S,
  checkpointIntervalS: 300,
  leasesMax: 1_000,
};

let lessor: Lessor;

beforeEach(() => {
  lessor = new Lessor(OPTIONS);
});

function key(text: string): Uint8Array {
  return utf8Encode(text);
}

/** Ticks after which a lease granted or renewed at 0 is certainly expired, in whole seconds. */
function past(seconds: number): number {
  return (seconds + 1) * TICKS_PER_S;
}

describe('grants', () => {
  test('a time below the minimum is raised to it, also none and less', () => {
    expect(lessor.grant(1n, 1, 0)).toEqual({ ok: true, value: { ttlS: 2 } });
    expect(lessor.grant(2n, 0, 0)).toEqual({ ok: true, value: { ttlS: 2 } });
    expect(lessor.grant(3n, -5, 0)).toEqual({ ok: true, value: { ttlS: 2 } });
    expect(lessor.grant(4n, 7, 0)).toEqual({ ok: true, value: { ttlS: 7 } });
  });

  test('the minimum is one and a half election timeouts', () => {
    expect([1_000, 1_400, 500, 100].map(leaseTtlMinS)).toEqual([2, 3, 1, 1]);
  });

  test('an id is granted once, until it is revoked', () => {
    lessor.grant(1n, 5, 0);
    expect(lessor.grant(1n, 5, 0)).toEqual({ ok: false, error: 'leaseExists' });
    lessor.revoke(1n);
    expect(lessor.has(1n)).toBe(false);
    expect(lessor.grant(1n, 5, 0).ok).toBe(true);
  });

  test('the longest time is 9,000,000,000 s', () => {
    expect(lessor.grant(1n, 9_000_000_001, 0)).toEqual({ ok: false, error: 'leaseTtlTooLarge' });
    expect(lessor.grant(1n, 9_000_000_000, 0).ok).toBe(true);
  });

  test('0 is no id, and one more than the most is refused', () => {
    expect(lessor.grant(0n, 5, 0)).toEqual({ ok: false, error: 'leaseNotFound' });
    const small = new Lessor({ ...OPTIONS, leasesMax: 2 });
    expect(small.grant(1n, 5, 0).ok && small.grant(2n, 5, 0).ok).toBe(true);
    expect(small.grant(3n, 5, 0)).toEqual({ ok: false, error: 'noSpace' });
    small.revoke(1n);
    expect(small.grant(3n, 5, 0).ok).toBe(true);
  });
});

describe('keys', () => {
  beforeEach(() => {
    lessor.grant(1n, 5, 0);
    lessor.grant(2n, 5, 0);
  });

  test('are given to the revoke in byte order', () => {
    const bytes = [[0xff], [0x61, 0x00], [0x61], [0x80], []].map((each) => new Uint8Array(each));
    for (const each of bytes) lessor.keyChanged(each, 1n);
    const sorted = [bytes[4], bytes[2], bytes[1], bytes[3], bytes[0]];
    expect(lessor.keysOf(1n)).toEqual(sorted);
    expect(lessor.revoke(1n)).toEqual({ ok: true, value: sorted });
    expect(lessor.revoke(1n)).toEqual({ ok: false, error: 'leaseNotFound' });
  });

  test('hang on one lease at most, the last one they were put with', () => {
    lessor.keyChanged(key('a'), 1n);
    lessor.keyChanged(key('a'), 2n);
    expect(lessor.keysOf(1n)).toEqual([]);
    expect(lessor.keysOf(2n)).toEqual([key('a')]);
    lessor.keyChanged(key('a'), 0n);
    expect(lessor.keysOf(2n)).toEqual([]);
  });

  test('of a lease that is not there hang on none', () => {
    lessor.keyChanged(key('a'), 1n);
    lessor.keyChanged(key('a'), 9n);
    expect(lessor.keysOf(1n)).toEqual([]);
    lessor.grant(9n, 5, 0);
    expect(lessor.keysOf(9n)).toEqual([]);
  });

  test('of a revoked lease do not come back with its id', () => {
    lessor.keyChanged(key('a'), 1n);
    lessor.revoke(1n);
    lessor.grant(1n, 5, 0);
    expect(lessor.keysOf(1n)).toEqual([]);
  });

  test('longer than one call can take are the same afterwards', () => {
    const long = Uint8Array.from({ length: 100_000 }, (_, at) => (at * 7) & 0xff);
    lessor.keyChanged(long, 1n);
    expect(lessor.keysOf(1n)).toEqual([long]);
  });
});

describe('the leader', () => {
  beforeEach(() => lessor.promote(0, 0));

  test('asks for the revoke of a lease whose time has passed, and not before', () => {
    lessor.grant(1n, 5, 0);
    expect(lessor.expired(5 * TICKS_PER_S, 10)).toEqual([]);
    expect(lessor.expired(past(5), 10)).toEqual([1n]);
  });

  test('asks once, and again when it did not come', () => {
    lessor.grant(1n, 5, 0);
    const now = past(5);
    expect(lessor.expired(now, 10)).toEqual([1n]);
    expect(lessor.expired(now + 1, 10)).toEqual([]);
    expect(lessor.expired(now + 3 * TICKS_PER_S - 1, 10)).toEqual([]);
    expect(lessor.expired(now + 3 * TICKS_PER_S, 10)).toEqual([1n]);
    lessor.revoke(1n);
    expect(lessor.expired(now + 100 * TICKS_PER_S, 10)).toEqual([]);
  });

  test('asks for a few at a time, longest expired first', () => {
    for (const [id, ttlS] of [
      [1n, 4],
      [2n, 3],
      [3n, 5],
    ] as const) {
      lessor.grant(id, ttlS, 0);
    }
    expect(lessor.ids()).toEqual([2n, 1n, 3n]);
    expect(lessor.expired(past(60), 2)).toEqual([2n, 1n]);
    expect(lessor.expired(past(60), 2)).toEqual([3n]);
  });

  test('a renewal gives the full time again', () => {
    lessor.grant(1n, 5, 0);
    expect(lessor.renew(1n, 40)).toEqual({ ok: true, value: { ttlS: 5 } });
    expect(lessor.remaining(1n, 40)).toEqual({ ttlS: 5, grantedTtlS: 5 });
    expect(lessor.expired(90, 10)).toEqual([]);
    expect(lessor.expired(40 + past(5), 10)).toEqual([1n]);
  });

  test('one that a revoke was asked for is not renewed any more', () => {
    lessor.grant(1n, 5, 0);
    expect(lessor.expired(past(5), 10)).toEqual([1n]);
    expect(lessor.renew(1n, past(5))).toEqual({ ok: false, error: 'leaseExpired' });
    lessor.revoke(1n);
    expect(lessor.renew(1n, past(5))).toEqual({ ok: false, error: 'leaseNotFound' });
  });

  test('one that is expired, which nobody was told, still is', () => {
    lessor.grant(1n, 5, 0);
    expect(lessor.remaining(1n, past(8))).toEqual({ ttlS: 0, grantedTtlS: 5 });
    expect(lessor.renew(1n, past(8)).ok).toBe(true);
    expect(lessor.expired(past(8) + 5 * TICKS_PER_S, 10)).toEqual([]);
  });

  test('a lease that is not there', () => {
    expect(lessor.renew(1n, 0)).toEqual({ ok: false, error: 'leaseNotFound' });
    expect(lessor.remaining(1n, 0)).toBeUndefined();
    lessor.checkpoint(1n, 5, 0);
    expect(lessor.has(1n)).toBe(false);
  });

  test('knows the whole seconds that are left', () => {
    lessor.grant(1n, 5, 0);
    const left = [0, 9, 14, 40, 50, 60].map((tick) => lessor.remaining(1n, tick)?.ttlS);
    expect(left).toEqual([5, 4, 3, 1, 0, 0]);
  });
});

describe('a change of the leader', () => {
  test('who does not lead renews nothing and asks for nothing', () => {
    lessor.grant(1n, 5, 0);
    expect(lessor.renew(1n, 0)).toEqual({ ok: false, error: 'notPrimary' });
    expect(lessor.expired(past(100), 10)).toEqual([]);
    lessor.promote(0, 0);
    lessor.demote();
    expect(lessor.isPrimary).toBe(false);
    expect(lessor.expired(past(100), 10)).toEqual([]);
    expect(lessor.dueCheckpoints(past(1_000), 10)).toEqual([]);
  });

  test('gives every lease its full time and the extension', () => {
    lessor.promote(0, 0);
    lessor.grant(1n, 5, 0);
    lessor.demote();
    lessor.promote(1_000, 20);
    expect(lessor.remaining(1n, 1_000)?.ttlS).toBe(7);
    expect(lessor.expired(1_070, 10)).toEqual([]);
    expect(lessor.expired(1_000 + 20 + past(5), 10)).toEqual([1n]);
  });

  test('a revoke that the leader before asked for in vain is forgotten', () => {
    lessor.promote(0, 0);
    lessor.grant(1n, 5, 0);
    expect(lessor.expired(past(5), 10)).toEqual([1n]);
    lessor.demote();
    lessor.promote(100, 0);
    expect(lessor.renew(1n, 100).ok).toBe(true);
  });
});

describe('checkpoints', () => {
  beforeEach(() => lessor.promote(0, 0));

  test('are due of long leases that nobody renews, and say what remains', () => {
    lessor.grant(1n, 1_000, 0);
    lessor.grant(2n, 300, 0);
    expect(lessor.dueCheckpoints(4_999, 10)).toEqual([]);
    expect(lessor.dueCheckpoints(5_000, 10)).toEqual([{ id: 1n, remainingTtlS: 501 }]);
    expect(lessor.dueCheckpoints(7_999, 10)).toEqual([]);
    expect(lessor.dueCheckpoints(8_000, 10)).toEqual([{ id: 1n, remainingTtlS: 201 }]);
  });

  test('are not due of leases that are kept alive', () => {
    lessor.grant(1n, 900, 0);
    for (let tick = 3_000; tick <= 60_000; tick += 3_000) {
      expect(lessor.dueCheckpoints(tick, 10)).toEqual([]);
      expect(lessor.renew(1n, tick).ok).toBe(true);
    }
  });

  test('are what the next leader starts with', () => {
    lessor.grant(1n, 1_000, 0);
    lessor.checkpoint(1n, 400, 6_000);
    expect(lessor.records()).toEqual([{ id: 1n, ttlS: 1_000, remainingTtlS: 400 }]);
    const next = new Lessor(OPTIONS, lessor.records());
    next.promote(77, 10);
    expect(next.remaining(1n, 77)).toEqual({ ttlS: 401, grantedTtlS: 1_000 });
  });

  test('do not bring the expiry forward here, nor put it off', () => {
    lessor.grant(1n, 1_000, 0);
    lessor.checkpoint(1n, 400, 0);
    expect(lessor.remaining(1n, 0)?.ttlS).toBe(1_000);
    lessor.checkpoint(1n, 400, 9_990);
    expect(lessor.remaining(1n, 9_990)?.ttlS).toBe(1);
  });

  test('must be taken back before a renewal', () => {
    lessor.grant(1n, 1_000, 0);
    expect(lessor.checkpointMark(1n)).toBeUndefined();
    lessor.dueCheckpoints(5_000, 10);
    // Only asked for: it may still get into the log.
    const mark = lessor.checkpointMark(1n)!;
    expect(mark).toBeGreaterThan(0);
    expect(() => lessor.renew(1n, 5_001)).toThrow('shorter logged time');
    lessor.checkpoint(1n, 501, 5_001);
    lessor.checkpoint(1n, 0, 5_002);
    expect(lessor.checkpointMark(1n)).toBe(mark);
    lessor.checkpointReset(1n, mark);
    expect(lessor.checkpointMark(1n)).toBeUndefined();
    expect(lessor.renew(1n, 5_002).ok).toBe(true);
    expect(lessor.records()).toEqual([{ id: 1n, ttlS: 1_000, remainingTtlS: 0 }]);
  });

  test('a reset does not answer for a checkpoint asked for after it', () => {
    lessor.grant(1n, 1_000, 0);
    lessor.dueCheckpoints(5_000, 10);
    const first = lessor.checkpointMark(1n)!;
    lessor.dueCheckpoints(8_000, 10);
    lessor.checkpointReset(1n, first);
    expect(lessor.checkpointMark(1n)).toBeGreaterThan(first);
  });

  test('one found in the log by a new leader must be taken back too', () => {
    const next = new Lessor(OPTIONS, [{ id: 1n, ttlS: 1_000, remainingTtlS: 400 }]);
    next.promote(0, 0);
    const mark = next.checkpointMark(1n)!;
    expect(mark).toBe(0);
    next.checkpoint(1n, 0, 10);
    next.checkpointReset(1n, mark);
    expect(next.checkpointMark(1n)).toBeUndefined();
    expect(next.remaining(1n, 10)?.ttlS).toBe(1_000);
  });
});

describe('many leases', () => {
  const COUNT = 200_000;
  const OF_MANY: LessorOptions = { ...OPTIONS, leasesMax: 2 * COUNT };

  test('those granted and revoked for ever leave nothing behind', () => {
    const records: LeaseRecord[] = Array.from({ length: COUNT }, (_, at) => ({
      id: BigInt(at + 1),
      ttlS: 60,
      remainingTtlS: 0,
    }));
    const many = new Lessor(OF_MANY, records);
    many.promote(0, 0);
    for (let at = 1; at <= COUNT; at++) expect(many.revoke(BigInt(at)).ok).toBe(true);
    expect(many.count).toBe(0);
    expect(many.expired(1e9, 1_000)).toEqual([]);
  });

  test('that expire together are asked for in turns, each once', () => {
    const many = new Lessor({ ...OF_MANY, ticksPerS: 1_000_000 });
    many.promote(0, 0);
    for (let at = 1; at <= 10_000; at++) many.grant(BigInt(at), 60, 0);
    const asked = new Set<bigint>();
    const start = 100_000_000;
    for (let turn = 0; turn < 20; turn++) {
      const ids = many.expired(start + turn, 500);
      expect(ids).toHaveLength(500);
      for (const id of ids) asked.add(id);
    }
    expect(asked.size).toBe(10_000);
    expect(many.expired(start + 20, 500)).toEqual([]);
  });
});
