import { join } from 'node:path';
import { formatId, type MemberId } from '../lib/ids.ts';
import { utf8Decode, utf8Encode } from '../lib/utf8.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { Log } from '../ports/log.ts';
import type { InitialMember, Settings } from './settings.ts';

/**
 * What a life of this member found out about its directory, for the next: that nobody has to find
 * it out again, and no supervisor's restart makes it forgotten. One line, which says what to do.
 */
export type DirectoryMark =
  /** The others removed the member: it must not start again. */
  | { readonly kind: 'removed'; readonly text: string }
  /** The directory went back in time: the member runs, and votes no more. */
  | { readonly kind: 'lost-entries'; readonly text: string };

const KINDS = ['removed', 'lost-entries'] as const;

export async function readMark(disk: Disk, dataDir: string): Promise<DirectoryMark | undefined> {
  for (const kind of KINDS) {
    const text = await readText(disk, pathOf(dataDir, kind));
    if (text !== undefined) return { kind, text };
  }
  return undefined;
}

/** Rejects with DiskError. */
export async function writeMark(disk: Disk, dataDir: string, mark: DirectoryMark): Promise<void> {
  const path = pathOf(dataDir, mark.kind);
  try {
    const file = await disk.open(path, 'create');
    await file.writeAt(0, utf8Encode(`${mark.text}\n`));
    await file.datasync();
    await file.close();
  } catch (error) {
    if (error instanceof DiskError && error.code === 'EEXIST') return;
    throw error;
  }
  await disk.syncDirectory(join(dataDir, 'member'));
}

/** Leaves marks while the member runs; where the disk takes none, the next life has to find out. */
export function markerOf(
  { dataDir, self }: Settings,
  { disk, log, memberId }: { readonly disk: Disk; readonly log: Log; readonly memberId: MemberId },
): { readonly removed: () => void; readonly lostEntries: () => void } {
  const write = (mark: DirectoryMark): void => {
    writeMark(disk, dataDir, mark).catch((error: unknown) => {
      log.warn('could not mark the data directory', { kind: mark.kind, error: String(error) });
    });
  };
  return {
    removed: () => write({ kind: 'removed', text: removedText(memberId) }),
    lostEntries: () => {
      const text = lostEntriesText(memberId, self);
      log.error(text);
      write({ kind: 'lost-entries', text });
    },
  };
}

export function removedText(id: MemberId): string {
  return `data-dir: belongs to member ${formatId(id)}, which was removed from its cluster for good; delete the directory, and add the member anew with 'etcdctl member add'`;
}

export function lostEntriesText(id: MemberId, { name, peerUrls }: InitialMember): string {
  const urls = peerUrls.join();
  return `data-dir: went back in time: what this member had acknowledged is missing from it, so it votes no more and serves nobody; on another member run 'etcdctl member remove ${formatId(id)}' and 'etcdctl member add ${name} --peer-urls=${urls}', delete the directory, then start this one with --initial-cluster-state existing`;
}

function pathOf(dataDir: string, kind: DirectoryMark['kind']): string {
  return join(dataDir, 'member', kind);
}

async function readText(disk: Disk, path: string): Promise<string | undefined> {
  try {
    return utf8Decode(await disk.read(path)).trim();
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
