import { assert } from '../lib/assert.ts';
import type { Index } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import { LogReplay, type Replayed } from './replay.ts';
import { type SegmentScan, scanSegment } from './scan-segment.ts';
import { formatSegmentName, type SegmentName, segmentNames } from './segment-name.ts';
import type { WalError } from './wal-error.ts';

/** A log as found on disk, and where writing goes on once its tail is repaired. */
export interface RecoveredLog {
  readonly replayed: Replayed;
  /** Oldest first; the last one is written next. */
  readonly segments: readonly SegmentName[];
  readonly tail: Extract<SegmentScan, { ok: true }>;
}

/**
 * Reads the log and changes nothing. Segments that only hold entries before `covered` are passed
 * over, as if they had been removed: they are kept for people, not for the member. Rejects with
 * DiskError.
 */
export async function readLog(
  disk: Disk,
  directory: string,
  covered: Index = 0,
): Promise<Result<RecoveredLog, WalError>> {
  const all = segmentNames(await listOrNothing(disk, directory));
  const needed = all.findIndex(
    (_, position) => (all[position + 1]?.firstIndex ?? Infinity) > covered,
  );
  const segments = all.slice(Math.max(needed, 0));
  const oldest = segments[0];
  if (oldest === undefined) return err({ kind: 'missing', directory });
  const replay = new LogReplay(Math.max(oldest.firstIndex, 1));
  let tail: Extract<SegmentScan, { ok: true }> | undefined;
  const read = (segment: SegmentName): Promise<Uint8Array> => {
    const bytes = disk.read(`${directory}/${formatSegmentName(segment)}`);
    // Nobody waits for it any more if one before it is not in order.
    bytes.catch(() => undefined);
    return bytes;
  };
  let reading = read(oldest);
  for (const [position, segment] of segments.entries()) {
    const file = formatSegmentName(segment);
    if (segment.sequence !== oldest.sequence + position) {
      return err({ kind: 'gap', file, offsetBytes: 0, reason: 'the segment before is missing' });
    }
    const isLast = position === segments.length - 1;
    const current = reading;
    const next = segments[position + 1];
    // Two at a time: the scan holds up the loop, so what comes next must be on its way by then.
    if (next !== undefined) reading = read(next);
    const scan = scanSegment(await current, { crc: tail?.crc ?? 0, isLast }, replay);
    if (!scan.ok) return err({ ...scan.problem, file, offsetBytes: scan.offset });
    tail = scan;
  }
  assert(tail !== undefined, 'at least one segment was read');
  const replayed = replay.finish();
  if (!replayed.ok) {
    return err({ ...replayed.error, file: formatSegmentName(oldest), offsetBytes: 0 });
  }
  return ok({ replayed: replayed.value, segments: all, tail });
}

/** Names in the directory; none if it does not exist. */
export async function listOrNothing(disk: Disk, directory: string): Promise<string[]> {
  try {
    return await disk.list(directory);
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return [];
    throw error;
  }
}
