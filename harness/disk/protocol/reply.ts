/** Value → bytes of a FUSE reply. Layouts are described in `format.ts`. */

import type { BigIntStats } from 'node:fs';
import { PROTOCOL_MAJOR, REPLY_HEADER_BYTES } from './format.ts';

/** How long the kernel may trust a name or an attribute: nobody else changes the backing. */
const CACHE_SECONDS = 1n;

const ATTRIBUTES_BYTES = 88;
const ENTRY_BYTES = 40 + ATTRIBUTES_BYTES;
const DIRECTORY_RECORD_BYTES = 24;

/** A whole reply of `payloadBytes` zero bytes, to be filled in by the caller. */
export function allocateReply(unique: bigint, payloadBytes: number): Buffer {
  return writeHeader(Buffer.alloc(REPLY_HEADER_BYTES + payloadBytes), unique, 0);
}

/** `errno` is positive, e.g. 2 for ENOENT. */
export function encodeError(unique: bigint, errno: number): Buffer {
  return writeHeader(Buffer.alloc(REPLY_HEADER_BYTES), unique, -errno);
}

export function encodeBytes(unique: bigint, payload: Uint8Array): Buffer {
  const reply = allocateReply(unique, payload.length);
  reply.set(payload, REPLY_HEADER_BYTES);
  return reply;
}

export function encodeInit(
  unique: bigint,
  init: {
    readonly minor: number;
    readonly readaheadBytes: number;
    readonly flags: number;
    /** Requests that the kernel may have under way in the background (readahead, writeback). */
    readonly backgroundMax: number;
    readonly writeBytesMax: number;
    readonly pagesMax: number;
  },
): Buffer {
  const reply = allocateReply(unique, 64);
  const payload = reply.subarray(REPLY_HEADER_BYTES);
  payload.writeUInt32LE(PROTOCOL_MAJOR, 0);
  payload.writeUInt32LE(init.minor, 4);
  payload.writeUInt32LE(init.readaheadBytes, 8);
  payload.writeUInt32LE(init.flags >>> 0, 12);
  payload.writeUInt16LE(init.backgroundMax, 16);
  payload.writeUInt16LE(init.backgroundMax, 18);
  payload.writeUInt32LE(init.writeBytesMax, 20);
  payload.writeUInt32LE(1, 24);
  payload.writeUInt16LE(init.pagesMax, 28);
  return reply;
}

export function encodeEntry(unique: bigint, nodeId: number, stats: BigIntStats): Buffer {
  const reply = allocateReply(unique, ENTRY_BYTES);
  writeEntry(reply.subarray(REPLY_HEADER_BYTES), nodeId, stats);
  return reply;
}

/** CREATE answers with an entry and an open handle at once. */
export function encodeCreated(
  unique: bigint,
  nodeId: number,
  stats: BigIntStats,
  fh: number,
): Buffer {
  const reply = allocateReply(unique, ENTRY_BYTES + 16);
  const payload = reply.subarray(REPLY_HEADER_BYTES);
  writeEntry(payload, nodeId, stats);
  payload.writeBigUInt64LE(BigInt(fh), ENTRY_BYTES);
  return reply;
}

export function encodeAttributes(unique: bigint, stats: BigIntStats): Buffer {
  const reply = allocateReply(unique, 16 + ATTRIBUTES_BYTES);
  const payload = reply.subarray(REPLY_HEADER_BYTES);
  payload.writeBigUInt64LE(CACHE_SECONDS, 0);
  writeAttributes(payload.subarray(16), stats);
  return reply;
}

export function encodeOpened(unique: bigint, fh: number): Buffer {
  const reply = allocateReply(unique, 16);
  reply.writeBigUInt64LE(BigInt(fh), REPLY_HEADER_BYTES);
  return reply;
}

export function encodeWritten(unique: bigint, sizeBytes: number): Buffer {
  const reply = allocateReply(unique, 8);
  reply.writeUInt32LE(sizeBytes, REPLY_HEADER_BYTES);
  return reply;
}

export function encodeStatfs(
  unique: bigint,
  stats: {
    readonly blocks: bigint;
    readonly bfree: bigint;
    readonly bavail: bigint;
    readonly files: bigint;
    readonly ffree: bigint;
    readonly bsize: bigint;
  },
): Buffer {
  const reply = allocateReply(unique, 80);
  const payload = reply.subarray(REPLY_HEADER_BYTES);
  const counts = [stats.blocks, stats.bfree, stats.bavail, stats.files, stats.ffree];
  for (const [i, count] of counts.entries()) payload.writeBigUInt64LE(count, 8 * i);
  payload.writeUInt32LE(Number(stats.bsize), 40);
  payload.writeUInt32LE(255, 44);
  payload.writeUInt32LE(Number(stats.bsize), 48);
  return reply;
}

export interface DirectoryEntry {
  readonly name: Buffer;
  readonly inode: bigint;
  /** The file type bits of the mode, shifted down by 12 (DT_REG 8, DT_DIR 4, DT_LNK 10). */
  readonly type: number;
}

/** As many entries from position `start` on as fit into `sizeBytes`; empty at the end. */
export function encodeDirectory(
  unique: bigint,
  entries: readonly DirectoryEntry[],
  range: { readonly start: number; readonly sizeBytes: number },
): Buffer {
  const payload = Buffer.alloc(range.sizeBytes);
  let at = 0;
  for (let i = range.start; i < entries.length; i++) {
    const { name, inode, type } = entries[i]!;
    const recordBytes = (DIRECTORY_RECORD_BYTES + name.length + 7) & ~7;
    if (at + recordBytes > payload.length) break;
    payload.writeBigUInt64LE(inode, at);
    payload.writeBigUInt64LE(BigInt(i + 1), at + 8);
    payload.writeUInt32LE(name.length, at + 16);
    payload.writeUInt32LE(type, at + 20);
    payload.set(name, at + DIRECTORY_RECORD_BYTES);
    at += recordBytes;
  }
  return encodeBytes(unique, payload.subarray(0, at));
}

/** Sets the length (the whole of `reply`), the error and the request it answers. */
function writeHeader(reply: Buffer, unique: bigint, error: number): Buffer {
  reply.writeUInt32LE(reply.length, 0);
  reply.writeInt32LE(error, 4);
  reply.writeBigUInt64LE(unique, 8);
  return reply;
}

function writeEntry(payload: Buffer, nodeId: number, stats: BigIntStats): void {
  payload.writeBigUInt64LE(BigInt(nodeId), 0);
  payload.writeBigUInt64LE(CACHE_SECONDS, 16);
  payload.writeBigUInt64LE(CACHE_SECONDS, 24);
  writeAttributes(payload.subarray(40), stats);
}

function writeAttributes(payload: Buffer, stats: BigIntStats): void {
  const times = [stats.atimeNs, stats.mtimeNs, stats.ctimeNs];
  const sizes = [stats.ino, stats.size, stats.blocks];
  for (const [i, size] of sizes.entries()) payload.writeBigUInt64LE(size, 8 * i);
  for (const [i, timeNs] of times.entries()) {
    // Floor towards the past, so that the nanoseconds of a time before 1970 are not negative.
    const ns = BigInt.asUintN(64, ((timeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n);
    payload.writeBigInt64LE((timeNs - ns) / 1_000_000_000n, 24 + 8 * i);
    payload.writeUInt32LE(Number(ns), 48 + 4 * i);
  }
  const rest = [stats.mode, stats.nlink, stats.uid, stats.gid, stats.rdev, stats.blksize];
  for (const [i, value] of rest.entries()) payload.writeUInt32LE(Number(value), 60 + 4 * i);
}
