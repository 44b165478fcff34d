import { assert } from '../lib/assert.ts';

/**
 * A checkpoint is a bbolt database, so that etcd's tools read ours and we read theirs. All
 * numbers are little-endian; the file is `highWater` pages long, and may carry a trailer.
 *
 *     page     header {id u64, flags u16, count u16, overflow u32}, `count` elements, their data;
 *              `overflow` more pages belong to it
 *     branch   elements {position u32, key bytes u32, page u64}; a key is at most the first one
 *              of the page it leads to
 *     leaf     elements {flags u32, position u32, key bytes u32, value bytes u32}; flag 1 marks
 *              a bucket
 *     meta     pages 0 and 1, {magic u32, version u32, page bytes u32, flags u32, root u64,
 *              sequence u64, freelist u64, highWater u64, transaction u64, checksum u64}: FNV-1a
 *              of what precedes it. The one of the higher transaction counts.
 *     bucket   a leaf's value {root u64, sequence u64}; root 0: its only page, a leaf, follows
 *
 * A position counts from its own element, and keys ascend through a bucket. We build each tree
 * at once, from sorted items, so the pages are full and none is free: no freelist is kept.
 */
export const PAGE_BYTES = 4096;
export const PAGE_HEADER_BYTES = 16;
export const ELEMENT_BYTES = 16;
export const BUCKET_HEADER_BYTES = 16;
export const META_BYTES = 64;
export const BUCKET_FLAG = 1;

export const PAGE_FLAG = { branch: 1, leaf: 2, meta: 4 } as const;

export interface PageHeader {
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  /** Pages of the file, besides the first, that belong to it. */
  readonly overflow: number;
}

/** What one meta page says of the database. */
export interface MetaPage {
  readonly pageBytes: number;
  /** Page of the bucket that holds the others. */
  readonly root: number;
  /** Pages in the file. */
  readonly highWater: number;
  readonly transaction: number;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

export function writePageHeader(page: Uint8Array, header: PageHeader): void {
  const view = viewOf(page);
  setUint64(view, 0, header.id);
  view.setUint16(8, header.flags, true);
  view.setUint16(10, header.count, true);
  view.setUint32(12, header.overflow, true);
}

export function readPageHeader(page: Uint8Array): PageHeader {
  assert(page.length >= PAGE_HEADER_BYTES, 'a page has a header');
  const flagsAndCount = getUint32(page, 8);
  return {
    id: getUint64(page, 0),
    flags: flagsAndCount & 0xffff,
    count: flagsAndCount >>> 16,
    overflow: getUint32(page, 12),
  };
}

/** The content of meta page `id`, header included. */
export function encodeMetaPage(id: 0 | 1, meta: MetaPage): Uint8Array {
  assert(meta.root < meta.highWater, 'the root is in the file');
  const page = new Uint8Array(PAGE_BYTES);
  writePageHeader(page, { id, flags: PAGE_FLAG.meta, count: 0, overflow: 0 });
  const content = page.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + META_BYTES);
  const view = viewOf(content);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, FORMAT_VERSION, true);
  view.setUint32(8, meta.pageBytes, true);
  setUint64(view, 16, meta.root);
  view.setBigUint64(32, NO_FREELIST, true);
  setUint64(view, 40, meta.highWater);
  setUint64(view, 48, meta.transaction);
  view.setBigUint64(CHECKSUM_AT, fnv1a64(content.subarray(0, CHECKSUM_AT)), true);
  return page;
}

/** Undefined if the bytes are no intact meta page. */
export function decodeMetaPage(page: Uint8Array): MetaPage | undefined {
  if (page.length < PAGE_HEADER_BYTES + META_BYTES) return undefined;
  const content = page.subarray(PAGE_HEADER_BYTES, PAGE_HEADER_BYTES + META_BYTES);
  if (getUint32(content, 0) !== MAGIC) return undefined;
  if (getUint32(content, 4) !== FORMAT_VERSION) return undefined;
  const checksum = fnv1a64(content.subarray(0, CHECKSUM_AT));
  if (viewOf(content).getBigUint64(CHECKSUM_AT, true) !== checksum) return undefined;
  return {
    pageBytes: getUint32(content, 8),
    root: getUint64(content, 16),
    highWater: getUint64(content, 40),
    transaction: getUint64(content, 48),
  };
}

/** From the bytes themselves: a view for each of a million items would cost more than the rest. */
export function getUint32(bytes: Uint8Array, at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8);
  return (low | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24)) >>> 0;
}

/** A number above the safe integers comes out inexact, but as large: bounds checks refuse it. */
export function getUint64(bytes: Uint8Array, at: number): number {
  return getUint32(bytes, at) + getUint32(bytes, at + 4) * 0x1_0000_0000;
}

export function setUint64(view: DataView, at: number, value: number): void {
  assert(Number.isSafeInteger(value) && value >= 0, `not an unsigned safe integer: ${value}`);
  view.setUint32(at, value % 0x1_0000_0000, true);
  view.setUint32(at + 4, Math.floor(value / 0x1_0000_0000), true);
}

function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100_0000_01b3n);
  return hash;
}

const MAGIC = 0xed0c_daed;
const FORMAT_VERSION = 2;
const NO_FREELIST = 0xffff_ffff_ffff_ffffn;
const CHECKSUM_AT = 56;
