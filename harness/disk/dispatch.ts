/** From a request to the operation that answers it. */

import { assert, assertNever } from '../../src/lib/assert.ts';
import type { OperationKind } from './disk-faults.ts';
import {
  link,
  lookup,
  mkdir,
  openDirectory,
  readDirectory,
  releaseDirectory,
  rename,
  rmdir,
  symlink,
  unlink,
} from './operations/directories.ts';
import { type Disk, ERRNO, type Reply } from './operations/disk.ts';
import { create, open, read, release, sync, write } from './operations/files.ts';
import { getAttributes, readLink, setAttributes, statDisk } from './operations/metadata.ts';
import {
  INIT_FLAG,
  PROTOCOL_MAJOR,
  PROTOCOL_MINOR_MAX,
  PROTOCOL_MINOR_MIN,
} from './protocol/format.ts';
import { encodeBytes, encodeError, encodeInit } from './protocol/reply.ts';
import type { Forgotten, Request, RequestBody } from './protocol/request.ts';

/** Largest WRITE that the kernel may send, and largest READ that it may ask for. */
export const WRITE_BYTES_MAX = 1_048_576;
const PAGE_BYTES = 4096;
const BACKGROUND_REQUESTS_MAX = 64;

/**
 * The reply to one request; `undefined` where the protocol has none. A system call that failed on
 * the backing directory becomes an error reply; any other exception is a bug and passes through.
 */
export async function answer(disk: Disk, request: Request): Promise<Reply | undefined> {
  try {
    const kind = kindOf(request.body);
    // Most operations meet no fault, and none of them should pay for the others.
    if (disk.faults.fault.type !== 'none' && kind !== 'exempt') {
      const refusal = await disk.faults.admit(kind);
      if (refusal !== undefined) return encodeError(request.unique, ERRNO[refusal]);
    }
    if (disk.powerFailed && kind !== 'exempt') return await NEVER;
    const reply = await perform(disk, request);
    return disk.powerFailed && kind !== 'exempt' ? await NEVER : reply;
  } catch (error) {
    if (!(error instanceof Error && 'errno' in error)) throw error;
    return encodeError(request.unique, Math.abs(Number(error.errno)));
  }
}

/** A machine without power answers nobody. */
const NEVER = new Promise<never>(() => undefined);

/** What the request does to the disk. */
export function kindOf(body: RequestBody): OperationKind {
  switch (body.op) {
    case 'write':
    case 'create':
    case 'mkdir':
    case 'symlink':
      return 'grow';
    case 'setattr':
    case 'link':
    case 'unlink':
    case 'rmdir':
    case 'rename':
      return 'change';
    case 'fsync':
    case 'fsyncdir':
      return 'sync';
    case 'lookup':
    case 'getattr':
    case 'readlink':
    case 'open':
    case 'read':
    case 'opendir':
    case 'readdir':
    case 'statfs':
      return 'read';
    case 'init':
    case 'forget':
    case 'release':
    case 'releasedir':
    case 'interrupt':
    case 'destroy':
    case 'unsupported':
      return 'exempt';
    default:
      return assertNever(body);
  }
}

function perform(disk: Disk, request: Request): Reply | Promise<Reply> | undefined {
  const { body } = request;
  switch (body.op) {
    case 'init':
      return initialise(request.unique, body);
    case 'lookup':
      return lookup(disk, request, body.name);
    case 'forget':
      forget(disk, body.forgotten);
      return undefined;
    case 'getattr':
      return getAttributes(disk, request);
    case 'setattr':
      return setAttributes(disk, request, body.change);
    case 'readlink':
      return readLink(disk, request);
    case 'symlink':
      return symlink(disk, request, body);
    case 'link':
      return link(disk, request, body);
    case 'mkdir':
      return mkdir(disk, request, body);
    case 'unlink':
      return unlink(disk, request, body.name);
    case 'rmdir':
      return rmdir(disk, request, body.name);
    case 'rename':
      return rename(disk, request, body);
    case 'open':
      return open(disk, request, body.flags);
    case 'create':
      return create(disk, request, body);
    case 'read':
      return read(disk, request, body);
    case 'write':
      return write(disk, request, body);
    case 'fsync':
    case 'fsyncdir':
      return sync(disk, request, body);
    case 'release':
      return release(request, body.fh);
    case 'opendir':
      return openDirectory(disk, request);
    case 'readdir':
      return readDirectory(disk, request, body);
    case 'releasedir':
      return releaseDirectory(disk, request, body.fh);
    case 'statfs':
      return statDisk(disk, request);
    case 'destroy':
      return encodeBytes(request.unique, Buffer.alloc(0));
    case 'interrupt':
      // No operation can be broken off half-way; the kernel waits for the reply it is owed.
      return undefined;
    case 'unsupported':
      // The kernel then does without: e.g. no more FLUSH and ACCESS, local locks, no extended
      // attributes, fallocate(2) fails with EOPNOTSUPP and the caller falls back.
      return encodeError(request.unique, ERRNO.ENOSYS);
    default:
      return assertNever(body);
  }
}

function forget(disk: Disk, forgotten: readonly Forgotten[]): void {
  for (const { nodeId, lookups } of forgotten) {
    const key = disk.inodes.forget(nodeId, lookups);
    if (key !== undefined) disk.journal?.forgotten(key);
  }
}

function initialise(
  unique: bigint,
  init: {
    readonly major: number;
    readonly minor: number;
    readonly readaheadBytes: number;
    readonly flags: number;
  },
): Reply {
  assert(init.major === PROTOCOL_MAJOR, `the kernel speaks FUSE ${init.major}`);
  if (init.minor < PROTOCOL_MINOR_MIN) return encodeError(unique, ERRNO.EPROTO);
  const wanted = Object.values(INIT_FLAG).reduce((flags, flag) => flags | flag, 0);
  return encodeInit(unique, {
    minor: Math.min(init.minor, PROTOCOL_MINOR_MAX),
    readaheadBytes: init.readaheadBytes,
    flags: wanted & init.flags,
    backgroundMax: BACKGROUND_REQUESTS_MAX,
    writeBytesMax: WRITE_BYTES_MAX,
    pagesMax: WRITE_BYTES_MAX / PAGE_BYTES,
  });
}
