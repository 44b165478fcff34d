import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeDisk } from '../../src/host/node-disk.ts';
import { assert } from '../../src/lib/assert.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { LoggedRequest } from '../../src/wire/internal-request.ts';
import { decodeLoggedRequest, encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { etcdctl, isMissing, withEtcd } from '../support/stock-etcd.ts';
import { openWal } from '../wal/wal-fixture.ts';

describe.skipIf(isMissing('etcd') || isMissing('etcdctl'))('what real etcd logs', () => {
  let directory: string;
  /** Of the log's requests, those that could be decoded; the bytes of the others. */
  const decoded: LoggedRequest[] = [];
  const bytesOf = new Map<LoggedRequest, Uint8Array>();
  const refused: string[] = [];

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'etcd-log-'));
    await withEtcd(path.join(directory, 'live'), async (endpoint) => {
      const run = (...args: string[]): Promise<string> => etcdctl('--endpoints', endpoint, ...args);
      await run('put', 'a', '1');
      await run('del', 'a');
      const lease = (await run('lease', 'grant', '300')).split(' ')[1]!;
      await run('put', 'b', '2', '--lease', lease);
      await run('lease', 'revoke', lease);
      await run('compaction', '2');
      await run('alarm', 'disarm');
      await run('role', 'add', 'r');
      await run('role', 'grant-permission', 'r', 'readwrite', 'k', 'l');
      await run('role', 'revoke-permission', 'r', 'k', 'l');
      await run('user', 'add', 'u', '--no-password');
      await run('user', 'grant-role', 'u', 'r');
      await run('user', 'get', 'u');
      await run('user', 'revoke-role', 'u', 'r');
      await run('role', 'delete', 'r');
      await run('user', 'delete', 'u');
      await run('user', 'add', 'root:secret');
    });
    const { wal, recovered } = await openWal(new NodeDisk(), {
      directory: path.join(directory, 'live/member/wal'),
    });
    await wal.close();
    for (const { type, data } of recovered.entries) {
      if (type !== 'normal' || data.length === 0) continue;
      const logged = decodeLoggedRequest(data);
      if (logged.ok) {
        decoded.push(logged.value);
        bytesOf.set(logged.value, data);
      } else refused.push(logged.error.message);
    }
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  function kindsOf(requests: readonly LoggedRequest[]): string[] {
    return requests.map(({ request }) =>
      request.type === 'auth' ? request.request.type : request.type,
    );
  }

  test('is understood, entry by entry', () => {
    expect(kindsOf(decoded)).toEqual([
      'memberAttributes',
      'clusterVersion',
      'put',
      'deleteRange',
      'leaseGrant',
      'put',
      'leaseRevoke',
      'compaction',
      'alarm',
      'roleAdd',
      'roleGrantPermission',
      'roleRevokePermission',
      'userAdd',
      'userGrantRole',
      'nothing',
      'userRevokeRole',
      'roleDelete',
      'userDelete',
    ]);
    expect(decoded.every(({ id, auth }) => id !== 0n && auth === undefined)).toBe(true);
    const [attributes, version] = decoded;
    expect(attributes!.request).toMatchObject({
      request: { name: 'default', clientUrls: [expect.stringContaining('http://127.0.0.1:')] },
    });
    expect(version!.request).toMatchObject({ version: expect.stringMatching(/^3\.\d+\.0$/) });
    const grant = decoded.find(({ request }) => request.type === 'leaseGrant')!.request;
    const revoke = decoded.find(({ request }) => request.type === 'leaseRevoke')!.request;
    assert(grant.type === 'leaseGrant' && revoke.type === 'leaseRevoke', 'as found');
    expect(grant).toMatchObject({ id: revoke.id, ttlS: 300 });
    const permission = { type: 'readWrite', key: utf8Encode('k'), rangeEnd: utf8Encode('l') };
    expect(decoded[10]!.request).toMatchObject({ request: { name: 'r', permission } });
  });

  test('is what we log for the same requests, byte by byte', () => {
    // Not those that we log in another form: the v2 store's, questions, options that say nothing.
    const others = ['memberAttributes', 'clusterVersion', 'nothing'];
    const same = decoded.filter(({ request }) => !others.includes(request.type));
    expect(same.length).toBe(15);
    for (const logged of same) {
      expect(Buffer.from(encodeLoggedRequest(logged)).toString('hex')).toBe(
        Buffer.from(bytesOf.get(logged)!).toString('hex'),
      );
    }
  });

  test('in 3.4 has passwords that are not hashed, which we refuse', async () => {
    const isOld = (await etcdctl('version')).includes('3.4.');
    expect(refused).toEqual(isOld ? [expect.stringContaining('not hashed')] : []);
  });
});
