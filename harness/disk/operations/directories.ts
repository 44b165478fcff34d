/** Directories: listing them, and making, removing and moving the names in them. */

import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
} from 'node:fs';
import { assert } from '../../../src/lib/assert.ts';
import { type Inode, namedPathOf, pathIn, pathOf } from '../inode-table.ts';
import {
  type DirectoryEntry,
  encodeBytes,
  encodeDirectory,
  encodeEntry,
  encodeError,
  encodeOpened,
} from '../protocol/reply.ts';
import type { Request } from '../protocol/request.ts';
import { type Disk, ERRNO, ownLinks, type Reply, withoutUmask } from './disk.ts';

const EMPTY = Buffer.alloc(0);
const RENAME_NOREPLACE = 1;

export function lookup(disk: Disk, request: Request, name: Buffer): Reply {
  const found = disk.inodes.lookUp(pathIn(disk.inodes.get(request.nodeId), name));
  if (found === 'full') return encodeError(request.unique, ERRNO.ENFILE);
  return encodeEntry(request.unique, found.inode.nodeId, ownLinks(disk, found.stats));
}

export function mkdir(
  disk: Disk,
  request: Request,
  directory: { readonly name: Buffer; readonly mode: number },
): Reply {
  const parent = disk.inodes.get(request.nodeId);
  const path = pathIn(parent, directory.name);
  withoutUmask(() => mkdirSync(path, directory.mode & 0o7777));
  disk.journal?.made(parent, directory.name);
  return lookup(disk, request, directory.name);
}

export function symlink(
  disk: Disk,
  request: Request,
  link: { readonly name: Buffer; readonly target: Buffer },
): Reply {
  const parent = disk.inodes.get(request.nodeId);
  symlinkSync(link.target, pathIn(parent, link.name));
  disk.journal?.made(parent, link.name);
  return lookup(disk, request, link.name);
}

export function link(
  disk: Disk,
  request: Request,
  link: { readonly existing: number; readonly name: Buffer },
): Reply {
  const parent = disk.inodes.get(request.nodeId);
  linkSync(namedPathOf(disk.inodes.get(link.existing)), pathIn(parent, link.name));
  disk.journal?.made(parent, link.name);
  return lookup(disk, request, link.name);
}

export function unlink(disk: Disk, request: Request, name: Buffer): Reply {
  const parent = disk.inodes.get(request.nodeId);
  if (disk.journal === undefined) unlinkSync(pathIn(parent, name));
  else disk.journal.remove(parent, name);
  return encodeBytes(request.unique, EMPTY);
}

export function rmdir(disk: Disk, request: Request, name: Buffer): Reply {
  const parent = disk.inodes.get(request.nodeId);
  if (disk.journal === undefined) rmdirSync(pathIn(parent, name));
  else disk.journal.removeDirectory(parent, name);
  return encodeBytes(request.unique, EMPTY);
}

/** Node has rename(2) only; "do not replace" is a check first, safe while we alone change names. */
export function rename(
  disk: Disk,
  request: Request,
  move: {
    readonly oldName: Buffer;
    readonly newDirectory: number;
    readonly newName: Buffer;
    readonly flags: number;
  },
): Reply {
  const from = { directory: disk.inodes.get(request.nodeId), name: move.oldName };
  const to = { directory: disk.inodes.get(move.newDirectory), name: move.newName };
  const [source, target] = [from, to].map(({ directory, name }) => pathIn(directory, name));
  if ((move.flags & ~RENAME_NOREPLACE) !== 0) return encodeError(request.unique, ERRNO.EINVAL);
  if (move.flags === RENAME_NOREPLACE && isTaken(target!)) {
    return encodeError(request.unique, ERRNO.EEXIST);
  }
  if (disk.journal === undefined) renameSync(source!, target!);
  else disk.journal.move(from, to);
  return encodeBytes(request.unique, EMPTY);
}

/** Also by a symbolic link that leads nowhere. */
function isTaken(path: Buffer): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

export function openDirectory(disk: Disk, request: Request): Reply {
  const path = pathOf(disk.inodes.get(request.nodeId));
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  disk.directories.set(fd, { fd, entries: [] });
  return encodeOpened(request.unique, fd);
}

export function readDirectory(
  disk: Disk,
  request: Request,
  range: { readonly fh: number; readonly offset: number; readonly sizeBytes: number },
): Reply {
  const directory = disk.directories.get(range.fh);
  assert(directory !== undefined, `no open directory has the handle ${range.fh}`);
  if (range.offset === 0) directory.entries = list(disk.inodes.get(request.nodeId));
  const { offset: start, sizeBytes } = range;
  return encodeDirectory(request.unique, directory.entries, { start, sizeBytes });
}

export function releaseDirectory(disk: Disk, request: Request, fh: number): Reply {
  disk.directories.delete(fh);
  closeSync(fh);
  return encodeBytes(request.unique, EMPTY);
}

function list(directory: Inode): DirectoryEntry[] {
  const names = readdirSync(pathOf(directory), { encoding: 'buffer' });
  return [Buffer.from('.'), Buffer.from('..'), ...names].map((name) => {
    const stats = lstatSync(pathIn(directory, name), { bigint: true });
    return { name, inode: stats.ino, type: Number(stats.mode) >> 12 };
  });
}
