import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lessor, type LessorOptions } from '../../src/lease/lessor.ts';

/** Against a table that is searched from end to end, and against what clients were promised. */

const OPTIONS: LessorOptions = {
  minTtlS: 2,
  ticksPerS: 4,
  checkpointIntervalS: 3,
  leasesMax: 2,
};
/** Roundings in favour of the lease, in ticks. */
const SLACK_TICKS = 3;

interface ModelLease {
  ttlS: number;
  remainingTtlS: number;
  keys: Set<number>;
  /** The client counts on it until then. */
  promisedTick: number;
  askedTick: number | undefined;
}

type Command =
  | { readonly type: 'grant'; readonly id: bigint; readonly ttlS: number }
  | { readonly type: 'revoke' | 'renew'; readonly id: bigint }
  | { readonly type: 'key'; readonly key: number; readonly id: bigint }
  | { readonly type: 'pass'; readonly ticks: number }
  | { readonly type: 'checkpoint' | 'newLeader' | 'expire' };

const id = fc.bigInt({ min: 1n, max: 3n });
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({ type: fc.constant('grant' as const), id, ttlS: fc.integer({ min: -1, max: 20 }) }),
  fc.record({ type: fc.constantFrom('revoke' as const, 'renew' as const, 'renew' as const), id }),
  fc.record({
    type: fc.constant('key' as const),
    key: fc.integer({ min: 0, max: 3 }),
    id: fc.bigInt({ min: 0n, max: 3n }),
  }),
  fc.record({ type: fc.constant('pass' as const), ticks: fc.integer({ min: 1, max: 30 }) }),
  fc.record({
    type: fc.constantFrom('checkpoint' as const, 'newLeader' as const, 'expire' as const),
  }),
);

/** The lessors of a leader and of a follower that is next, and the table. */
class Pair {
  leader = new Lessor(OPTIONS);
  follower = new Lessor(OPTIONS);
  readonly table = new Map<bigint, ModelLease>();
  now = 0;
  /** Logged in this order; the follower applies it too. */
  #pendingCheckpoints: { id: bigint; remainingTtlS: number }[] = [];

  constructor() {
    this.leader.promote(0, 0);
  }

  run(command: Command): void {
    switch (command.type) {
      case 'grant':
        return this.#grant(command.id, command.ttlS);
      case 'revoke':
        return this.#revoke(command.id);
      case 'renew':
        return this.#renew(command.id);
      case 'key':
        return this.#key(command.key, command.id);
      case 'pass':
        this.now += command.ticks;
        return;
      case 'checkpoint':
        this.#pendingCheckpoints.push(...this.leader.dueCheckpoints(this.now, 10));
        return;
      case 'newLeader':
        return this.#newLeader();
      case 'expire':
        return this.#expire();
    }
  }

  compare(): void {
    for (const lessor of [this.leader, this.follower]) {
      expect(new Set(lessor.ids())).toEqual(new Set(this.table.keys()));
      for (const [lease, { keys }] of this.table) {
        expect(lessor.keysOf(lease).map(([byte]) => byte)).toEqual([...keys].sort());
      }
    }
    const sorted = (lessor: Lessor) => [...lessor.records()].sort((a, b) => Number(a.id - b.id));
    expect(sorted(this.leader)).toEqual(sorted(this.follower));
    for (const [lease, { promisedTick, ttlS }] of this.table) {
      const { ttlS: leftS, grantedTtlS } = this.leader.remaining(lease, this.now)!;
      expect(grantedTtlS).toBe(ttlS);
      expect(leftS).toBeGreaterThanOrEqual(
        Math.max(Math.floor((promisedTick - this.now) / OPTIONS.ticksPerS), 0),
      );
    }
  }

  #each(action: (lessor: Lessor) => void): void {
    action(this.leader);
    action(this.follower);
  }

  #grant(lease: bigint, asked: number): void {
    const ttlS = Math.max(asked, OPTIONS.minTtlS);
    // A checkpoint asked for an earlier lease of this id stands before the grant in the log.
    this.#applyCheckpoints();
    const isRefused = this.table.has(lease) || this.table.size >= OPTIONS.leasesMax;
    this.#each((lessor) => expect(lessor.grant(lease, asked, this.now).ok).toBe(!isRefused));
    if (isRefused) return;
    this.table.set(lease, {
      ttlS,
      remainingTtlS: 0,
      keys: new Set(),
      promisedTick: this.now + ttlS * OPTIONS.ticksPerS,
      askedTick: undefined,
    });
  }

  #revoke(lease: bigint): void {
    const keys = [...(this.table.get(lease)?.keys ?? [])].sort();
    this.#each((lessor) => {
      const revoked = lessor.revoke(lease);
      expect(revoked.ok).toBe(this.table.has(lease));
      if (revoked.ok) expect(revoked.value.map(([byte]) => byte)).toEqual(keys);
    });
    this.table.delete(lease);
  }

  /** As the service does it. */
  #renew(lease: bigint): void {
    const known = this.table.get(lease);
    const mark = this.leader.checkpointMark(lease);
    if (mark !== undefined) {
      this.#applyCheckpoints();
      this.#each((lessor) => lessor.checkpoint(lease, 0, this.now));
      known!.remainingTtlS = 0;
      this.leader.checkpointReset(lease, mark);
    }
    const renewed = this.leader.renew(lease, this.now);
    if (known === undefined) expect(renewed).toEqual({ ok: false, error: 'leaseNotFound' });
    else if (known.askedTick !== undefined) {
      expect(renewed).toEqual({ ok: false, error: 'leaseExpired' });
    } else {
      expect(renewed).toEqual({ ok: true, value: { ttlS: known.ttlS } });
      known.promisedTick = this.now + known.ttlS * OPTIONS.ticksPerS;
    }
  }

  #key(key: number, lease: bigint): void {
    for (const { keys } of this.table.values()) keys.delete(key);
    this.table.get(lease)?.keys.add(key);
    this.#each((lessor) => lessor.keyChanged(Uint8Array.of(key), lease));
  }

  #expire(): void {
    const asked = new Set(this.leader.expired(this.now, 10));
    for (const [lease, known] of this.table) {
      if (known.askedTick !== undefined) {
        expect(asked.has(lease)).toBe(this.now >= known.askedTick + 3 * OPTIONS.ticksPerS);
      } else if (known.promisedTick > this.now) {
        expect(asked.has(lease)).toBe(false);
      }
      if (asked.has(lease)) known.askedTick = this.now;
    }
  }

  #applyCheckpoints(): void {
    for (const { id: lease, remainingTtlS } of this.#pendingCheckpoints.splice(0)) {
      this.#each((lessor) => lessor.checkpoint(lease, remainingTtlS, this.now));
    }
  }

  /** The follower leads now; its own time started elsewhere, which must not matter. */
  #newLeader(): void {
    this.#applyCheckpoints();
    this.leader.demote();
    const before = this.leader;
    this.leader = this.follower;
    this.leader.promote(this.now, 0);
    this.follower = before;
    for (const known of this.table.values()) known.askedTick = undefined;
  }
}

test('does what a table does, and keeps what clients were promised', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 80, size: 'max' }), (commands) => {
      const pair = new Pair();
      for (const each of commands) {
        pair.run(each);
        pair.compare();
      }
    }),
    { numRuns: 500 },
  );
});

test('without a leader change nothing outlives its time by more than the slack', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 2 }),
      fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 10 }),
      (ttls, renewals) => {
        const lessor = new Lessor(OPTIONS);
        lessor.promote(0, 0);
        const until = new Map<bigint, number>();
        const ticksOf = (ttlS: number) => Math.max(ttlS, OPTIONS.minTtlS) * OPTIONS.ticksPerS;
        ttls.forEach((ttlS, at) => {
          lessor.grant(BigInt(at + 1), ttlS, 0);
          until.set(BigInt(at + 1), ticksOf(ttlS));
        });
        renewals.forEach((tick, at) => {
          const lease = BigInt((at % ttls.length) + 1);
          if (!lessor.renew(lease, tick).ok) return;
          const ticks = tick + ticksOf(ttls[Number(lease) - 1]!);
          until.set(lease, Math.max(until.get(lease)!, ticks));
        });
        for (let tick = 21; until.size > 0; tick++) {
          for (const lease of lessor.expired(tick, 10)) {
            expect(tick).toBeGreaterThanOrEqual(until.get(lease)!);
            lessor.revoke(lease);
            until.delete(lease);
          }
          const overdue = [...until.values()].filter(
            (end) => Math.max(end + SLACK_TICKS, 21) < tick,
          );
          expect(overdue).toEqual([]);
        }
      },
    ),
    { numRuns: 200 },
  );
});
