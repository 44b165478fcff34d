import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { deleteRangeRequest, putRequest, rangeRequest } from '../../src/client/requests.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { needsProgram } from '../api/api-fixture.ts';
import { expectErr, expectOk } from './expect-result.ts';

const ETCD = '/usr/bin/etcd';

describe.runIf(needsProgram(ETCD))('EtcdClient against etcd itself', () => {
  let etcd: ChildProcess;
  let dataDir: string;
  let client: EtcdClient;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'real-etcd-'));
    const [clientUrl, peerUrl] = [await freeUrl(), await freeUrl()];
    const args = ['--data-dir', dataDir, '--name', 'm1'];
    args.push('--listen-client-urls', clientUrl, '--advertise-client-urls', clientUrl);
    args.push('--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl);
    args.push('--initial-cluster', `m1=${peerUrl}`);
    etcd = spawn(ETCD, args, { stdio: 'ignore' });
    client = new EtcdClient({ endpoint: clientUrl });
    let ready = false;
    for (let i = 0; i < 200 && !ready; i++) {
      ready = (await client.get('a')).ok;
      if (!ready) await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(ready).toBe(true);
  });

  afterAll(async () => {
    client.close();
    const exited = new Promise((resolve) => etcd.on('exit', resolve));
    etcd.kill('SIGKILL');
    await exited;
    await rm(dataDir, { recursive: true });
  });

  test('put, get and delete', async () => {
    const put = expectOk(await client.put({ key: 'a', value: '1' }));
    expect(put.header.raftTerm).toBeGreaterThan(0);
    const got = expectOk(await client.get('a'));
    expect(got.kv).toMatchObject({ version: 1, modRevision: put.header.revision, lease: 0n });
    expect(got.header.memberId).toBe(put.header.memberId);
    const deleted = expectOk(await client.deleteRange({ key: 'a', prevKv: true }));
    expect(deleted.deleted).toBe(1);
    expect(utf8Decode(deleted.prevKvs[0]!.value)).toBe('1');
    expect(expectOk(await client.get('a')).kv).toBeUndefined();
  });

  test('ranges, with limit and order', async () => {
    for (const key of ['r1', 'r2', 'r3']) expectOk(await client.put({ key, value: key }));
    const range = expectOk(
      await client.range({ key: 'r', rangeEnd: 's', limit: 2, sortOrder: 'descend' }),
    );
    expect(range.kvs.map((kv) => utf8Decode(kv.key))).toEqual(['r3', 'r2']);
    expect([range.more, range.count]).toEqual([true, 3]);
  });

  test('transactions, nested, with every target', async () => {
    expectOk(await client.put({ key: 'u' }));
    const created = expectOk(await client.put({ key: 't', value: 'v' }));
    const { revision } = created.header;
    const guard = { key: utf8Encode('t'), rangeEnd: EMPTY_BYTES, result: 'equal' } as const;
    const txn = expectOk(
      await client.txn({
        compare: [
          { ...guard, target: 'version', operand: 1 },
          { ...guard, target: 'create', operand: revision },
          { ...guard, target: 'mod', operand: revision },
          { ...guard, target: 'value', operand: utf8Encode('v') },
          { ...guard, target: 'lease', operand: 0n },
        ],
        success: [
          { type: 'put', request: putRequest({ key: 't', value: 'w', prevKv: true }) },
          { type: 'range', request: rangeRequest({ key: 't' }) },
          {
            type: 'txn',
            request: {
              compare: [{ ...guard, target: 'version', operand: 7 }],
              success: [],
              failure: [{ type: 'deleteRange', request: deleteRangeRequest({ key: 'u' }) }],
            },
          },
        ],
        failure: [],
      }),
    );
    expect(txn).toMatchObject({
      succeeded: true,
      header: { revision: revision + 1 },
      responses: [
        { type: 'put', result: { prevKv: { version: 1 } } },
        { type: 'range', result: { count: 1, kvs: [{ version: 2 }] } },
        {
          type: 'txn',
          result: {
            succeeded: false,
            responses: [{ type: 'deleteRange', result: { deleted: 1 } }],
          },
        },
      ],
    });
  });

  test('status and members', async () => {
    const { members } = expectOk(await client.memberList({ linearizable: true }));
    expect(members).toMatchObject([{ name: 'm1', isLearner: false }]);
    const status = expectOk(await client.status());
    expect(status.leader).toBe(members[0]!.id);
    expect(status.appliedIndex).toBeLessThanOrEqual(status.raftIndex);
  });

  test('errors are known, and definite', async () => {
    expect(expectErr(await client.put({ key: '' }))).toEqual({
      code: 3,
      message: 'etcdserver: key is not provided',
      definite: true,
    });
    expect(expectErr(await client.range({ key: 'a', revision: 1_000_000 }))).toEqual({
      code: 11,
      message: 'etcdserver: mvcc: required revision is a future revision',
      definite: true,
    });
  });

  test('hundreds of requests at once', async () => {
    const puts = Array.from({ length: 300 }, (_, i) => client.put({ key: `c${i}`, value: 'x' }));
    for (const put of await Promise.all(puts)) expectOk(put);
    const { count } = expectOk(await client.range({ key: 'c', rangeEnd: 'd', countOnly: true }));
    expect(count).toBe(300);
  });
});

async function freeUrl(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
