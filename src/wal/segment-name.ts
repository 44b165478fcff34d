import type { Index } from '../lib/ids.ts';

/** One file of the log; src/wal/frame.ts describes its name and content. */
export interface SegmentName {
  /** Counts up by one from segment to segment. */
  readonly sequence: number;
  /** First entry it was expected to hold when it was begun; 0 in the log's very first. */
  readonly firstIndex: Index;
}

export function formatSegmentName(name: SegmentName): string {
  return `${hex16(name.sequence)}-${hex16(name.firstIndex)}.wal`;
}

/** Segments among `files`, oldest first; other files are none of ours. */
export function segmentNames(files: readonly string[]): SegmentName[] {
  const names: SegmentName[] = [];
  for (const file of files) {
    const match = SEGMENT_NAME.exec(file);
    if (match === null) continue;
    names.push({ sequence: Number(`0x${match[1]}`), firstIndex: Number(`0x${match[2]}`) });
  }
  return names.sort((a, b) => a.sequence - b.sequence);
}

function hex16(value: number): string {
  return value.toString(16).padStart(16, '0');
}

const SEGMENT_NAME = /^([0-9a-f]{16})-([0-9a-f]{16})\.wal$/;
