/** Open files: their handles are descriptors of the backing file. */

import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { pathIn, pathOf } from '../inode-table.ts';
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
import { type Disk, ERRNO, type Reply, withoutUmask } from './disk.ts';

const EMPTY = Buffer.alloc(0);
const O_ACCMODE = 3;

/**
 * Only the access mode is passed on. The kernel has dealt with the other flags: it truncates by
 * SETATTR, gives an appending WRITE its offset, and follows a WRITE of an O_DSYNC file by FSYNC.
 */
export function open(disk: Disk, request: Request, flags: number): Reply {
  const fd = openSync(pathOf(disk.inodes.get(request.nodeId)), flags & O_ACCMODE);
  return encodeOpened(request.unique, fd);
}

export function create(
  disk: Disk,
  request: Request,
  file: { readonly flags: number; readonly mode: number; readonly name: Buffer },
): Reply {
  const path = pathIn(disk.inodes.get(request.nodeId), file.name);
  const kept = file.flags & (O_ACCMODE | constants.O_EXCL | constants.O_TRUNC);
  const flags = kept | constants.O_CREAT | constants.O_NOFOLLOW;
  const fd = withoutUmask(() => openSync(path, flags, file.mode & 0o7777));
  const found = disk.inodes.lookUp(path);
  if (found === 'full') {
    closeSync(fd);
    return encodeError(request.unique, ERRNO.ENFILE);
  }
  return encodeCreated(request.unique, found.inode.nodeId, found.stats, fd);
}

export function read(
  request: Request,
  range: { readonly fh: number; readonly offset: number; readonly sizeBytes: number },
): Reply {
  const reply = allocateReply(request.unique, range.sizeBytes);
  const readBytes = readSync(range.fh, reply, REPLY_HEADER_BYTES, range.sizeBytes, range.offset);
  if (readBytes === range.sizeBytes) return reply;
  return encodeBytes(
    request.unique,
    reply.subarray(REPLY_HEADER_BYTES, REPLY_HEADER_BYTES + readBytes),
  );
}

export function write(
  request: Request,
  piece: { readonly fh: number; readonly offset: number; readonly data: Buffer },
): Reply {
  const { fh, data, offset } = piece;
  return encodeWritten(request.unique, writeSync(fh, data, 0, data.length, offset));
}

/** fsync and fdatasync: the one operation that waits for the device, and for the injected delay. */
export async function sync(
  disk: Disk,
  request: Request,
  target: { readonly fh: number; readonly dataOnly: boolean },
): Promise<Reply> {
  await disk.gate.sync(target.fh, target.dataOnly);
  return encodeBytes(request.unique, EMPTY);
}

export function release(request: Request, fh: number): Reply {
  closeSync(fh);
  return encodeBytes(request.unique, EMPTY);
}
