import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import {
  type GrantedLease,
  KeepAliveCall,
  keepAliveOnce,
  leaseGrant,
  leaseRevoke,
  leaseTimeToLive,
} from '../../src/client/lease-client.ts';
import { lock, unlock } from '../../src/client/lock-client.ts';
import { prefixEnd } from '../../src/client/requests.ts';
import { WatchCall } from '../../src/client/watch-call.ts';
import { type WatchBatch, WatchEvents } from '../../src/client/watch-events.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { WatchResult } from '../../src/mvcc/watch-request.ts';
import { textOf } from '../mvcc/watch-history.ts';
import { isMissing, withEtcd } from '../support/stock-etcd.ts';
import { expectErr, expectOk } from './expect-result.ts';

/** Watching, leases and locks at etcd itself: the client, and what etcd's answers look like. */

async function withClient(use: (client: EtcdClient) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'watch-etcd-'));
  try {
    await withEtcd(join(directory, 'data'), async (endpoint) => {
      const client = new EtcdClient({ endpoint });
      try {
        await use(client);
      } finally {
        client.close();
      }
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function batches(watch: WatchEvents, count: number): Promise<WatchBatch[]> {
  const read: WatchBatch[] = [];
  for await (const batch of watch) {
    read.push(batch);
    if (read.length === count) break;
  }
  return read;
}

/** A stream, and its answers one by one. */
class Answers {
  readonly call: WatchCall;
  readonly #come: WatchResult[] = [];
  #wake: () => void = () => undefined;

  constructor(client: EtcdClient) {
    this.call = new WatchCall(client, {
      onResponse: (_, result) => {
        this.#come.push(result);
        this.#wake();
      },
      onEnd: (error) => expect.fail(`the stream ended: ${error?.message}`),
    });
  }

  async next(): Promise<WatchResult> {
    while (this.#come.length === 0) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    return this.#come.shift()!;
  }
}

const REFUSED = { watchId: -1, created: true, canceled: true, compactRevision: 0 };

describe.skipIf(isMissing('etcd') || isMissing('etcdctl'))('at etcd itself', () => {
  test('watchers, from the past and on', async () => {
    await withClient(async (client) => {
      const first = expectOk(await client.put({ key: 'a', value: '1' })).header.revision;
      expectOk(await client.put({ key: 'a', value: '2' }));
      const watch = new WatchEvents(client, {
        key: 'a',
        rangeEnd: prefixEnd('a'),
        startRevision: first,
        prevKv: true,
      });
      const [past] = await batches(watch, 1);
      expect(past!.events.map(textOf)).toEqual([
        `${first} a put 1`,
        `${first + 1} a put 2 was ${first} 1`,
      ]);
      expectOk(await client.deleteRange({ key: 'a' }));
      const [deleted] = await batches(watch, 1);
      expect(deleted!.events.map(textOf)).toEqual([`${first + 2} a delete was ${first + 1} 2`]);
      expect(deleted!.header.revision).toBe(first + 2);
      expect(watch.createdRevision).toBe(first + 1);
      watch.requestProgress();
      expect(await batches(watch, 1)).toMatchObject([
        { events: [], header: { revision: first + 2 } },
      ]);
      watch.close();
      expect(await batches(watch, 1)).toEqual([]);
      expect(watch.end).toEqual({ type: 'closed' });
    });
  });

  test('answers to all kinds of requests, as ours are tested to be', async () => {
    await withClient(async (client) => {
      for (const value of ['1', '2', '3']) expectOk(await client.put({ key: 'a', value }));
      const answers = new Answers(client);
      const { call } = answers;
      call.create({ key: 'b', rangeEnd: 'a' });
      expect(await answers.next()).toMatchObject({
        ...REFUSED,
        cancelReason: 'mvcc: watcher range is empty',
      });
      call.create({ key: '', rangeEnd: '\0', filters: ['noPut'], fragment: true });
      expect(await answers.next()).toMatchObject({ watchId: 0, created: true, canceled: false });
      call.create({ key: 'a', watchId: 1 });
      expect(await answers.next()).toMatchObject({ watchId: 1, created: true, canceled: false });
      call.create({ key: 'a', watchId: 1 });
      expect(await answers.next()).toMatchObject({
        ...REFUSED,
        cancelReason: 'mvcc: duplicate watch ID provided on the WatchStream',
      });
      call.create({ key: 'a' });
      expect(await answers.next()).toMatchObject({ watchId: 2, created: true });
      call.requestProgress();
      expect(await answers.next()).toMatchObject({ watchId: -1, events: [], canceled: false });
      call.cancel(77);
      call.cancel(1);
      expect(await answers.next()).toMatchObject({
        watchId: 1,
        created: false,
        canceled: true,
        cancelReason: '',
      });
      expectOk(await client.deleteRange({ key: 'a' }));
      const told = [await answers.next(), await answers.next()].sort(
        (a, b) => a.watchId - b.watchId,
      );
      expect(told.map(({ watchId, events }) => [watchId, events.map(textOf)])).toEqual([
        [0, ['5 a delete']],
        [2, ['5 a delete']],
      ]);
      call.close();
    });
  });

  test('leases: granted, kept, looked at, revoked', async () => {
    await withClient(async (client) => {
      const lease = expectOk(await leaseGrant(client, { ttlS: 60, id: 77n }));
      expect(lease).toMatchObject({ id: 77n, ttlS: 60 });
      expect(expectErr(await leaseGrant(client, { ttlS: 60, id: 77n }))).toEqual({
        code: 9,
        message: 'etcdserver: lease already exists',
        definite: true,
      });
      expectOk(await client.put({ key: 'l', lease: 77n }));
      const left = expectOk(await leaseTimeToLive(client, { id: 77n, keys: true }));
      expect(left).toMatchObject({ id: 77n, grantedTtlS: 60 });
      expect(left.keys.map(utf8Decode)).toEqual(['l']);
      expect(expectOk(await keepAliveOnce(client, 77n))).toMatchObject({ id: 77n, ttlS: 60 });
      const kept = await new Promise<GrantedLease[]>((resolve, reject) => {
        const come: GrantedLease[] = [];
        const call = new KeepAliveCall(client, {
          onKept: (_, one) => {
            come.push(one);
            if (come.length < 2) return;
            call.close();
            resolve(come);
          },
          onEnd: (error) => reject(new Error(error?.message)),
        });
        call.keepAlive(77n);
        call.keepAlive(78n);
      });
      expect(kept).toEqual([
        { id: 77n, ttlS: 60 },
        { id: 78n, ttlS: 0 },
      ]);
      expectOk(await leaseRevoke(client, 77n));
      expect(expectOk(await client.get('l')).kv).toBeUndefined();
      expect(expectOk(await leaseTimeToLive(client, { id: 77n })).ttlS).toBe(-1);
      expect(expectErr(await leaseRevoke(client, 77n))).toMatchObject({ code: 5, definite: true });
    });
  });

  test('a lock is held by one at a time', async () => {
    await withClient(async (client) => {
      const lease = expectOk(await leaseGrant(client, { ttlS: 60 })).id;
      const first = expectOk(await lock(client, { name: 'n', lease }));
      expect(utf8Decode(first.key)).toBe(`n/${lease.toString(16)}`);
      const other = expectOk(await leaseGrant(client, { ttlS: 60 })).id;
      const waiting = expectErr(
        await lock(client, { name: 'n', lease: other }, { timeoutMs: 100 }),
      );
      expect(waiting.definite).toBe(false);
      const second = lock(client, { name: 'n', lease: other });
      expectOk(await unlock(client, first.key));
      expect(utf8Decode(expectOk(await second).key)).toBe(`n/${other.toString(16)}`);
    });
  });
});
