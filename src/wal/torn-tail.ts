import { assert } from '../lib/assert.ts';
import { LENGTH_WORD_BYTES } from './frame.ts';

/**
 * Tells a write that a crash cut short, which is normal and repaired, from durable bytes that
 * changed, which is not. Everything but the last write is known to be on the device, and the
 * file was all zeros behind it. So of an interrupted write any sector may be missing and is
 * then all zeros, or the write stops at some byte and zeros follow. Zeros elsewhere, or
 * changed bits, no crash explains. One case stays ambiguous: a changed bit in the very last
 * record, if that record then ends in a zero byte or holds an aligned sector of zeros.
 */

/** Where writing went on behind a length word of zero. */
export function isTornAtEnd(segment: Uint8Array, endOffset: number): boolean {
  const sectorEnd = Math.min(nextSector(endOffset), segment.length);
  // A sector vanishes as a whole: what is left of this one must be zeros too.
  return isZero(segment, endOffset, sectorEnd);
}

/** The frame at `offset` is bad, and its length word puts the end of its record at `recordEnd`. */
export function isTornFrame(segment: Uint8Array, offset: number, recordEnd: number): boolean {
  const recordStart = offset + LENGTH_WORD_BYTES;
  const writtenEnd = Math.min(firstZeroSector(segment, recordStart, recordEnd), endOfData(segment));
  if (writtenEnd >= recordEnd) return false;
  return lengthsAgree(segment, recordStart, recordEnd, writtenEnd);
}

/** End of the last byte that is not zero. */
export function endOfData(segment: Uint8Array): number {
  let end = segment.length;
  while (end > 0 && segment[end - 1] === 0) end--;
  return end;
}

/**
 * The record begins with its type, checksum and data field, each behind its tag, and the data
 * field repeats the record's length. If that is not so, the length word itself is damaged, and
 * the zeros it points at say nothing. What a cut record no longer has is not held against it.
 */
function lengthsAgree(
  segment: Uint8Array,
  recordStart: number,
  recordEnd: number,
  writtenEnd: number,
): boolean {
  const head = segment.subarray(recordStart, Math.min(writtenEnd, segment.length));
  const afterType = afterVarint(head, 1);
  const afterCrc = afterVarint(head, afterType + 1);
  const afterLength = afterVarint(head, afterCrc + 1);
  const isRecord =
    hasTag(head, 0, TYPE_TAG) &&
    hasTag(head, afterType, CRC_TAG) &&
    hasTag(head, afterCrc, DATA_TAG);
  const longest = Math.max(afterType - 1, afterCrc - afterType - 1, afterLength - afterCrc - 1);
  if (!isRecord || longest > VARINT_BYTES_MAX) return false;
  if (afterLength > head.length) return true;
  let dataBytes = 0;
  for (let at = afterLength - 1; at > afterCrc; at--) {
    dataBytes = dataBytes * 128 + (head[at]! & 0x7f);
  }
  return recordStart + afterLength + dataBytes === recordEnd;
}

/** Behind the varint that starts at `at`; behind the end of `bytes` if it does not end there. */
function afterVarint(bytes: Uint8Array, at: number): number {
  let end = at;
  while (end < bytes.length && bytes[end]! >= 0x80) end++;
  return end + 1;
}

/** The tag is there, or the record was cut before it. */
function hasTag(head: Uint8Array, at: number, tag: number): boolean {
  return at >= head.length || head[at] === tag;
}

/**
 * Start of the first sector that begins in [from, to) and is all zeros; else `to`. A part of a
 * sector says nothing: sectors are lost whole, and a record may well end in zeros.
 */
function firstZeroSector(segment: Uint8Array, from: number, to: number): number {
  assert(from <= to, 'a record ends behind its start');
  const end = Math.min(to, segment.length);
  for (let at = Math.ceil(from / SECTOR_BYTES) * SECTOR_BYTES; at < end; at += SECTOR_BYTES) {
    if (isZero(segment, at, Math.min(at + SECTOR_BYTES, segment.length))) return at;
  }
  return to;
}

function isZero(segment: Uint8Array, from: number, to: number): boolean {
  for (let at = from; at < to; at++) if (segment[at] !== 0) return false;
  return true;
}

function nextSector(offset: number): number {
  return (Math.floor(offset / SECTOR_BYTES) + 1) * SECTOR_BYTES;
}

/** Of walpb.Record's fields, and the longest number among them. */
const TYPE_TAG = 0x08;
const CRC_TAG = 0x10;
const DATA_TAG = 0x1a;
const VARINT_BYTES_MAX = 10;
/** The unit that devices write whole, at least. */
const SECTOR_BYTES = 512;
