import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Permission_Type } from '../../src/wire/gen/authpb/auth_pb.ts';
import { InternalRaftRequestSchema } from '../../src/wire/gen/etcdserverpb/raft_internal_pb.ts';
import type {
  AlarmRequest_AlarmAction,
  AlarmType,
} from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { RequestSchema } from '../../src/wire/gen/etcdserverpb/v2_request_pb.ts';
import { decodeLoggedRequest, encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import { writeTxnRequest } from '../../src/wire/txn-messages.ts';
import { PROPERTY } from './arbitraries.ts';
import { authRequests, internalRequests, loggedWith } from './logged-arbitraries.ts';
import { loggedRequestInit } from './logged-to-generated.ts';

const NOTHING = { value: { request: { type: 'nothing' } } };

function generated(init: MessageInitShape<typeof InternalRaftRequestSchema>): Uint8Array {
  return toBinary(InternalRaftRequestSchema, create(InternalRaftRequestSchema, init));
}

/** Bare, as servers up to 3.5 log it: all fields that are no pointers there, zero or not. */
function v2Bytes(Method: string, Path: string, Val: string): Uint8Array {
  const zeros = { Dir: false, PrevValue: '', PrevIndex: 0n, Expiration: 0n, Wait: false };
  const more = { Since: 0n, Recursive: false, Sorted: false, Quorum: false, Time: 0n };
  const message = { ID: 9n, Method, Path, Val, Stream: false, ...zeros, ...more };
  return toBinary(RequestSchema, create(RequestSchema, message));
}

describe('the same bytes as the generated codec, and back', () => {
  const { auth: _, ...others } = internalRequests;
  const cases = [
    ...Object.entries(others),
    ...Object.entries(authRequests).map(([name, request]) => {
      return [name, request.map((value) => ({ type: 'auth', request: value }))] as const;
    }),
  ];
  test.each(cases)('%s', (_name, request) => {
    fc.assert(
      fc.property(loggedWith(request as fc.Arbitrary<never>), (logged) => {
        const bytes = encodeLoggedRequest(logged);
        const oracle = generated(loggedRequestInit(logged));
        expect(Buffer.from(bytes).toString('hex')).toBe(Buffer.from(oracle).toString('hex'));
        expect(decodeLoggedRequest(bytes)).toEqual({ ok: true, value: logged });
      }),
      { ...PROPERTY, numRuns: 60 } as fc.Parameters<[unknown]>,
    );
  });
});

describe('entries of real etcd', () => {
  test('the id of old servers stands outside the header', () => {
    const writer = new ProtoWriter();
    writer.bits64(1, 77n);
    writer.message(6, { compare: [], success: [], failure: [] }, writeTxnRequest);
    expect(decodeLoggedRequest(writer.finish())).toMatchObject({ ok: true, value: { id: 77n } });
  });

  test('a member tells its name and URLs through the v2 store', () => {
    const path = '/0/members/8e9e05c52164694d/attributes';
    const json = '{"name":"m1","clientURLs":["http://127.0.0.1:2379"]}';
    const value = {
      id: 9n,
      request: {
        type: 'memberAttributes',
        request: {
          memberId: 0x8e9e_05c5_2164_694dn,
          name: 'm1',
          clientUrls: ['http://127.0.0.1:2379'],
        },
      },
    };
    expect(decodeLoggedRequest(v2Bytes('PUT', path, json))).toEqual({ ok: true, value });
    const v2 = { ID: 9n, Method: 'PUT', Path: path, Val: json };
    expect(decodeLoggedRequest(generated({ v2 }))).toEqual({ ok: true, value });
    // A member without a name or URLs leaves them out.
    expect(decodeLoggedRequest(v2Bytes('PUT', path, '{}'))).toMatchObject({
      ok: true,
      value: { request: { request: { name: '', clientUrls: [] } } },
    });
  });

  test("the cluster's version is a key of the v2 store", () => {
    expect(decodeLoggedRequest(v2Bytes('PUT', '/0/version', '3.4.0'))).toEqual({
      ok: true,
      value: { id: 9n, request: { type: 'clusterVersion', version: '3.4.0' } },
    });
  });

  test.each([
    ['PUT', '/1/a', 'v'],
    ['PUT', '/0/members/xyz/attributes', '{}'],
    ['DELETE', '/0/version', ''],
    ['POST', '/1/queue', 'v'],
    ['GET', '/1/a', ''],
    ['QGET', '/1/a', ''],
    ['HEAD', '/1/a', ''],
    ['SYNC', '', ''],
  ])('%s %s of the v2 store is nothing here', (method, path, value) => {
    expect(decodeLoggedRequest(v2Bytes(method, path, value))).toEqual({
      ok: true,
      value: { id: 9n, request: { type: 'nothing' } },
    });
  });

  test.each(['', '[1', '"x"', 'null', '{"name":3}', '{"clientURLs":"u"}', '{"clientURLs":[1]}'])(
    'attributes that are none are refused: %s',
    (json) => {
      expect(decodeLoggedRequest(v2Bytes('PUT', '/0/members/1/attributes', json))).toMatchObject({
        ok: false,
        error: { code: 'malformed' },
      });
    },
  );

  test.each([
    { range: { key: Uint8Array.of(1) } },
    { authStatus: {} },
    { authUserGet: { name: 'u' } },
    { authUserList: {} },
    { authRoleList: {} },
    { authRoleGet: { role: 'r' } },
  ])('questions that were logged change nothing: %j', (variant) => {
    expect(decodeLoggedRequest(generated({ header: { ID: 3n }, ...variant }))).toEqual({
      ok: true,
      value: { id: 3n, request: { type: 'nothing' } },
    });
  });

  test('an alarm without a type, or of unknown numbers, harms nothing', () => {
    const alarm = (action: AlarmRequest_AlarmAction, type: AlarmType): unknown =>
      decodeLoggedRequest(generated({ header: { ID: 3n }, alarm: { action, alarm: type } }));
    expect(alarm(1, 0)).toMatchObject({
      value: { request: { type: 'alarm', request: { action: 'activate', type: undefined } } },
    });
    for (const number of [9, -1]) {
      // Numbers that the enums do not have.
      expect(alarm(number as AlarmRequest_AlarmAction, 1)).toMatchObject(NOTHING);
      expect(alarm(1, number as AlarmType)).toMatchObject(NOTHING);
    }
  });
});

describe('entries that cannot be applied are refused', () => {
  test.each([12, 99, 101, 1001, 1108, 1303, 9900])('unknown variant %i', (field) => {
    const writer = new ProtoWriter();
    writer.bits64(1, 5n);
    writer.message(field, undefined, () => undefined);
    expect(decodeLoggedRequest(writer.finish())).toMatchObject({
      error: { code: 'unknownVariant', message: expect.stringContaining(`field ${field}`) },
    });
  });

  test('no variant at all', () => {
    for (const bytes of [new Uint8Array(0), generated({ header: { ID: 4n } })]) {
      expect(decodeLoggedRequest(bytes)).toMatchObject({ error: { code: 'unknownVariant' } });
    }
  });

  test('passwords that each member was to hash for itself', () => {
    for (const variant of [
      { authUserAdd: { name: 'u', password: 'p' } },
      { authUserChangePassword: { name: 'u', password: 'p' } },
    ]) {
      expect(decodeLoggedRequest(generated({ header: { ID: 4n }, ...variant }))).toMatchObject({
        error: { code: 'unknownVariant', message: expect.stringContaining('not hashed') },
      });
    }
    const hashed = { name: 'u', password: '', hashedPassword: 'aGFzaA==' };
    expect(decodeLoggedRequest(generated({ authUserAdd: hashed })).ok).toBe(true);
  });

  test('permissions of an unknown type', () => {
    const authRoleGrantPermission = { name: 'r', perm: { permType: 7 as Permission_Type } };
    expect(decodeLoggedRequest(generated({ authRoleGrantPermission }))).toMatchObject({
      error: { code: 'unknownVariant' },
    });
  });

  test('noise', () => {
    expect(decodeLoggedRequest(Uint8Array.of(0xff, 0xff))).toMatchObject({
      error: { code: 'malformed' },
    });
    // Begins like an old request, whose method does not exist.
    expect(decodeLoggedRequest(v2Bytes('TEAPOT', '/', ''))).toMatchObject({
      error: { code: 'malformed' },
    });
  });
});
