/** Open files: their handles are descriptors of the backing file. */

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { type Inode, pathIn, pathOf } from '../inode-table.ts';
import { REPLY_HEADER_BYTES } from '../protocol/format.ts';
import {
  allocateReply,
  encodeBytes,
  encodeCreated,
  encodeError,
  encodeOpened,
  encodeWritten,
} from '../protocol/reply.ts';
import type { Request } from '../protocol/request.ts';
import { type Disk, ERRNO, ownLinks, type Reply, withoutUmask } from './disk.ts';

const EMPTY = Buffer.alloc(0);
const O_ACCMODE = 3;

/**
 * Only the access mode is passed on. The kernel has dealt with the other flags: it truncates by
 * SETATTR, gives an appending WRITE its offset, and follows a WRITE of an O_DSYNC file by FSYNC.
 */
export function open(disk: Disk, request: Request, flags: number): Reply {
  const access = flags & O_ACCMODE;
  if (access !== constants.O_RDONLY && disk.faults.refusesToOpenForWriting()) {
    return encodeError(request.unique, ERRNO.EROFS);
  }
  const fd = openSync(pathOf(disk.inodes.get(request.nodeId)), access);
  return encodeOpened(request.unique, fd);
}

export function create(
  disk: Disk,
  request: Request,
  file: { readonly flags: number; readonly mode: number; readonly name: Buffer },
): Reply {
  const parent = disk.inodes.get(request.nodeId);
  const path = pathIn(parent, file.name);
  const fd = withoutUmask(() => openOrCreate(disk, parent, path, file));
  const found = disk.inodes.lookUp(path);
  if (found === 'full') {
    closeSync(fd);
    return encodeError(request.unique, ERRNO.ENFILE);
  }
  return encodeCreated(request.unique, found.inode.nodeId, ownLinks(disk, found.stats), fd);
}

/** The kernel has found no such file; if there is one all the same it is opened, unless O_EXCL. */
function openOrCreate(
  disk: Disk,
  parent: Inode,
  path: Buffer,
  file: { readonly flags: number; readonly mode: number; readonly name: Buffer },
): number {
  const flags = (file.flags & O_ACCMODE) | constants.O_NOFOLLOW;
  try {
    const fd = openSync(path, flags | constants.O_CREAT | constants.O_EXCL, file.mode & 0o7777);
    disk.journal?.made(parent, file.name);
    return fd;
  } catch (error) {
    const isThere = error instanceof Error && 'code' in error && error.code === 'EEXIST';
    if (!isThere || (file.flags & constants.O_EXCL) !== 0) throw error;
    return openSync(path, flags | (file.flags & constants.O_TRUNC));
  }
}

export function read(
  disk: Disk,
  request: Request,
  range: { readonly fh: number; readonly offset: number; readonly sizeBytes: number },
): Reply {
  const reply = allocateReply(request.unique, range.sizeBytes);
  const readBytes = readSync(range.fh, reply, REPLY_HEADER_BYTES, range.sizeBytes, range.offset);
  const bytes = reply.subarray(REPLY_HEADER_BYTES, REPLY_HEADER_BYTES + readBytes);
  if (disk.faults.fault.type === 'rot') {
    disk.faults.rot(bytes, range.offset, disk.inodes.get(request.nodeId).key);
  }
  return readBytes === range.sizeBytes ? reply : encodeBytes(request.unique, bytes);
}

export function write(
  disk: Disk,
  request: Request,
  piece: { readonly fh: number; readonly offset: number; readonly data: Buffer },
): Reply {
  const { fh, data, offset } = piece;
  const writeNow = (): number => writeSync(fh, data, 0, data.length, offset);
  const writtenBytes =
    disk.journal === undefined
      ? writeNow()
      : disk.journal.writing(disk.inodes.get(request.nodeId), offset, data.length, writeNow);
  return encodeWritten(request.unique, writtenBytes);
}

/** fsync and fdatasync: the one operation that waits for the device, and for the injected delay. */
export async function sync(
  disk: Disk,
  request: Request,
  target: { readonly fh: number; readonly dataOnly: boolean },
): Promise<Reply> {
  const { journal, faults, gate, inodes } = disk;
  const keeps = !faults.lies();
  if (keeps) {
    const inode = inodes.get(request.nodeId);
    const mark = journal?.mark(inode);
    await gate.sync(target.fh, target.dataOnly, faults.drawSyncDelayMs());
    if (mark !== undefined && !disk.powerFailed) journal?.synced(inode, mark);
  }
  return encodeBytes(request.unique, EMPTY);
}

export function release(request: Request, fh: number): Reply {
  closeSync(fh);
  return encodeBytes(request.unique, EMPTY);
}
