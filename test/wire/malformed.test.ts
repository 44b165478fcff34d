import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeMemberListRequest,
  decodeMemberListResponse,
} from '../../src/wire/cluster-messages.ts';
import { readDeleteRangeRequest } from '../../src/wire/delete-range-messages.ts';
import { decodeLoggedRequest, encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { decodeStatusResponse } from '../../src/wire/maintenance-messages.ts';
import {
  decodeMessage,
  type ProtoReader,
  REQUEST_LIMITS,
  type WireErrorCode,
} from '../../src/wire/proto-reader.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import { readPutRequest, writePutRequest } from '../../src/wire/put-messages.ts';
import { readRangeRequest, readRangeResponse } from '../../src/wire/range-messages.ts';
import { readTxnRequest, readTxnResponse } from '../../src/wire/txn-messages.ts';
import * as arbitrary from './arbitraries.ts';

const READERS: readonly ((reader: ProtoReader) => unknown)[] = [
  readRangeRequest,
  readRangeResponse,
  readPutRequest,
  readDeleteRangeRequest,
  readTxnRequest,
  readTxnResponse,
];

function decode(bytes: readonly number[], read: (reader: ProtoReader) => unknown): string {
  const result = decodeMessage(Uint8Array.from(bytes), read, REQUEST_LIMITS);
  return result.ok ? 'ok' : result.error.code;
}

/** `depth` transactions within each other, the innermost empty. */
function nestedTxn(depth: number): Uint8Array {
  let bytes = new Uint8Array(0);
  for (let i = 0; i < depth; i++) {
    for (const field of [4, 2]) {
      const writer = new ProtoWriter(bytes.length + 8);
      writer.alwaysBytes(field, bytes);
      bytes = writer.finish().slice();
    }
  }
  return bytes;
}

describe('bytes that are no message', () => {
  test('random ones are refused or read, never thrown at', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        for (const read of READERS) decodeMessage(bytes, read, REQUEST_LIMITS);
        decodeLoggedRequest(bytes);
        decodeStatusResponse(bytes);
        decodeMemberListRequest(bytes);
        decodeMemberListResponse(bytes);
      }),
      { ...(arbitrary.PROPERTY as fc.Parameters<[Uint8Array]>), numRuns: 3000 },
    );
  });

  test('one byte changed, or the end cut off, of a real one', () => {
    const change = fc.record({ at: fc.nat(), to: fc.nat(255), cut: fc.nat() });
    fc.assert(
      fc.property(arbitrary.loggedRequest, change, (logged, { at, to, cut }) => {
        const bytes = encodeLoggedRequest(logged).slice();
        bytes[at % bytes.length] = to;
        decodeLoggedRequest(bytes);
        decodeLoggedRequest(bytes.subarray(0, cut % bytes.length));
      }),
      arbitrary.PROPERTY as fc.Parameters<[unknown, { at: number; to: number; cut: number }]>,
    );
  });

  test('a put cut anywhere within a field is truncated', () => {
    const writer = new ProtoWriter();
    writePutRequest(writer, {
      key: Uint8Array.of(1, 2, 3),
      value: new Uint8Array(200),
      lease: -1n,
      prevKv: false,
      ignoreValue: false,
      ignoreLease: false,
    });
    const bytes = writer.finish();
    const fieldEnds = new Set([0, 5, 5 + 203, bytes.length]);
    for (let length = 0; length <= bytes.length; length++) {
      const { ok } = decodeMessage(bytes.subarray(0, length), readPutRequest);
      expect([length, ok]).toEqual([length, fieldEnds.has(length)]);
    }
  });

  test.each<[string, number[], WireErrorCode | 'ok']>([
    ['field number 0', [0x02, 0x00], 'malformed'],
    ['a group', [0x0b, 0x0c], 'malformed'],
    ['wire type 7', [0x0f], 'malformed'],
    ['a key that is a number', [0x08, 0x01], 'malformed'],
    ['a flag that is bytes', [0x22, 0x00], 'malformed'],
    ['a length beyond 32 bits', [0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], 'malformed'],
    ['a varint of 11 bytes', [0x18, ...new Array(10).fill(0x80), 0x01], 'malformed'],
    ['a varint of 65 bits', [0x18, ...new Array(9).fill(0xff), 0x02], 'malformed'],
    ['a varint of 64 bits', [0x18, ...new Array(9).fill(0xff), 0x01], 'ok'],
    [
      'unknown fields of every size',
      [
        ...[0xf8, 0x01, 0x96, 0x01],
        ...[0xf9, 0x01, 1, 2, 3, 4, 5, 6, 7, 8],
        ...[0xfa, 0x01, 2, 1, 2],
        ...[0xfd, 0x01, 1, 2, 3, 4],
      ],
      'ok',
    ],
    ['an unknown field cut short', [0xf9, 0x01, 1, 2, 3], 'malformed'],
  ])('put: %s', (_, bytes, expected) => {
    expect(decode(bytes, readPutRequest)).toBe(expected);
  });

  test('depth and number of nested messages are bounded', () => {
    expect(decodeMessage(nestedTxn(50), readTxnRequest, REQUEST_LIMITS).ok).toBe(true);
    expect(decodeMessage(nestedTxn(51), readTxnRequest, REQUEST_LIMITS)).toMatchObject({
      error: { code: 'malformed', message: 'messages nested too deep' },
    });
    const many = new Array(70_000).fill([0x0a, 0x00]).flat();
    expect(decode(many, readTxnRequest)).toBe('tooManyMessages');
  });

  test('the deepest request that is accepted can be read back from the log', () => {
    const deepest = decodeMessage(nestedTxn(50), readTxnRequest, REQUEST_LIMITS);
    if (!deepest.ok) expect.fail('accepted above');
    const logged = { id: 1n, request: { type: 'txn', request: deepest.value } } as const;
    expect(decodeLoggedRequest(encodeLoggedRequest(logged))).toEqual({ ok: true, value: logged });
  });
});

describe('messages whose meaning cannot be told', () => {
  test('sort options, comparisons and operations that do not exist', () => {
    expect(decode([0x0a, 1, 97, 0x28, 3], readRangeRequest)).toBe('invalidSortOption');
    expect(decode([0x0a, 1, 97, 0x30, 5], readRangeRequest)).toBe('invalidSortOption');
    expect(decode([0x28, 3], readRangeRequest)).toBe('ok');
    expect(decode([0x0a, 2, 0x08, 4], readTxnRequest)).toBe('invalidCompare');
    expect(decode([0x0a, 2, 0x10, 5], readTxnRequest)).toBe('invalidCompare');
    expect(decode([0x12, 0], readTxnRequest)).toBe('emptyOperation');
  });

  test('an operand of another target counts as none', () => {
    const bytes = Uint8Array.from([0x0a, 6, 0x10, 2, 0x20, 9, 0x1a, 0]);
    expect(decodeMessage(bytes, readTxnRequest)).toMatchObject({
      value: { compare: [{ target: 'mod', operand: 0 }] },
    });
  });

  test('numbers beyond the safe integers become the nearest safe one', () => {
    const max = [0x18, ...new Array(8).fill(0xff), 0x7f];
    const min = [0x20, ...new Array(9).fill(0x80), 0x01];
    expect(decodeMessage(Uint8Array.from([...max, ...min]), readRangeRequest)).toMatchObject({
      value: { limit: Number.MAX_SAFE_INTEGER, revision: Number.MIN_SAFE_INTEGER },
    });
  });
});
