import { describe, expect, test } from 'vitest';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { prefixEnd, putRequest, rangeRequest } from '../../src/client/requests.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { openApi } from '../api/api-fixture.ts';
import { CLUSTER_ID, MEMBER_ID } from '../api/fake-services.ts';
import { expectOk } from './expect-result.ts';

describe('EtcdClient against our front end', () => {
  test('every request comes back whole', async () => {
    await using fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const put = expectOk(await client.put({ key: 'a', value: '1', lease: -5n }));
    expect(put).toEqual({
      header: { clusterId: CLUSTER_ID, memberId: MEMBER_ID, revision: 2, raftTerm: 7 },
      prevKv: undefined,
    });
    const again = expectOk(await client.put({ key: 'a', value: '2', prevKv: true }));
    expect(again.prevKv).toMatchObject({ version: 1, lease: -5n, createRevision: 2 });
    expect(utf8Decode(again.prevKv!.value)).toBe('1');

    const got = expectOk(await client.get('a'));
    expect(got.kv).toMatchObject({ version: 2, modRevision: 3, value: utf8Encode('2') });
    expect(expectOk(await client.get('b')).kv).toBeUndefined();

    const txn = expectOk(
      await client.txn({
        compare: [
          {
            target: 'mod',
            operand: 3,
            key: utf8Encode('a'),
            rangeEnd: EMPTY_BYTES,
            result: 'equal',
          },
        ],
        success: [
          { type: 'put', request: putRequest({ key: 'ab', value: 'x' }) },
          {
            type: 'txn',
            request: {
              compare: [],
              success: [
                { type: 'range', request: rangeRequest({ key: 'a', rangeEnd: prefixEnd('a') }) },
              ],
              failure: [],
            },
          },
        ],
        failure: [],
      }),
    );
    expect(txn.succeeded).toBe(true);
    expect(txn.responses[1]).toMatchObject({
      type: 'txn',
      result: { responses: [{ type: 'range', result: { count: 2 } }] },
    });

    const deleted = expectOk(
      await client.deleteRange({ key: 'a', rangeEnd: prefixEnd('a'), prevKv: true }),
    );
    expect(deleted.deleted).toBe(2);
    expect(deleted.prevKvs.map((kv) => utf8Decode(kv.key))).toEqual(['a', 'ab']);

    expect(expectOk(await client.status())).toMatchObject({
      version: '3.6.0',
      leader: MEMBER_ID,
      raftIndex: 21,
      appliedIndex: 20,
      dbSizeBytes: 8192,
      storageVersion: '3.6.0',
      dbSizeQuotaBytes: 2_147_483_648,
      downgradeTo: undefined,
    });
    const { members } = expectOk(await client.memberList({ linearizable: true }));
    expect(members).toEqual([
      {
        id: MEMBER_ID,
        name: 'm1',
        peerUrls: ['http://127.0.0.1:2380'],
        clientUrls: ['http://127.0.0.1:2379'],
        isLearner: false,
      },
    ]);
    client.close();
  });
});
