import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import type { HandledCall } from '../../src/api/call-observer.ts';
import { GATEWAY_ROUTES } from '../../src/api/gateway/routes.ts';
import type { RpcContext } from '../../src/api/rpc.ts';
import {
  AlarmRequestSchema,
  AlarmResponseSchema,
  type AlarmType,
  HashKVRequestSchema,
  HashKVResponseSchema,
  LeaseGrantRequestSchema,
  LeaseGrantResponseSchema,
  RangeRequestSchema,
  RangeResponseSchema,
  TxnRequestSchema,
  TxnResponseSchema,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { openGateway, Refusal, unaryMethod } from './gateway-fixture.ts';

const HEADER = { clusterId: 0xcdf818194e3a8c32n, memberId: 1n, revision: 7n, raftTerm: 2n };
const utf8 = (text: string): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from(text));

describe('requests', () => {
  test('64-bit integers lose nothing, as numbers or as strings', async () => {
    const seen: bigint[] = [];
    await using gateway = await openGateway({
      methods: [
        unaryMethod(
          '/etcdserverpb.Lease/LeaseGrant',
          [LeaseGrantRequestSchema, LeaseGrantResponseSchema],
          (request) => {
            seen.push(request.ID);
            return { ID: request.ID, TTL: request.TTL };
          },
        ),
      ],
    });
    const bodies = [
      '{"ID":7587000000000000001,"TTL":5}',
      '{"ID":"7587000000000000001","TTL":"5"}',
      '{"ID":-9223372036854775808,"TTL":5}',
      '{"ID": 12 , "TTL":5, "note":"7587000000000000001"}',
    ];
    const answers: string[] = [];
    for (const body of bodies)
      answers.push(await (await gateway.post('/v3/lease/grant', body)).text());
    expect(seen).toEqual([7587000000000000001n, 7587000000000000001n, -(2n ** 63n), 12n]);
    expect(answers[0]).toBe('{"ID":"7587000000000000001","TTL":"5"}');
  });

  test('names in both cases, enums by name and number, bytes in base64, unknown fields', async () => {
    const seen: unknown[] = [];
    await using gateway = await openGateway({
      methods: [
        unaryMethod(
          '/etcdserverpb.KV/Range',
          [RangeRequestSchema, RangeResponseSchema],
          ({ key, rangeEnd, sortOrder, sortTarget, keysOnly }) => {
            seen.push([Buffer.from(key), Buffer.from(rangeEnd), sortOrder, sortTarget, keysOnly]);
            return {};
          },
        ),
      ],
    });
    const bytes = Buffer.from([0xfb, 0xff, 0xfe]);
    const bodies = [
      {
        key: '+//+',
        range_end: 'eg==',
        sort_order: 'DESCEND',
        sort_target: 'VALUE',
        keys_only: true,
      },
      { key: '-__-', rangeEnd: 'eg', sortOrder: 2, sortTarget: 4, keysOnly: true, what: [{}] },
    ];
    for (const body of bodies) {
      const answer = await gateway.post('/v3beta/kv/range', body);
      expect([answer.status, await answer.text()]).toEqual([200, '{}']);
    }
    const row = [bytes, Buffer.from('z'), 2, 4, true];
    expect(seen).toEqual([row, row]);
  });

  test('an empty body is an empty request', async () => {
    await using gateway = await openGateway({
      methods: [
        unaryMethod(
          '/etcdserverpb.Maintenance/HashKV',
          [HashKVRequestSchema, HashKVResponseSchema],
          () => ({ header: HEADER, hash: 4_000_000_000, compactRevision: 3n }),
        ),
      ],
    });
    const answer = await gateway.post('/v3/maintenance/hashkv', '');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(await answer.text()).toBe(
      '{"header":{"cluster_id":"14841639068965178418","member_id":"1","revision":"7","raft_term":"2"},' +
        '"hash":4000000000,"compact_revision":"3"}',
    );
  });

  test('what is no such request is refused, and harms nothing else', async () => {
    await using gateway = await openGateway({
      methods: [
        unaryMethod('/etcdserverpb.KV/Txn', [TxnRequestSchema, TxnResponseSchema], () => ({})),
      ],
    });
    const nested = (depth: number): string =>
      ['{"success":[{"request_txn":'.repeat(depth), '}]}'.repeat(depth)].join('{}');
    for (const body of [
      '{',
      '[]',
      '"text"',
      'null',
      '{"compare":1}',
      '{"compare":[{"key":"%%%"}]}',
      '{"compare":[{"version":"1.5"}]}',
      '{"compare":[{"version":1e30}]}',
      nested(500),
      '['.repeat(100_000),
      `{"x":${'['.repeat(100_000)}1234567890123456789${']'.repeat(100_000)}}`,
    ]) {
      const answer = await gateway.post('/v3/kv/txn', body);
      expect([body.slice(0, 40), answer.status]).toEqual([body.slice(0, 40), 400]);
      expect(await answer.json()).toMatchObject({ code: 3, message: expect.any(String) });
    }
    const binary = await fetch(`${gateway.endpoint}/v3/kv/txn`, {
      method: 'POST',
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    });
    expect([binary.status, (await binary.json()).message]).toEqual([
      400,
      'the request is not valid UTF-8',
    ]);
    expect((await gateway.post('/v3/kv/txn', nested(3))).status).toBe(200);
    expect(gateway.errors).toEqual([]);
  });

  test('bodies and messages above the limit are refused', async () => {
    await using gateway = await openGateway({
      limits: { receiveBytesMax: 1000 },
      methods: [
        unaryMethod(
          '/etcdserverpb.KV/Range',
          [RangeRequestSchema, RangeResponseSchema],
          () => ({}),
        ),
      ],
    });
    const key = (bytes: number): string => Buffer.alloc(bytes).toString('base64');
    for (const [bytes, status] of [
      [900, 200],
      [1100, 429],
      [300_000, 429],
    ] as const) {
      const answer = await gateway.post('/v3/kv/range', { key: key(bytes) });
      expect([bytes, answer.status]).toEqual([bytes, status]);
      if (status === 429) expect(await answer.json()).toMatchObject({ code: 8 });
    }
  });
});

describe('answers', () => {
  test('of a transaction: snake case, zeros left out, one of many kept', async () => {
    await using gateway = await openGateway({
      methods: [
        unaryMethod('/etcdserverpb.KV/Txn', [TxnRequestSchema, TxnResponseSchema], () =>
          create(TxnResponseSchema, {
            header: HEADER,
            succeeded: true,
            responses: [
              { response: { case: 'responsePut', value: { header: { revision: 2n } } } },
              {
                response: {
                  case: 'responseRange',
                  value: {
                    kvs: [{ key: utf8('foo'), createRevision: 2n, modRevision: 2n, version: 1n }],
                    count: 1n,
                  },
                },
              },
              { response: { case: 'responseDeleteRange', value: {} } },
            ],
          }),
        ),
      ],
    });
    const answer = await gateway.post('/v3/kv/txn', {});
    expect(await answer.text()).toContain(
      '"succeeded":true,"responses":[{"response_put":{"header":{"revision":"2"}}},' +
        '{"response_range":{"kvs":[{"key":"Zm9v","create_revision":"2","mod_revision":"2","version":"1"}],' +
        '"count":"1"}},{"response_delete_range":{}}]',
    );
  });

  test('enums by name, also inside requests', async () => {
    await using gateway = await openGateway({
      methods: [
        unaryMethod(
          '/etcdserverpb.Maintenance/Alarm',
          [AlarmRequestSchema, AlarmResponseSchema],
          ({ action, alarm }) =>
            create(AlarmResponseSchema, {
              alarms: [{ memberID: BigInt(action), alarm }, { alarm: 77 as AlarmType }],
            }),
        ),
      ],
    });
    const answer = await gateway.post('/v3/maintenance/alarm', { action: 'ACTIVATE', alarm: 1 });
    expect(await answer.text()).toBe(
      '{"alarms":[{"memberID":"1","alarm":"NOSPACE"},{"alarm":77}]}',
    );
  });

  test.each([
    [1, 499],
    [2, 500],
    [3, 400],
    [4, 504],
    [5, 404],
    [6, 409],
    [7, 403],
    [8, 429],
    [9, 400],
    [10, 409],
    [11, 400],
    [12, 501],
    [13, 500],
    [14, 503],
    [15, 500],
    [16, 401],
  ])('code %i is HTTP status %i', async (code, status) => {
    const message = '"leader" field must be provided';
    await using gateway = await openGateway({
      methods: [
        unaryMethod('/etcdserverpb.KV/Range', [RangeRequestSchema, RangeResponseSchema], () => {
          throw new Refusal({ code, message });
        }),
      ],
    });
    const answer = await gateway.post('/v3/kv/range', {});
    expect([answer.status, await answer.text()]).toEqual([
      status,
      `{"error":${JSON.stringify(message)},"message":${JSON.stringify(message)},"code":${code}}`,
    ]);
    expect(answer.headers.get('content-type')).toBe('application/json');
  });

  test('a bug in a method is an error of this request and a line in the log', async () => {
    await using gateway = await openGateway({
      methods: [
        unaryMethod('/etcdserverpb.KV/Range', [RangeRequestSchema, RangeResponseSchema], () => {
          throw new Error('planted');
        }),
      ],
    });
    const answer = await gateway.post('/v3/kv/range', {});
    expect([answer.status, (await answer.json()).message]).toEqual([500, 'internal error']);
    expect(gateway.errors).toEqual(['request failed by a bug']);
  });
});

describe('callers', () => {
  test('token and metadata come in headers, a certificate says nothing', async () => {
    const contexts: RpcContext[] = [];
    await using gateway = await openGateway({
      commonName: 'proxy',
      methods: [
        unaryMethod(
          '/etcdserverpb.KV/Range',
          [RangeRequestSchema, RangeResponseSchema],
          (_, context) => {
            contexts.push(context);
            return {};
          },
        ),
      ],
    });
    await gateway.post('/v3/kv/range', {}, { authorization: 'abc.12' });
    await gateway.post('/v3/kv/range', {}, { authorization: 'Bearer abc.12' });
    await gateway.post('/v3/kv/range', {}, { 'grpc-metadata-hasleader': 'true' });
    const [raw, bearer, leader] = contexts.map(({ caller }) => caller);
    expect(raw).toEqual({ token: 'abc.12', commonName: undefined, requireLeader: false });
    expect(bearer).toEqual(raw);
    expect(leader).toEqual({ token: undefined, commonName: undefined, requireLeader: true });
  });

  test('a deadline ends the wait', async () => {
    await using gateway = await openGateway({
      methods: [
        unaryMethod(
          '/etcdserverpb.KV/Range',
          [RangeRequestSchema, RangeResponseSchema],
          () => new Promise(() => undefined),
        ),
      ],
    });
    const answer = await gateway.post('/v3/kv/range', {}, { 'grpc-timeout': '20m' });
    expect([answer.status, (await answer.json()).code]).toEqual([504, 4]);
    const malformed = await gateway.post('/v3/kv/range', {}, { 'grpc-timeout': 'soon' });
    expect(malformed.status).toBe(400);
  });

  test('calls are told to the observer as calls of gRPC are', async () => {
    const calls: unknown[] = [];
    await using gateway = await openGateway({
      observer: {
        started: (call) => calls.push(call),
        transferred: () => undefined,
        handled: ({ startedNs: _, ...call }: HandledCall) => calls.push(call),
      },
      methods: [
        unaryMethod('/etcdserverpb.KV/Range', [RangeRequestSchema, RangeResponseSchema], () => ({
          count: 1n,
        })),
      ],
    });
    await (await gateway.post('/v3/kv/range', { key: 'YQ==' })).text();
    await (await gateway.post('/v3/kv/range', '!')).text();
    const call = { method: '/etcdserverpb.KV/Range', type: 'unary' };
    expect(calls).toEqual([
      { ...call, clientApiVersion: 'unknown' },
      { ...call, code: 0, receivedBytes: 3, sentBytes: 2 },
      { ...call, clientApiVersion: 'unknown' },
      { ...call, code: 3, receivedBytes: 0, sentBytes: 0 },
    ]);
  });
});

describe('paths', () => {
  test('every path has a method with messages; one that is not served says so', async () => {
    await using gateway = await openGateway();
    expect(GATEWAY_ROUTES.size).toBe(51);
    for (const path of GATEWAY_ROUTES.keys()) {
      const answer = await gateway.post(`/v3/${path}`, {});
      expect([path, answer.status]).toEqual([path, 501]);
      expect((await answer.json()).message).toMatch(/^unknown method \w+ for service [\w.]+$/);
    }
  });

  test('other methods and other paths', async () => {
    await using gateway = await openGateway();
    const wrong = await fetch(`${gateway.endpoint}/v3/kv/range`);
    expect([wrong.status, await wrong.text()]).toEqual([405, 'Method Not Allowed\n']);
    for (const path of [
      '/v3/kv/ranges',
      '/v3/',
      '/v3beta/x',
      '/v3/kv/range/',
      '/v3alpha/kv/range',
    ]) {
      const missing = await gateway.post(path, {});
      expect([path, missing.status, await missing.text()]).toEqual([path, 404, 'Not Found\n']);
      expect(missing.headers.get('content-type')).toMatch(/^text\/plain/);
    }
  });

  test('without the gateway there are none of them', async () => {
    await using gateway = await openGateway({ withoutGateway: true });
    expect((await gateway.post('/v3/kv/range', {})).status).toBe(404);
    expect((await fetch(`${gateway.endpoint}/health`)).status).toBe(200);
  });
});
