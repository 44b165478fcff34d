import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry } from '../../src/raft/message.ts';
import { decodeKeyValue, encodeKeyValue } from '../../src/wire/key-value.ts';
import {
  decodeConfChange,
  decodeConfState,
  decodeEntry,
  decodeHardState,
  decodeSnapshotRecord,
  decodeWalMetadata,
  encodeConfChange,
  encodeConfState,
  encodeHardState,
  encodeSnapshotRecord,
  encodeWalMetadata,
  entrySizeBytes,
  writeEntry,
} from '../../src/wire/raft-records.ts';
import { FieldReader, FieldWriter } from '../../src/wire/record-fields.ts';

const id = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const memberId = fc.bigInt({ min: 1n, max: 0xffff_ffff_ffff_ffffn });
const number = fc.maxSafeNat();
const counted = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const confState = fc.record({
  voters: fc.array(memberId),
  learners: fc.array(memberId),
  votersOutgoing: fc.array(memberId),
  learnersNext: fc.array(memberId),
  autoLeave: fc.boolean(),
});
const SEEDED = { seed: 20_260_803, numRuns: 200 };

describe('each record comes back as it was', () => {
  test('entry, in the size that was foretold', () => {
    const entry: fc.Arbitrary<Entry> = fc.record({
      type: fc.constantFrom('normal', 'confChange', 'confChangeV2'),
      term: counted,
      index: counted,
      data: fc.uint8Array({ maxLength: 300 }),
    });
    fc.assert(
      fc.property(entry, (value) => {
        const bytes = encodeEntry(value);
        expect(bytes.length).toBe(entrySizeBytes(value));
        expect(decodeEntry(bytes)).toEqual({ ok: true, value });
      }),
      SEEDED,
    );
  });

  test('hard state, metadata, conf change, conf state, snapshot, key-value', () => {
    const hardState = fc.record({
      term: counted,
      vote: fc.option(memberId, { nil: undefined }),
      commit: number,
    });
    check(hardState, encodeHardState, decodeHardState);
    check(fc.record({ memberId: id, clusterId: id }), encodeWalMetadata, decodeWalMetadata);
    const type = fc.constantFrom('addNode', 'removeNode', 'updateNode', 'addLearnerNode');
    const context = fc.uint8Array();
    check(fc.record({ id, type, nodeId: id, context }), encodeConfChange, decodeConfChange);
    check(confState, encodeConfState, decodeConfState);
    const maybeConfState = fc.option(confState, { nil: undefined });
    const snapshot = fc.record({ index: number, term: number, confState: maybeConfState });
    check(snapshot, encodeSnapshotRecord, decodeSnapshotRecord);
    const keyValue = fc.record({
      key: fc.uint8Array(),
      createRevision: number,
      modRevision: number,
      version: number,
      value: fc.uint8Array(),
      lease: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
    });
    check(keyValue, encodeKeyValue, decodeKeyValue);
  });
});

describe('the bytes are those of etcd', () => {
  test('an entry of a log that etcd wrote', () => {
    const noOp = { type: 'normal', term: 2, index: 2, data: new Uint8Array(0) } as const;
    expect(hex(encodeEntry(noOp))).toBe('080010021802');
  });

  test('a hard state always has its three fields', () => {
    const state = { term: 2, vote: undefined, commit: 0 };
    expect(hex(encodeHardState(state))).toBe('080210001800');
  });

  test('a key-value leaves out what is zero', () => {
    const tombstone = { key: Uint8Array.of(0x61), createRevision: 0, modRevision: 0, version: 0 };
    const nothing = { value: new Uint8Array(0), lease: 0n };
    expect(hex(encodeKeyValue({ ...tombstone, ...nothing }))).toBe('0a0161');
    const leased = { ...tombstone, ...nothing, modRevision: 300, lease: 7n };
    expect(hex(encodeKeyValue(leased))).toBe('0a016118ac023007');
  });

  test('a joint conf state has its two more lists, and whether it is left by itself', () => {
    const joint = {
      voters: [1n],
      learners: [],
      votersOutgoing: [1n, 2n],
      learnersNext: [2n],
      autoLeave: true,
    };
    expect(hex(encodeConfState(joint))).toBe('08011801180220022801');
    expect(hex(encodeConfState(simpleConf([1n], [2n])))).toBe('080110022800');
  });

  test('packed and single ids of a conf state are the same', () => {
    const packed = Uint8Array.of(0x0a, 3, 0x81, 0x01, 5, 0x10, 9);
    expect(decodeConfState(packed)).toEqual({
      ok: true,
      value: simpleConf([129n, 5n], [9n]),
    });
  });
});

describe('malformed bytes are a value', () => {
  const decoders = [
    decodeEntry,
    decodeHardState,
    decodeWalMetadata,
    decodeSnapshotRecord,
    decodeConfState,
    decodeConfChange,
    decodeKeyValue,
  ];

  test('whatever they are', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.constantFrom(...decoders),
        (bytes, decode) => {
          const result = decode(bytes);
          if (!result.ok) expect(result.error.reason).not.toBe('');
        },
      ),
      { seed: 20_260_804, numRuns: 3000 },
    );
  });

  test.each<[string, (typeof decoders)[number], number[], RegExp]>([
    ['a varint without an end', decodeEntry, [0x08, 0x80], /no end/],
    ['a varint of eleven bytes', decodeKeyValue, [0x30, ...Array(11).fill(0x81)], /no end/],
    ['an index above the safe integers', decodeEntry, [0x18, ...Array(9).fill(0xff), 1], /2\^53/],
    ['a field behind its message', decodeEntry, [0x22, 9, 1], /ends behind/],
    ['field number zero', decodeEntry, [0x00, 1], /no field/],
    ['a group', decodeEntry, [0x0b], /no field/],
    ['bytes for a number', decodeEntry, [0x12, 1, 1], /wire type 2/],
    ['an entry type to come', decodeEntry, [0x08, 3, 0x10, 1, 0x18, 1], /type 3/],
    ['an entry without index', decodeEntry, [0x08, 0, 0x10, 1], /start at 1/],
    ['an entry that passes for a hard state', decodeHardState, [0x08, 1, 0x22, 0], /field 4/],
    ['bytes for auto_leave', decodeConfState, [0x08, 1, 0x2a, 1, 1], /wire type 2/],
    ['a conf change to come', decodeConfChange, [0x10, 9], /type 9/],
  ])('%s', (_, decode, bytes, reason) => {
    const result = decode(Uint8Array.from(bytes));
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error.reason).toMatch(reason);
  });

  test('fields not known are skipped, of every wire type', () => {
    const unknown = [0x78, 1, 0x79, ...Array(8).fill(1), 0x7a, 2, 1, 1, 0x7d, 1, 1, 1, 1];
    const bytes = Uint8Array.of(0x08, 5, ...unknown, 0x10, 6);
    expect(decodeWalMetadata(bytes)).toEqual({ ok: true, value: { memberId: 5n, clusterId: 6n } });
  });
});

test('a writer grows, is cut, cleared and reused', () => {
  const writer = new FieldWriter(1);
  for (let i = 0; i < 100; i++) writer.uint(1, 2 ** 40 + i);
  const reader = new FieldReader(writer.finish());
  const read: number[] = [];
  while (reader.next()) read.push(reader.uint());
  expect(read).toEqual(Array.from({ length: 100 }, (_, i) => 2 ** 40 + i));
  writer.clear();
  writer.zeros(3);
  expect(writer.view()).toEqual(new Uint8Array(3));
  expect(() => writer.uint(1, -1)).toThrow('safe integer');
  expect(() => writer.uint(1, 2 ** 53)).toThrow('safe integer');
});

function check<Value>(
  values: fc.Arbitrary<Value>,
  encode: (value: Value) => Uint8Array,
  decode: (bytes: Uint8Array) => unknown,
): void {
  fc.assert(
    fc.property(values, (value) => {
      expect(decode(encode(value))).toEqual({ ok: true, value });
    }),
    SEEDED,
  );
}

function encodeEntry(entry: Entry): Uint8Array {
  const writer = new FieldWriter();
  writeEntry(writer, entry);
  return writer.finish();
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
