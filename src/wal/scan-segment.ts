import { crc32c } from '../lib/crc32c.ts';
import { RECORD_TYPE, readFrame, type WalRecord } from './frame.ts';
import type { LogReplay } from './replay.ts';
import { endOfData, isTornAtEnd, isTornFrame } from './torn-tail.ts';
import type { WalProblem } from './wal-error.ts';

/** A segment read to the end of what was written. */
export type SegmentScan =
  | {
      readonly ok: true;
      /** Where the next frame goes. */
      readonly endOffset: number;
      /** The checksum chain's value there. */
      readonly crc: number;
      /** Bytes of an interrupted write behind `endOffset`: to be zeroed before writing there. */
      readonly tornBytes: number;
    }
  | { readonly ok: false; readonly offset: number; readonly problem: WalProblem };

/**
 * Feeds the records of one segment to `replay`. Only in the last segment may a write have
 * been interrupted: an earlier one was made durable before its successor was begun.
 */
export function scanSegment(
  segment: Uint8Array,
  options: { readonly crc: number; readonly isLast: boolean },
  replay: LogReplay,
): SegmentScan {
  let crc = options.crc;
  let offset = 0;
  for (let position = 0; ; position++) {
    const frame = readFrame(segment, offset);
    if (frame.type === 'end') return scanEnd(segment, offset, crc, options.isLast);
    if (frame.type === 'bad') {
      return scanBad(segment, { offset, crc, ...frame }, options.isLast);
    }
    const { record, recordEnd, nextOffset } = frame;
    const misplaced = misplacement(record, position);
    if (misplaced !== undefined) return corrupt(offset, misplaced);
    // Before the first segment's head nothing is known; after it every value is checked.
    const isChainStart = position === 0 && crc === 0;
    const expected = isChainStart ? record.crc : crc32c(record.data, crc);
    if (record.crc !== expected) {
      const reason = `crc is ${hex(record.crc)}, should be ${hex(expected)}`;
      return scanBad(segment, { offset, crc, recordEnd, reason }, options.isLast);
    }
    const problem = replay.add(record);
    if (problem !== undefined) return { ok: false, offset, problem };
    crc = record.crc;
    offset = nextOffset;
  }
}

/**
 * The checksum does not cover the type, so a record whose type changed still verifies: that
 * the head's two records are there and nowhere else finds most such changes, and the strict
 * reading of the others' fields (wire/raft-records.ts) the rest.
 */
function misplacement(record: WalRecord, position: number): string | undefined {
  const isCrc = record.type === RECORD_TYPE.crc;
  const isMetadata = record.type === RECORD_TYPE.metadata;
  if (isCrc !== (position === 0)) return 'a segment has one crc record, its first';
  if (isMetadata !== (position === 1)) return 'a segment has one metadata record, its second';
  return isCrc && record.data.length > 0 ? 'a crc record has no data' : undefined;
}

interface BadFrame {
  readonly offset: number;
  readonly crc: number;
  readonly recordEnd: number;
  readonly reason: string;
}

function scanBad(segment: Uint8Array, bad: BadFrame, isLast: boolean): SegmentScan {
  const { offset, crc, recordEnd, reason } = bad;
  // The head was durable before the segment got its name.
  const mayBeTorn = isLast && offset > 0;
  if (!mayBeTorn || !isTornFrame(segment, offset, recordEnd)) return corrupt(offset, reason);
  return { ok: true, endOffset: offset, crc, tornBytes: endOfData(segment) - offset };
}

function scanEnd(segment: Uint8Array, offset: number, crc: number, isLast: boolean): SegmentScan {
  if (offset === 0) return corrupt(0, 'segment is empty');
  const tornBytes = endOfData(segment) - offset;
  if (tornBytes <= 0) return { ok: true, endOffset: offset, crc, tornBytes: 0 };
  if (isLast && isTornAtEnd(segment, offset))
    return { ok: true, endOffset: offset, crc, tornBytes };
  return corrupt(offset, 'data behind a length word of zero');
}

function corrupt(offset: number, reason: string): SegmentScan {
  return { ok: false, offset, problem: { kind: 'corrupt', reason } };
}

function hex(crc: number): string {
  return crc.toString(16).padStart(8, '0');
}
