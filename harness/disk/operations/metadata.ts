/** Attributes of files, and of the disk as a whole. */

import {
  chmodSync,
  chownSync,
  fstatSync,
  ftruncateSync,
  readlinkSync,
  statfsSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { type Inode, namedPathOf, pathOf } from '../inode-table.ts';
import { encodeAttributes, encodeBytes, encodeStatfs } from '../protocol/reply.ts';
import type { AttributeChange, Request } from '../protocol/request.ts';
import { type Disk, ownLinks, type Reply } from './disk.ts';

export function getAttributes(disk: Disk, request: Request): Reply {
  const { fd } = disk.inodes.get(request.nodeId);
  return encodeAttributes(request.unique, ownLinks(disk, fstatSync(fd, { bigint: true })));
}

export function setAttributes(disk: Disk, request: Request, change: AttributeChange): Reply {
  const inode = disk.inodes.get(request.nodeId);
  const path = pathOf(inode);
  if (change.sizeBytes !== undefined) {
    resize(disk, inode, change.sizeBytes, change.fh);
  }
  if (change.mode !== undefined) chmodSync(path, change.mode & 0o7777);
  if (change.uid !== undefined || change.gid !== undefined) {
    chownSync(path, change.uid ?? -1, change.gid ?? -1);
  }
  if (change.accessTime !== undefined || change.modifyTime !== undefined) {
    setTimes(inode, change);
  }
  return getAttributes(disk, request);
}

/** By the handle where there is one: its file may be open for writing and yet read-only now. */
function resize(disk: Disk, inode: Inode, sizeBytes: number, fh: number | undefined): void {
  const resizeNow = (): void =>
    fh === undefined ? truncateSync(pathOf(inode), sizeBytes) : ftruncateSync(fh, sizeBytes);
  if (disk.journal === undefined) resizeNow();
  else disk.journal.resizing(inode, sizeBytes, resizeNow);
}

export function readLink(disk: Disk, request: Request): Reply {
  const target = readlinkSync(namedPathOf(disk.inodes.get(request.nodeId)), { encoding: 'buffer' });
  return encodeBytes(request.unique, target);
}

export function statDisk(disk: Disk, request: Request): Reply {
  const stats = statfsSync(pathOf(disk.inodes.get(request.nodeId)), { bigint: true });
  return encodeStatfs(request.unique, stats);
}

/** Node sets both times at once and in floating seconds, so they are exact to a microsecond. */
function setTimes(inode: Inode, change: AttributeChange): void {
  const stats = fstatSync(inode.fd, { bigint: true });
  const seconds = (time: number | 'now' | undefined, currentNs: bigint): number => {
    if (time === 'now') return Date.now() / 1000;
    return time ?? Number(currentNs) / 1e9;
  };
  const accessTime = seconds(change.accessTime, stats.atimeNs);
  utimesSync(pathOf(inode), accessTime, seconds(change.modifyTime, stats.mtimeNs));
}
