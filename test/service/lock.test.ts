import { create } from '@bufbuild/protobuf';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Result } from '../../src/lib/result.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { OpenCall } from '../../src/service/call.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import { rangeOf } from '../../src/service/lock-queue.ts';
import {
  LockRequestSchema,
  type LockResponse,
  UnlockRequestSchema,
} from '../../src/wire/gen/v3lockpb/v3lock_pb.ts';
import { putRequest } from '../mvcc/requests.ts';
import { LeaseCluster, type LeaseMember, type Services } from './lease-cluster.ts';
import { settle } from './step-clock.ts';

let cluster: LeaseCluster;
let leader: LeaseMember;
let here: Services;
let there: Services;

beforeEach(async () => {
  cluster = new LeaseCluster();
  [leader] = cluster.members;
  here = cluster.servicesOf(leader);
  there = cluster.servicesOf(cluster.members[1]);
});

/** A client that asks for a lock, and what has come of it so far. */
class Waiter {
  readonly call = new OpenCall(ANONYMOUS);
  outcome: Result<LockResponse, ServiceError> | undefined;

  constructor(lease: bigint, { services = here, name = 'l' } = {}) {
    const request = create(LockRequestSchema, { name: utf8Encode(name), lease });
    void services.locks.lock(request, this.call).then((outcome) => {
      this.outcome = outcome;
    });
  }

  get key(): string | undefined {
    return this.outcome?.ok ? String.fromCharCode(...this.outcome.value.key) : undefined;
  }
}

function grant(id: bigint, ttlS = 600): Promise<unknown> {
  return here.leases.grant({ id, ttlS }, ANONYMOUS);
}

async function unlock(key: string, services = here): Promise<void> {
  const request = create(UnlockRequestSchema, { key: utf8Encode(key) });
  expect((await services.locks.unlock(request, ANONYMOUS)).ok).toBe(true);
  await settle();
}

function keys(): string[] {
  const all = rangeOf(Uint8Array.of(0), {
    rangeEnd: Uint8Array.of(0),
    limit: 0,
    sortTarget: 'key',
  });
  const read = leader.store.range(all);
  return read.ok ? read.value.kvs.map(({ key }) => String.fromCharCode(...key)) : [];
}

async function lockedBy(lease: bigint): Promise<Waiter> {
  await grant(lease);
  const holder = new Waiter(lease);
  await settle();
  expect(holder.key).toBe(`l/${lease.toString(16)}`);
  return holder;
}

test('the key is the name and the lease, and hangs on it', async () => {
  await grant(0x2040a1fd60ac7609n);
  const waiter = new Waiter(0x2040a1fd60ac7609n);
  await settle();
  expect(waiter.key).toBe('l/2040a1fd60ac7609');
  expect(leader.lessor.keysOf(0x2040a1fd60ac7609n)).toEqual([utf8Encode('l/2040a1fd60ac7609')]);
  expect(waiter.outcome).toMatchObject({ ok: true, value: { header: { revision: 2n } } });
});

test('one holds it, the others follow in the order they came, at any member', async () => {
  await lockedBy(1n);
  await grant(2n);
  await grant(3n);
  const second = new Waiter(3n, { services: there });
  await settle();
  const third = new Waiter(2n);
  await settle();
  expect([second.outcome, third.outcome]).toEqual([undefined, undefined]);
  await unlock('l/1', there);
  expect(second.key).toBe('l/3');
  expect(third.outcome).toBeUndefined();
  await unlock('l/3');
  expect(third.key).toBe('l/2');
  expect(here.watches.count + there.watches.count).toBe(0);
});

test('different names are different locks, also where one starts with the other', async () => {
  await lockedBy(1n);
  const other = new Waiter(1n, { name: 'l2' });
  await settle();
  expect(other.key).toBe('l2/1');
});

test('who holds it gets it again', async () => {
  await lockedBy(1n);
  const again = new Waiter(1n);
  await settle();
  expect(again.key).toBe('l/1');
});

test('the lease must be there', async () => {
  const waiter = new Waiter(5n);
  await settle();
  expect(waiter.outcome).toEqual({ ok: false, error: serviceError('leaseNotFound') });
});

describe('who waits and loses its lease', () => {
  test('gets an error at once, and not the lock when it becomes free', async () => {
    await lockedBy(1n);
    await grant(2n, 5);
    const waiter = new Waiter(2n);
    await cluster.clock.pass(5_000);
    expect(waiter.outcome).toBeUndefined();
    await cluster.clock.pass(1_000);
    expect(waiter.outcome).toEqual({
      ok: false,
      error: { code: 2, message: 'mutex: session is expired', definite: true },
    });
    expect(keys()).toEqual(['l/1']);
  });

  test('nor if it is gone in the same revision as who was before', async () => {
    await lockedBy(1n);
    await grant(2n);
    const waiter = new Waiter(2n);
    await settle();
    await here.kv.deleteRange(
      { key: utf8Encode('l/'), rangeEnd: utf8Encode('l0'), prevKv: false },
      ANONYMOUS,
    );
    await settle();
    expect(waiter.outcome).toEqual({ ok: false, error: serviceError('sessionExpired') });
  });

  test('nor if it goes between the end of the wait and the answer', async () => {
    await lockedBy(1n);
    await grant(2n);
    const waiter = new Waiter(2n);
    await settle();
    leader.duringBarrier = () => {
      leader.duringBarrier = () => {};
      void cluster.propose(leader, { type: 'leaseRevoke', id: 2n });
    };
    // The barrier of the read after the wait ends when the lease is revoked.
    const { readBarrier } = leader;
    leader.readBarrier = async () => {
      const barrier = await readBarrier.call(leader);
      await settle();
      return barrier;
    };
    await unlock('l/1');
    await settle();
    await settle();
    expect(leader.lessor.has(2n)).toBe(false);
    expect(waiter.outcome).toEqual({ ok: false, error: serviceError('sessionExpired') });
  });

  test('nor if somebody has put its key again', async () => {
    await lockedBy(1n);
    await grant(2n);
    const waiter = new Waiter(2n);
    await settle();
    await here.kv.deleteRange(
      { key: utf8Encode('l/'), rangeEnd: utf8Encode('l0'), prevKv: false },
      ANONYMOUS,
    );
    await here.kv.put(putRequest('l/2'), ANONYMOUS);
    await settle();
    expect(waiter.outcome).toEqual({ ok: false, error: serviceError('sessionExpired') });
    expect(keys()).toEqual(['l/2']);
  });
});

describe('without a lease of one’s own', () => {
  function ownLease(): bigint {
    return leader.lessor.ids().find((id) => id >= 0x700n)!;
  }

  test('one of 60 s is granted, and ends unless it is kept alive', async () => {
    const waiter = new Waiter(0n);
    await settle();
    expect(waiter.key).toBe(`l/${ownLease().toString(16)}`);
    expect(leader.lessor.remaining(ownLease(), 0)?.grantedTtlS).toBe(60);
    await cluster.clock.pass(59_000);
    expect(keys()).toHaveLength(1);
    await cluster.clock.pass(3_000);
    expect(keys()).toEqual([]);
  });

  test('it is kept alive for as long as the call waits', async () => {
    await lockedBy(1n);
    const waiter = new Waiter(0n, { services: there });
    await cluster.clock.pass(300_000);
    expect(waiter.outcome).toBeUndefined();
    await unlock('l/1');
    expect(waiter.key).toBe(`l/${ownLease().toString(16)}`);
  });

  test('a client that goes away leaves neither key nor lease', async () => {
    await lockedBy(1n);
    const waiter = new Waiter(0n);
    await settle();
    expect(keys()).toHaveLength(2);
    waiter.call.end();
    await settle();
    expect(keys()).toEqual(['l/1']);
    expect(leader.lessor.ids()).toEqual([1n]);
    expect(waiter.outcome).toEqual({ ok: false, error: serviceError('canceled') });
  });
});

describe('a client that goes away while it waits', () => {
  test('leaves its lease and no key, and nobody waits for it', async () => {
    await lockedBy(1n);
    await grant(2n);
    await grant(3n);
    const gone = new Waiter(2n);
    await settle();
    const next = new Waiter(3n);
    await settle();
    gone.call.end();
    await settle();
    expect(keys()).toEqual(['l/1', 'l/3']);
    expect(leader.lessor.has(2n)).toBe(true);
    await unlock('l/1');
    expect(next.key).toBe('l/3');
    expect(here.watches.count).toBe(0);
  });

  test('also before its key was there', async () => {
    await grant(2n);
    const gone = new Waiter(2n);
    gone.call.end();
    await settle();
    expect(gone.outcome).toEqual({ ok: false, error: serviceError('canceled') });
    expect(keys()).toEqual([]);
  });

  test('tries again when its key cannot be deleted', async () => {
    await lockedBy(1n);
    await grant(2n);
    const gone = new Waiter(2n);
    await settle();
    let failures = 2;
    cluster.failProposal = () => (failures-- > 0 ? 'timeout' : undefined);
    gone.call.end();
    await settle();
    expect(keys()).toEqual(['l/1']);
  });

  test('does not take the key from another call with the same lease', async () => {
    await lockedBy(1n);
    await grant(2n);
    const stays = new Waiter(2n);
    await settle();
    const gone = new Waiter(2n);
    await settle();
    gone.call.end();
    await settle();
    expect(keys()).toEqual(['l/1', 'l/2']);
    await unlock('l/1');
    expect(stays.key).toBe('l/2');
  });
});

test('never two at once, whatever happens to leases and clients', async () => {
  const COUNT = 6;
  const holders: string[] = [];
  const waiters: Waiter[] = [];
  for (let at = 0; at < COUNT; at++) {
    const lease = BigInt(at + 1);
    await grant(lease, 2 + at * 4);
    waiters.push(new Waiter(lease, { services: at % 2 === 0 ? here : there }));
    await settle();
  }
  const alive = (waiter: Waiter) => waiter.key !== undefined && keys().includes(waiter.key);
  for (let step = 0; step < 60; step++) {
    await cluster.clock.pass(500);
    const holding = waiters.filter(alive);
    expect(holding.length).toBeLessThanOrEqual(1);
    for (const { key } of holding) if (!holders.includes(key!)) holders.push(key!);
  }
  // Each holds it from the end of the one before to the end of its own lease.
  expect(holders).toEqual(['l/1', 'l/2', 'l/3', 'l/4', 'l/5', 'l/6']);
  expect(keys()).toEqual([]);
});
