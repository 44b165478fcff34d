import type { Disk, DiskFile } from '../ports/disk.ts';
import { listOrNothing } from './recover.ts';
import { formatSegmentName, type SegmentName } from './segment-name.ts';

/** Where segments live and how large they are made. */
export interface SegmentPlace {
  readonly disk: Disk;
  readonly directory: string;
  /** Size to which a segment is extended with zeros, so that a sync need not change it. */
  readonly segmentBytesMax: number;
}

/**
 * Makes a segment that begins with `head` and opens it. It appears under its name only when
 * its head is durable: a crash on the way leaves nothing, or a temporary file that the next
 * attempt replaces. Rejects with DiskError.
 */
export async function createSegment(
  place: SegmentPlace,
  name: SegmentName,
  head: Uint8Array,
): Promise<DiskFile> {
  const { disk, directory } = place;
  const path = `${directory}/${formatSegmentName(name)}`;
  const temporary = `${directory}/${TEMPORARY_NAME}`;
  if ((await listOrNothing(disk, directory)).includes(TEMPORARY_NAME)) await disk.remove(temporary);
  const file = await disk.open(temporary, 'create');
  try {
    await file.truncate(place.segmentBytesMax);
    await file.writeAt(0, head);
    await file.datasync();
  } finally {
    await file.close();
  }
  await disk.rename(temporary, path);
  await disk.syncDirectory(directory);
  return disk.open(path, 'existing');
}

/**
 * Opens the segment to be written next, with nothing but zeros from `endOffset` on: bytes of
 * an interrupted write would otherwise show up behind the new ones. Rejects with DiskError.
 */
export async function reopenSegment(
  place: SegmentPlace,
  name: SegmentName,
  tail: { readonly endOffset: number; readonly tornBytes: number },
): Promise<DiskFile> {
  const path = `${place.directory}/${formatSegmentName(name)}`;
  const file = await place.disk.open(path, 'existing');
  try {
    const isShort = (await file.size()) < place.segmentBytesMax;
    if (tail.tornBytes > 0) await file.truncate(tail.endOffset);
    if (tail.tornBytes > 0 || isShort) {
      await file.truncate(Math.max(place.segmentBytesMax, tail.endOffset));
    }
    // What was read may still be in the page cache alone, if only the process had died: the
    // bytes, and the very name of the file.
    await file.datasync();
    await place.disk.syncDirectory(place.directory);
  } catch (error) {
    await file.close();
    throw error;
  }
  return file;
}

/** Cuts the unused zeros off a segment that is full and closes it. Rejects with DiskError. */
export async function finishSegment(file: DiskFile, endOffset: number): Promise<void> {
  try {
    await file.truncate(endOffset);
    await file.datasync();
  } finally {
    await file.close();
  }
}

const TEMPORARY_NAME = 'segment.tmp';
