import path from 'node:path';
import { DiskError } from '../ports/disk.ts';

/**
 * What a refused disk operation means for who runs the member, in one line: the directory, what
 * failed, and what to do. Undefined: the cause is something else.
 */
export function describeDiskFailure(cause: unknown): string | undefined {
  if (!(cause instanceof DiskError)) return undefined;
  const directory = path.dirname(cause.path);
  const { problem, fix } = MEANINGS[cause.code] ?? UNKNOWN;
  return `${directory}: ${problem} (${cause.code}: ${path.basename(cause.path)}); ${fix}`;
}

interface Meaning {
  readonly problem: string;
  readonly fix: string;
}

const START_AGAIN = 'start the member again: nothing acknowledged is lost';

const MEANINGS: Readonly<Record<string, Meaning | undefined>> = {
  ENOSPC: { problem: 'no space left on the disk', fix: `make room, then ${START_AGAIN}` },
  EDQUOT: { problem: 'the disk quota is used up', fix: `make room, then ${START_AGAIN}` },
  EROFS: { problem: 'the disk can only be read', fix: `mount it for writing, then ${START_AGAIN}` },
  EIO: { problem: 'the disk fails', fix: `repair it, then ${START_AGAIN}` },
};

const UNKNOWN: Meaning = {
  problem: 'the disk refused',
  fix: `put that right, then ${START_AGAIN}`,
};
