/** Clients of leases, locks and elections, against a cluster that answers as a test says. */
import { describe, expect, test } from 'vitest';
import { bytesOf } from '../../src/client/requests.ts';
import { err, ok } from '../../src/lib/result.ts';
import { serviceError } from '../../src/service/errors.ts';
import type { Background } from '../../workloads/background.ts';
import { electionWorkload } from '../../workloads/election/election.ts';
import type { ElectionClient, LeaseClient, LockClient } from '../../workloads/full-client.ts';
import { leaseWorkload } from '../../workloads/lease/lease.ts';
import { keepPaceOf, LeaseKeeper } from '../../workloads/lease/lease-keeper.ts';
import { lockWorkload } from '../../workloads/lock/lock.ts';
import type { Workload } from '../../workloads/workload.ts';
import { askAll } from './ask.ts';

const PACE = { meanNs: 1e6, gaps: 'uniform' } as const;
const TIMED_OUT = { code: 4, message: 'deadline exceeded', definite: false };
const HEADER = { revision: 7 };
const NEVER = new Promise<never>(() => undefined);

/** Waits are short, and told. */
function background(waits: number[] = [], over = { isOver: false }): Background {
  return {
    wait: async (delayMs) => {
      waits.push(delayMs);
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
    },
    isOver: () => over.isOver,
  };
}

function answer<Value>(result: Value) {
  return Promise.resolve(ok({ header: HEADER, result }));
}

function invokerOf(workload: Workload) {
  const client = workload.openClient('');
  return (f: string, value = {}) => client.invoke({ f, value }, 250);
}

function clientOf<Client extends LeaseClient>(calls: Partial<Client>): () => Client {
  let granted = 0n;
  const leaseGrant = (ttlS: number) => {
    granted += 1n;
    return answer({ id: granted, ttlS });
  };
  return () => ({ leaseGrant, close: () => undefined, ...calls }) as unknown as Client;
}

describe('a keeper', () => {
  test('renews at its pace until the lease is gone', async () => {
    const waits: number[] = [];
    const left = [5, 5, 0];
    const leaseKeepAlive = () => answer({ ttlS: left.shift()! });
    const keeper = new LeaseKeeper({ leaseKeepAlive }, background(waits));
    keeper.keep({ id: 1n, ttlS: 5 }, { percent: 100, lateMs: 70 }, 250);
    await new Promise((resolve) => setImmediate(resolve));
    expect(left).toEqual([]);
    expect(waits).toEqual([5_070, 5_070, 5_070]);
  });

  test('renews nothing that is to be left alone, nor when the run is over', async () => {
    let renewals = 0;
    const over = { isOver: false };
    const leaseKeepAlive = () => {
      renewals += 1;
      over.isOver = renewals === 2;
      return answer({ ttlS: 5 });
    };
    const keeper = new LeaseKeeper({ leaseKeepAlive }, background([], over));
    keeper.keep({ id: 1n, ttlS: 5 }, keepPaceOf({}), 250);
    await new Promise((resolve) => setImmediate(resolve));
    expect(renewals).toBe(0);
    keeper.keep({ id: 1n, ttlS: 5 }, keepPaceOf({ keepPercent: 33, keepLateMs: 0 }), 250);
    await new Promise((resolve) => setImmediate(resolve));
    expect(renewals).toBe(2);
  });
});

describe('a lease client', () => {
  test('keeps one lease, and puts on those it had as well', async () => {
    const puts: bigint[] = [];
    const connect = clientOf<LeaseClient>({
      put: ({ lease }) => {
        puts.push(lease);
        return answer({ prevKv: undefined });
      },
      leaseRevoke: () => answer({}),
      leaseTimeToLive: (id) => answer({ ttlS: Number(id), keys: [] }),
    });
    const workload = leaseWorkload(connect, PACE, background());
    const [invoke, other] = [invokerOf(workload), invokerOf(workload)];
    const grant = { ttlS: 5, replaces: false };
    expect(await invoke('lease-put', { value: 'x' })).toMatchObject({ type: 'fail' });
    expect(await invoke('lease-grant', grant)).toMatchObject({ value: { lease: '1', ttlS: 5 } });
    expect(await invoke('lease-grant', grant)).toMatchObject({ type: 'fail' });
    expect(await invoke('lease-grant', { ...grant, replaces: true })).toMatchObject({ type: 'ok' });
    await invoke('lease-put', { value: 'a' });
    await invoke('lease-put', { value: 'b', isFormer: true });
    await invoke('lease-revoke');
    await invoke('lease-put', { value: 'c', isFormer: true });
    expect(puts).toEqual([2n, 1n, 2n]);
    expect(await other('lease-look', { other: 1 })).toMatchObject({ value: { lease: '1' } });
  });
});

describe('a lock client', () => {
  const asked = { name: 'l', ttlS: 5, patienceMs: 900 };

  test('waits longer than its operation, and is told when it is asked again', async () => {
    const locked = Promise.withResolvers<Awaited<ReturnType<LockClient['lock']>>>();
    const patience: number[] = [];
    const connect = clientOf<LockClient>({
      lock: (_, { timeoutMs }) => {
        patience.push(timeoutMs);
        return patience.length === 1 ? locked.promise : answer({ key: bytesOf('l/2') });
      },
    });
    const invoke = invokerOf(lockWorkload(connect, PACE, background()));
    const waits = { type: 'ok', value: { name: 'l', isWaiting: true } };
    expect(await invoke('lock', asked)).toEqual(waits);
    expect(await invoke('lock', { ...asked, name: 'm' })).toEqual(waits);
    locked.resolve(ok({ header: HEADER, result: { key: bytesOf('l/1') } }));
    expect(await invoke('lock', asked)).toEqual({ type: 'ok', value: { name: 'l', at: 7 } });
    expect(await invoke('lock-again')).toMatchObject({ value: { at: 7 } });
    expect(patience).toEqual([900, 250]);
  });

  test('that gives up goes on with its lease', async () => {
    const leases: bigint[] = [];
    const connect = clientOf<LockClient>({
      lock: ({ lease }) => {
        leases.push(lease);
        return Promise.resolve(err(TIMED_OUT));
      },
    });
    const invoke = invokerOf(lockWorkload(connect, PACE, background()));
    const gaveUp = { type: 'ok', value: { name: 'l', gaveUp: true } };
    expect([await invoke('lock', asked), await invoke('lock', asked)]).toEqual([gaveUp, gaveUp]);
    expect(leases).toEqual([1n, 1n]);
  });

  test('does its work under the very key it was given', async () => {
    const bounds: unknown[] = [];
    const connect = clientOf<LockClient>({
      lock: () => answer({ key: bytesOf('l/1') }),
      txn: ({ compare }) => {
        for (const guard of compare) bounds.push({ ...guard, key: 'k', rangeEnd: '' });
        return answer({ succeeded: false, responses: [] });
      },
    });
    const invoke = invokerOf(lockWorkload(connect, PACE, background()));
    await invoke('lock', asked);
    const work = await invoke('lock-work', { value: 'w' });
    expect(work).toMatchObject({ value: { isHeld: false, at: 7 } });
    expect(bounds).toMatchObject([
      { target: 'create', result: 'greater', operand: 0 },
      { target: 'create', result: 'less', operand: 8 },
    ]);
    expect(await invoke('lock-work', { value: 'w' })).toMatchObject({ type: 'fail' });
  });
});

describe('the relay of a lock', () => {
  /** `third`: what becomes of the last lease's call. */
  async function relayed(third: Awaited<ReturnType<LockClient['lock']>> | undefined) {
    const held = ok({ header: HEADER, result: { key: bytesOf('r/1') } });
    const replies = new Map([
      [1n, Promise.resolve(held)],
      [2n, Promise.resolve(err(TIMED_OUT))],
      [3n, third === undefined ? NEVER : Promise.resolve(third)],
    ]);
    const unlocked: Uint8Array[] = [];
    const connect = clientOf<LockClient>({
      lock: ({ lease }) => replies.get(lease)!,
      unlock: (key) => {
        unlocked.push(key);
        return answer({});
      },
    });
    const workload = lockWorkload(connect, PACE, background());
    const invoke = invokerOf(workload);
    for (let step = 0; step < 7; step++) await invoke('lock-relay');
    expect(unlocked).toEqual([bytesOf('r/1')]);
    const last = await invoke('lock-relay');
    const isOver = askAll(workload.finalGenerator).length === 0;
    return { last, isOver };
  }

  test('ends when the third is told', async () => {
    const passed = await relayed(ok({ header: HEADER, result: { key: bytesOf('r/3') } }));
    expect(passed).toMatchObject({ last: { value: { isPassedOn: true } }, isOver: true });
    const stuck = await relayed(err(TIMED_OUT));
    expect(stuck).toMatchObject({ last: { value: { isPassedOn: false } }, isOver: true });
  });

  test('says nothing of a queue when the line was cut, or nobody answered yet', async () => {
    const cut = err({ code: 14, message: 'connection lost', definite: false });
    expect(await relayed(cut)).toMatchObject({ last: { type: 'fail' }, isOver: false });
    expect(await relayed(undefined)).toMatchObject({ last: { type: 'fail' }, isOver: false });
  });
});

describe('a candidate', () => {
  const asked = { name: 'e', ttlS: 5, value: 'c1', patienceMs: 900 };
  const name = bytesOf('e');

  test('leads, says something, resigns, and says more', async () => {
    const said: string[] = [];
    let isOver = false;
    const connect = clientOf<ElectionClient>({
      campaign: ({ lease }) => answer({ leader: { name, key: bytesOf('e/1'), rev: 6, lease } }),
      proclaim: ({ rev }, value) => {
        said.push(`${rev} ${String.fromCharCode(...value)}`);
        return isOver ? Promise.resolve(err(serviceError('electionNotLeader'))) : answer({});
      },
      resign: () => answer({}),
    });
    const invoke = invokerOf(electionWorkload(connect, PACE, background()));
    expect(await invoke('proclaim', { value: 'p0' })).toMatchObject({ type: 'fail' });
    expect(await invoke('campaign', asked)).toEqual({
      type: 'ok',
      value: { name: 'e', rev: 6, at: 7 },
    });
    const first = await invoke('proclaim', { value: 'p1' });
    expect(first).toMatchObject({ value: { name: 'e', rev: 6, at: 7, value: 'p1' } });
    expect(await invoke('resign')).toMatchObject({ type: 'ok', value: { name: 'e' } });
    isOver = true;
    const late = await invoke('proclaim', { value: 'p2', isFormer: true });
    expect(late).toMatchObject({ type: 'fail', error: 'election: not leader (code 2)' });
    expect(said).toEqual(['6 p1', '6 p2']);
  });

  test('waits longer than its operation', async () => {
    const connect = clientOf<ElectionClient>({ campaign: () => NEVER });
    const invoke = invokerOf(electionWorkload(connect, PACE, background()));
    const waits = { type: 'ok', value: { name: 'e', isWaiting: true } };
    expect([await invoke('campaign', asked), await invoke('campaign', asked)]).toEqual([
      waits,
      waits,
    ]);
  });

  test('is seen by others', async () => {
    const leader = { key: bytesOf('e/1'), createRevision: 6, value: bytesOf('p1') };
    const connect = clientOf<ElectionClient>({
      leader: () => answer(leader),
      observe: () => answer([{ leader, revision: 9 }]),
    });
    const invoke = invokerOf(electionWorkload(connect, PACE, background()));
    expect(await invoke('election-leader', { name: 'e' })).toEqual({
      type: 'ok',
      value: { name: 'e', rev: 6, at: 7, value: 'p1' },
    });
    expect(await invoke('election-observe', { name: 'e', count: 1 })).toEqual({
      type: 'ok',
      value: { name: 'e', seen: [{ rev: 6, at: 9, value: 'p1' }] },
    });
  });
});
