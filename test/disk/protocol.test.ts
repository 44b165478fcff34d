/** The FUSE codecs against bytes laid out by hand from the kernel's header file. */

import { type BigIntStats, statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  encodeAttributes,
  encodeDirectory,
  encodeEntry,
  encodeError,
  encodeInit,
} from '../../harness/disk/protocol/reply.ts';
import { decodeRequest } from '../../harness/disk/protocol/request.ts';

const u32 = (...values: number[]): Buffer => {
  const bytes = Buffer.alloc(4 * values.length);
  for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, 4 * i);
  return bytes;
};
const u64 = (...values: bigint[]): Buffer => {
  const bytes = Buffer.alloc(8 * values.length);
  for (const [i, value] of values.entries()) bytes.writeBigUInt64LE(value, 8 * i);
  return bytes;
};
const name = (text: string): Buffer => Buffer.from(`${text}\0`);

function request(opcode: number, nodeId: bigint, ...body: Buffer[]): Buffer {
  const rest = Buffer.concat(body);
  const header = [u32(40 + rest.length, opcode), u64(77n, nodeId), u32(1000, 1000, 4242, 0)];
  return Buffer.concat([...header, rest]);
}

describe('requests', () => {
  test('carry the id to answer and the node', () => {
    const decoded = decodeRequest(request(3, 9n, u32(0, 0), u64(0n)));
    expect(decoded).toEqual({ unique: 77n, nodeId: 9, body: { op: 'getattr' } });
  });

  test('WRITE: the data follows 40 bytes', () => {
    const fixed = [u64(5n, 8192n), u32(3, 0), u64(0n), u32(2, 0)];
    const { body } = decodeRequest(request(16, 2n, ...fixed, Buffer.from('abc')));
    expect(body).toEqual({ op: 'write', fh: 5, offset: 8192, data: Buffer.from('abc') });
  });

  test('RENAME and RENAME2 differ by the flags', () => {
    const plain = decodeRequest(request(12, 1n, u64(4n), name('old'), name('new')));
    const flagged = decodeRequest(request(45, 1n, u64(4n), u32(1, 0), name('old'), name('new')));
    const names = { newDirectory: 4, oldName: Buffer.from('old'), newName: Buffer.from('new') };
    expect(plain.body).toEqual({ op: 'rename', ...names, flags: 0 });
    expect(flagged.body).toEqual({ op: 'rename', ...names, flags: 1 });
  });

  test('FORGET names the node of its header, BATCH_FORGET a list', () => {
    expect(decodeRequest(request(2, 6n, u64(3n))).body).toEqual({
      op: 'forget',
      forgotten: [{ nodeId: 6, lookups: 3 }],
    });
    expect(decodeRequest(request(42, 0n, u32(2, 0), u64(6n, 3n, 7n, 1n))).body).toEqual({
      op: 'forget',
      forgotten: [
        { nodeId: 6, lookups: 3 },
        { nodeId: 7, lookups: 1 },
      ],
    });
  });

  test('SETATTR: only the valid fields, times in seconds', () => {
    const size = 1 << 3;
    const modifyTime = 1 << 5;
    const accessTimeNow = (1 << 4) | (1 << 7);
    const body = Buffer.concat([
      u32(size | modifyTime | accessTimeNow, 0),
      u64(0n, 4096n, 0n, 1n, 1_700_000_000n, 0n),
      u32(0, 500_000_000, 0, 0o644, 0, 1, 1, 0),
    ]);
    expect(decodeRequest(request(4, 2n, body)).body).toEqual({
      op: 'setattr',
      change: { sizeBytes: 4096, modifyTime: 1_700_000_000.5, accessTime: 'now' },
    });
  });

  test('names are bytes, and outlive the buffer they came in', () => {
    const bytes = request(1, 1n, Buffer.from([0xff, 0x41, 0]));
    const { body } = decodeRequest(bytes);
    bytes.fill(0);
    expect(body).toEqual({ op: 'lookup', name: Buffer.from([0xff, 0x41]) });
  });

  test('an unknown opcode is told apart', () => {
    expect(decodeRequest(request(9999, 1n)).body).toEqual({ op: 'unsupported', opcode: 9999 });
  });
});

describe('replies', () => {
  test('an error is a bare header with a negative errno', () => {
    expect(encodeError(77n, 2)).toEqual(Buffer.concat([u32(16, 2 ** 32 - 2), u64(77n)]));
  });

  test('INIT has 64 bytes of payload', () => {
    const reply = encodeInit(1n, {
      minor: 38,
      readaheadBytes: 131_072,
      flags: 0x400021,
      backgroundMax: 64,
      writeBytesMax: 1 << 20,
      pagesMax: 256,
    });
    expect(reply.length).toBe(16 + 64);
    const start = u32(7, 38, 131_072, 0x400021, (64 << 16) | 64, 1 << 20, 1, 256);
    expect(reply.subarray(16, 48)).toEqual(start);
  });

  test('attributes and entries carry stat(2)', () => {
    const stats = statSync(import.meta.filename, { bigint: true });
    const attributes = encodeAttributes(1n, stats);
    expect(attributes.length).toBe(16 + 16 + 88);
    const attr = attributes.subarray(32);
    expect(attr.subarray(0, 24)).toEqual(u64(stats.ino, stats.size, stats.blocks));
    expect(attr.readBigUInt64LE(32)).toBe(stats.mtimeNs / 1_000_000_000n);
    expect(attr.readUInt32LE(52)).toBe(Number(stats.mtimeNs % 1_000_000_000n));
    const last = [stats.mode, stats.nlink, stats.uid, stats.gid].map(Number);
    expect(attr.subarray(60, 76)).toEqual(u32(...last));
    const entry = encodeEntry(1n, 12, stats);
    expect(entry.length).toBe(16 + 128);
    expect(entry.readBigUInt64LE(16)).toBe(12n);
    expect(entry.subarray(16 + 40)).toEqual(attr);
  });

  test('a time before 1970 keeps positive nanoseconds', () => {
    const stats = statSync(import.meta.filename, { bigint: true });
    const early: BigIntStats = Object.assign(Object.create(stats), { ...stats, mtimeNs: -1n });
    const attr = encodeAttributes(1n, early).subarray(32);
    expect(attr.readBigInt64LE(32)).toBe(-1n);
    expect(attr.readUInt32LE(52)).toBe(999_999_999);
  });

  test('a directory is cut at the size asked for and goes on where it stopped', () => {
    const entries = ['.', '..', 'wal', 'snapshot-1'].map((text, i) => ({
      name: Buffer.from(text),
      inode: BigInt(100 + i),
      type: 8,
    }));
    const first = encodeDirectory(1n, entries, { start: 0, sizeBytes: 100 }).subarray(16);
    expect(first).toEqual(
      Buffer.concat(
        ['.', '..', 'wal'].map((text, i) =>
          Buffer.concat([
            u64(BigInt(100 + i), BigInt(i + 1)),
            u32(text.length, 8),
            Buffer.from(text.padEnd(8, '\0')),
          ]),
        ),
      ),
    );
    const second = encodeDirectory(1n, entries, { start: 3, sizeBytes: 100 }).subarray(16);
    expect(second.subarray(24, 40)).toEqual(Buffer.from('snapshot-1'.padEnd(16, '\0')));
    const end = encodeDirectory(1n, entries, { start: 4, sizeBytes: 100 });
    expect(end.length).toBe(16);
  });
});
