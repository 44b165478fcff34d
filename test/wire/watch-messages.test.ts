import { create, toBinary } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { equalBytes } from '../../src/lib/bytes.ts';
import type { WatchEvent, WatchRequest, WatchResult } from '../../src/mvcc/watch-request.ts';
import * as rpc from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { Event_EventType } from '../../src/wire/gen/mvccpb/kv_pb.ts';
import { decodeMessage } from '../../src/wire/proto-reader.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import type { AnswerMessage } from '../../src/wire/range-messages.ts';
import {
  emptyResponseSizeBytes,
  eventSizeBytes,
  eventSizeHintBytes,
  readWatchRequest,
  readWatchResponse,
  watchResponseSizeHintBytes,
  writeWatchRequest,
  writeWatchResponse,
} from '../../src/wire/watch-messages.ts';
import * as arbitrary from './arbitraries.ts';
import * as init from './to-generated.ts';

/** The codec written by hand against the generated one: same bytes out, same value back. */

const int64 = fc.oneof(fc.maxSafeInteger(), fc.integer({ min: -300, max: 300 }));
const nat = fc.oneof(fc.maxSafeNat(), fc.nat(300));

const watchRequest: fc.Arbitrary<WatchRequest> = fc.oneof(
  fc.record({
    type: fc.constant('create' as const),
    request: fc.record({
      key: arbitrary.bytes,
      rangeEnd: arbitrary.bytes,
      startRevision: int64,
      progressNotify: fc.boolean(),
      filters: fc.shuffledSubarray(['noPut' as const, 'noDelete' as const]),
      prevKv: fc.boolean(),
      watchId: int64,
      fragment: fc.boolean(),
    }),
  }),
  fc.record({ type: fc.constant('cancel' as const), watchId: int64 }),
  fc.constant({ type: 'progress' as const }),
  fc.constant({ type: 'unknown' as const }),
);

const event: fc.Arbitrary<WatchEvent> = fc.record({
  type: fc.constantFrom('put', 'delete'),
  kv: arbitrary.keyValue,
  prevKv: fc.option(arbitrary.keyValue, { nil: undefined }),
});

const answer: fc.Arbitrary<AnswerMessage<WatchResult>> = fc.record({
  header: arbitrary.header,
  result: fc.record({
    watchId: int64,
    created: fc.boolean(),
    canceled: fc.boolean(),
    compactRevision: nat,
    cancelReason: fc.string({ unit: 'grapheme', maxLength: 20 }),
    fragment: fc.boolean(),
    events: fc.array(event, { maxLength: 4 }),
  }),
});

const FILTER_NUMBERS = { noPut: 0, noDelete: 1 } as const;

function generatedRequest(request: WatchRequest): Uint8Array {
  const union = (() => {
    switch (request.type) {
      case 'create': {
        const { startRevision, watchId, filters, ...rest } = request.request;
        const value = create(rpc.WatchCreateRequestSchema, {
          ...rest,
          startRevision: BigInt(startRevision),
          watchId: BigInt(watchId),
          filters: filters.map((filter) => FILTER_NUMBERS[filter]),
        });
        return { case: 'createRequest' as const, value };
      }
      case 'cancel': {
        const watchId = BigInt(request.watchId);
        const value = create(rpc.WatchCancelRequestSchema, { watchId });
        return { case: 'cancelRequest' as const, value };
      }
      case 'progress':
        return {
          case: 'progressRequest' as const,
          value: create(rpc.WatchProgressRequestSchema, {}),
        };
      case 'unknown':
        return { case: undefined };
    }
  })();
  return toBinary(rpc.WatchRequestSchema, create(rpc.WatchRequestSchema, { requestUnion: union }));
}

function generatedResponse({ header, result }: AnswerMessage<WatchResult>): Uint8Array {
  return toBinary(
    rpc.WatchResponseSchema,
    create(rpc.WatchResponseSchema, {
      ...result,
      header: init.headerInit(header),
      watchId: BigInt(result.watchId),
      compactRevision: BigInt(result.compactRevision),
      events: result.events.map(({ type, kv, prevKv }) => ({
        type: type === 'delete' ? Event_EventType.DELETE : Event_EventType.PUT,
        kv: init.keyValueInit(kv),
        prevKv: prevKv === undefined ? undefined : init.keyValueInit(prevKv),
      })),
    }),
  );
}

function encoded<Value>(write: (writer: ProtoWriter, value: Value) => void, value: Value) {
  const writer = new ProtoWriter(1);
  write(writer, value);
  return writer.finish();
}

function expectSameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (!equalBytes(actual, expected)) expect([...actual]).toEqual([...expected]);
}

describe('watch messages', () => {
  test('requests', () => {
    fc.assert(
      fc.property(watchRequest, (request) => {
        const bytes = generatedRequest(request);
        expectSameBytes(encoded(writeWatchRequest, request), bytes);
        expect(decodeMessage(bytes, readWatchRequest)).toEqual({ ok: true, value: request });
      }),
      arbitrary.PROPERTY,
    );
  });

  test('responses, and what sizes are said to be', () => {
    fc.assert(
      fc.property(answer, (response) => {
        const bytes = generatedResponse(response);
        // The second and third time, shared parts are copied.
        for (let i = 0; i < 3; i++) expectSameBytes(encoded(writeWatchResponse, response), bytes);
        expect(decodeMessage(bytes, readWatchResponse)).toEqual({ ok: true, value: response });
        const hintBytes = watchResponseSizeHintBytes(response.result);
        expect(hintBytes).toBeGreaterThanOrEqual(bytes.length - 8);
        const { events } = response.result;
        const sizes = events.map(eventSizeBytes).reduce((sum, size) => sum + size, 0);
        expect(emptyResponseSizeBytes(response) + sizes).toBe(bytes.length);
        for (const one of events) {
          expect(eventSizeHintBytes(one)).toBeGreaterThanOrEqual(eventSizeBytes(one));
        }
      }),
      arbitrary.PROPERTY,
    );
  });

  test('filters that are not packed, and such as do not exist', () => {
    const create = [0x0a, 8, 0x28, 1, 0x2a, 4, 0, 7, 1, 0x80];
    expect(decodeMessage(Uint8Array.from(create), readWatchRequest)).toMatchObject({ ok: false });
    const whole = [0x0a, 7, 0x28, 1, 0x2a, 3, 0, 7, 1];
    expect(decodeMessage(Uint8Array.from(whole), readWatchRequest)).toMatchObject({
      ok: true,
      value: { type: 'create', request: { filters: ['noDelete', 'noPut'] } },
    });
  });

  test('random bytes are refused or read, never more', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        for (const read of [readWatchRequest, readWatchResponse]) {
          const result = decodeMessage<unknown>(bytes, read);
          expect(result.ok || result.error.code).toBeTruthy();
        }
      }),
      arbitrary.PROPERTY,
    );
  });

  test('keys do not alias the input', () => {
    const request: WatchRequest = fc
      .sample(watchRequest, {
        seed: 1,
        numRuns: 20,
      })
      .find(({ type }) => type === 'create')!;
    const bytes = generatedRequest(request);
    const read = decodeMessage(bytes, readWatchRequest);
    bytes.fill(0xff);
    expect(read).toEqual({ ok: true, value: request });
  });
});
