import { fromBinary, toJson } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JsonPieces } from '../../src/api/gateway/json-pieces.ts';
import { encodeRange } from '../../src/api/methods/large-range.ts';
import type { LargeAnswer, UnaryMethod } from '../../src/api/rpc.ts';
import { AssertionError } from '../../src/lib/assert.ts';
import { ok } from '../../src/lib/result.ts';
import type { KeyValue, RangeResult } from '../../src/mvcc/request.ts';
import type { LargeRange } from '../../src/service/large-ranges.ts';
import { RangeResponseSchema } from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import { GRPC_PREFIX_BYTES } from '../../src/wire/grpc-frame.ts';
import { type AnswerMessage, rangeKeyValueSizeBytes } from '../../src/wire/range-messages.ts';
import * as arbitrary from '../wire/arbitraries.ts';
import { openGateway } from './gateway-fixture.ts';
import { type GrpcFixture, openCall, openGrpc, until } from './grpc-fixture.ts';

const RANGE = '/etcdserverpb.KV/Range';
const HEADER = { clusterId: 1n, memberId: 2n, revision: 3, raftTerm: 4 };
const PIECE = { itemsMax: 2, bytesMax: 1_000 };

/** Keys are not empty, as in every store. */
const answers: fc.Arbitrary<AnswerMessage<RangeResult>> = fc.record({
  header: arbitrary.header,
  result: fc.record({
    kvs: fc.array(
      arbitrary.keyValue.filter(({ key }) => key.length > 0),
      { maxLength: 7 },
    ),
    more: fc.boolean(),
    count: fc.nat({ max: 3 }),
  }),
});

interface Probe {
  readonly range: LargeRange;
  /** How often each was called. */
  asked: number;
  released: number;
}

/** `sizeBytes`: what it claims. */
function largeRange({ header, result }: AnswerMessage<RangeResult>, sizeBytes?: number): Probe {
  const { kvs, more, count } = result;
  let at = 0;
  const exactBytes = kvs.reduce((sum, kv) => sum + rangeKeyValueSizeBytes(kv), 0);
  const probe: Probe = {
    asked: 0,
    released: 0,
    range: {
      header,
      result: { more, count },
      parts: {
        sizeBytes: sizeBytes ?? exactBytes,
        next: async (keysMax) => {
          probe.asked++;
          const part = kvs.slice(at, at + keysMax);
          at += part.length;
          return part;
        },
        release: () => {
          probe.released++;
        },
      },
    },
  };
  return probe;
}

function keyValues(count: number, valueBytes: number): KeyValue[] {
  return Array.from({ length: count }, (_, n) => ({
    key: Uint8Array.of(1 + (n >> 8), n & 255),
    createRevision: n + 1,
    modRevision: n + 2,
    version: 1,
    value: new Uint8Array(valueBytes).fill(n),
    lease: BigInt(n),
  }));
}

async function piecesOf(answer: LargeAnswer): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const piece = await answer.next(PIECE);
    if (piece === undefined) return pieces;
    pieces.push(piece.slice());
  }
}

function large(probe: Probe): LargeAnswer {
  const answer = encodeRange(probe.range);
  if (answer instanceof Uint8Array) throw new Error('encoded at once');
  return answer;
}

describe('pieces of an answer', () => {
  test('are together what it is at once, as bytes and as JSON', async () => {
    await fc.assert(
      fc.asyncProperty(answers, async (answer) => {
        const whole = encodeRange(answer);
        if (!(whole instanceof Uint8Array)) throw new Error('not at once');
        const message = whole.subarray(GRPC_PREFIX_BYTES);
        const inPieces = large(largeRange(answer));
        expect(inPieces.messageBytes).toBe(message.length);
        const pieces = await piecesOf(inPieces);
        expect(Buffer.concat(pieces)).toEqual(Buffer.from(message));
        const json = new JsonPieces();
        const jsonOf = (bytes: Uint8Array) =>
          toJson(RangeResponseSchema, fromBinary(RangeResponseSchema, bytes));
        const text = pieces.map((piece) => json.add(jsonOf(piece))).join('') + json.end();
        expect(text).toBe(JSON.stringify(jsonOf(message)));
      }),
      arbitrary.PROPERTY,
    );
  });

  test('that are not what was said to come are a bug', async () => {
    const answer = { header: HEADER, result: { kvs: keyValues(5, 9), more: false, count: 5 } };
    for (const sizeBytes of [0, 60, 10_000]) {
      const pieces = piecesOf(large(largeRange(answer, sizeBytes)));
      await expect(pieces).rejects.toThrow(AssertionError);
    }
  });
});

const KEYS = 64;
const VALUE_BYTES = 50_000;
const ANSWER = {
  header: HEADER,
  result: { kvs: keyValues(KEYS, VALUE_BYTES), more: true, count: 99 },
};

function methodOf(probe: Probe, wait: Promise<unknown> = Promise.resolve()): UnaryMethod {
  return {
    type: 'unary',
    path: RANGE,
    handle: async () => {
      await wait;
      return ok(encodeRange(probe.range));
    },
  };
}

async function call(
  { client }: GrpcFixture,
  read: (bytes: Uint8Array) => void,
): Promise<{ status: unknown; rstCode: number | undefined }> {
  const { stream, closed } = openCall(client, RANGE, { isReading: false });
  let status: unknown;
  stream.on('trailers', (trailers) => {
    status = trailers['grpc-status'];
  });
  stream.on('data', read);
  stream.end(new Uint8Array(GRPC_PREFIX_BYTES));
  await closed;
  return { status, rstCode: stream.rstCode };
}

describe('over gRPC', () => {
  test('all pieces come in one message', async () => {
    const probe = largeRange(ANSWER);
    await using grpc = await openGrpc([methodOf(probe)]);
    const chunks: Uint8Array[] = [];
    const { status } = await call(grpc, (chunk) => chunks.push(chunk));
    expect(status).toBe('0');
    const expected = Buffer.from(encodeRange(ANSWER) as Uint8Array);
    expect(Buffer.concat(chunks).equals(expected)).toBe(true);
    expect(probe.released).toBe(1);
    expect(grpc.seen.handledCalls).toMatchObject([
      { code: GrpcCode.ok, sentBytes: expected.length - GRPC_PREFIX_BYTES },
    ]);
  });

  test('no more is made than the client reads; when it leaves, all is released', async () => {
    const probe = largeRange(ANSWER);
    await using grpc = await openGrpc([methodOf(probe)]);
    const { stream } = openCall(grpc.client, RANGE, { isReading: false });
    stream.end(new Uint8Array(GRPC_PREFIX_BYTES));
    await until(() => probe.asked > 0);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // A window of 64 KiB and one piece.
    expect(probe.asked).toBeLessThan(10);
    expect(probe.released).toBe(0);
    stream.close();
    await until(() => probe.released === 1);
  });

  test('a client that takes nothing is cut off', async () => {
    const probe = largeRange(ANSWER);
    await using grpc = await openGrpc([methodOf(probe)], { limits: { stallMs: 20 } });
    const { stream, closed } = openCall(grpc.client, RANGE, { isReading: false });
    stream.end(new Uint8Array(GRPC_PREFIX_BYTES));
    await until(() => probe.released === 1);
    stream.resume();
    await closed;
    expect(stream.rstCode).toBe(8);
  });

  test('an answer for nobody is released', async () => {
    const probe = largeRange(ANSWER);
    const { promise, resolve } = Promise.withResolvers<void>();
    await using grpc = await openGrpc([methodOf(probe, promise)]);
    const { stream, closed } = openCall(grpc.client, RANGE);
    stream.end(new Uint8Array(GRPC_PREFIX_BYTES));
    await until(() => grpc.seen.startedCalls.length === 1);
    stream.close();
    await closed;
    await until(() => grpc.seen.handledCalls.length === 1);
    resolve();
    await until(() => probe.released === 1);
    expect(probe.asked).toBe(0);
  });

  test('a bug in the middle resets the stream', async () => {
    const probe = largeRange(ANSWER, 60_000);
    await using grpc = await openGrpc([methodOf(probe)]);
    const { status, rstCode } = await call(grpc, () => undefined);
    expect([status, rstCode]).toEqual([undefined, 2]);
    expect(probe.released).toBe(1);
    expect(grpc.bugs).toHaveLength(1);
  });
});

describe('over the JSON gateway', () => {
  test('all pieces come in one object', async () => {
    const probe = largeRange(ANSWER);
    await using gateway = await openGateway({ methods: [methodOf(probe)] });
    const answer = await gateway.post('/v3/kv/range', {});
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    const { kvs, ...rest } = await answer.json();
    expect(rest).toEqual({
      header: { cluster_id: '1', member_id: '2', revision: '3', raft_term: '4' },
      more: true,
      count: '99',
    });
    expect(kvs.length).toBe(KEYS);
    expect(kvs[7]).toEqual({
      key: 'AQc=',
      create_revision: '8',
      mod_revision: '9',
      version: '1',
      value: Buffer.alloc(VALUE_BYTES, 7).toString('base64'),
      lease: '7',
    });
    expect(probe.released).toBe(1);
  });

  test('a client that leaves, or takes nothing, releases it', async () => {
    for (const stallMs of [20, 60_000]) {
      const endless = { ...ANSWER, result: { ...ANSWER.result, kvs: keyValues(900, 60_000) } };
      const probe = largeRange(endless);
      await using gateway = await openGateway({ methods: [methodOf(probe)], limits: { stallMs } });
      const answer = await gateway.post('/v3/kv/range', {});
      if (stallMs > 1_000) await answer.body?.cancel();
      await until(() => probe.released === 1);
      if (stallMs < 1_000) await expect(answer.text()).rejects.toThrow();
    }
  });

  test('one that comes after the deadline is released', async () => {
    const probe = largeRange(ANSWER);
    const { promise, resolve } = Promise.withResolvers<void>();
    await using gateway = await openGateway({ methods: [methodOf(probe, promise)] });
    const answer = await gateway.post('/v3/kv/range', {}, { 'grpc-timeout': '20m' });
    expect(answer.status).toBe(504);
    resolve();
    await until(() => probe.released === 1);
  });

  test('a bug in the middle cuts the connection', async () => {
    const probe = largeRange(ANSWER, 60_000);
    await using gateway = await openGateway({ methods: [methodOf(probe)] });
    const answer = gateway.post('/v3/kv/range', {}).then((response) => response.text());
    await expect(answer).rejects.toThrow();
    expect(gateway.errors).toEqual(['request failed by a bug']);
    expect(probe.released).toBe(1);
  });
});
