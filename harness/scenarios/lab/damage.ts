/** What happens to the files of a dead member. The formats are etcd's, for both targets. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Undecided } from '../scenario.ts';

const BIT = 0x10;
const SECTOR_BYTES = 512;

/** The newest segment of the log. */
export function segmentIn(dataDirectory: string): string {
  const directory = join(dataDirectory, 'member/wal');
  const segments = readdirSync(directory).filter((name) => name.endsWith('.wal'));
  const newest = segments.sort().at(-1);
  if (newest === undefined) throw new Undecided(`no log in ${directory}`);
  return join(directory, newest);
}

export function databaseIn(dataDirectory: string): string {
  return join(dataDirectory, 'member/snap/db');
}

/** The last bytes that were written become zeros: as if the last sector had come half. */
export function zeroLastBytes(path: string, count: number): void {
  const bytes = readFileSync(path);
  const end = writtenEnd(bytes);
  if (end < 2 * count) throw new Undecided(`${path} holds ${end} bytes only`);
  bytes.fill(0, end - count, end);
  writeFileSync(path, bytes);
}

/** How far what was written reaches into its last sector. */
export function bytesInLastSector(path: string): number {
  return writtenEnd(readFileSync(path)) % SECTOR_BYTES;
}

/**
 * One bit of `text` where it stands nearest to the middle of what was written; answers where. Not
 * any bit: records are filled up to eight bytes, and nobody reads the filling.
 */
export function flipBitInMiddle(path: string, text: string): number {
  const bytes = readFileSync(path);
  const middle = Math.floor(writtenEnd(bytes) / 2);
  const before = bytes.lastIndexOf(text, middle);
  const offset = before < 0 ? bytes.indexOf(text, middle) : before;
  if (offset < 0) throw new Undecided(`${path} has no ${text} in it`);
  bytes[offset] = bytes[offset]! ^ BIT;
  writeFileSync(path, bytes);
  return offset;
}

export function cutTo(path: string, sizeBytes: number): void {
  truncateSync(path, sizeBytes);
}

/** Logs are made larger than what is in them, with zeros. */
function writtenEnd(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}
