/**
 * The files that the kernel knows by node id. Each holds an O_PATH descriptor of its backing file,
 * so that its identity is the file itself and not a name: renames and hard links need no
 * bookkeeping, and a file without a name stays reachable for as long as the kernel refers to it.
 */

import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readlinkSync,
} from 'node:fs';
import { assert } from '../../src/lib/assert.ts';
import { ROOT_NODE_ID } from './protocol/format.ts';

/** One descriptor each; a server's data directory holds a few hundred. When full: ENFILE. */
const INODES_MAX = 16_384;

/** Names remembered beside the first, of a file with several. */
const OTHER_NAMES_MAX = 64;

/** Names the file without opening its contents (Linux; not among Node's constants). */
const O_PATH = 0o10000000;

export interface Inode {
  readonly nodeId: number;
  /** O_PATH descriptor: for stat, and for {@link pathOf}. */
  readonly fd: number;
  readonly key: string;
  /** As `fd`, found under other names: of several names any may go first. */
  readonly otherFds: number[];
  /** How often the kernel was told this id, less what it has forgotten. */
  lookups: number;
}

export interface Found {
  readonly inode: Inode;
  readonly stats: BigIntStats;
}

export class InodeTable {
  readonly #byNodeId = new Map<number, Inode>();
  readonly #byKey = new Map<string, Inode>();
  #nextNodeId = ROOT_NODE_ID;

  /** `rootPath` is the backing directory; it becomes node 1, which is never forgotten. */
  constructor(rootPath: string) {
    const found = this.lookUp(rootPath);
    assert(found !== 'full' && found.inode.nodeId === ROOT_NODE_ID, 'the root is the first inode');
  }

  get(nodeId: number): Inode {
    const inode = this.#byNodeId.get(nodeId);
    assert(inode !== undefined, `the kernel named a node it has forgotten: ${nodeId}`);
    return inode;
  }

  /**
   * The inode of the file at `path`, to be handed to the kernel: its lookup count goes up by one.
   * A symbolic link is its own file. Throws the errno of open(2), e.g. ENOENT.
   */
  lookUp(path: string | Buffer): Found | 'full' {
    const fd = openSync(path, O_PATH | constants.O_NOFOLLOW);
    const stats = fstatSync(fd, { bigint: true });
    const key = keyOf(stats);
    const known = this.#byKey.get(key);
    if (known !== undefined) {
      rememberName(known, fd, stats);
      known.lookups++;
      return { inode: known, stats };
    }
    if (this.#byNodeId.size === INODES_MAX) {
      closeSync(fd);
      return 'full';
    }
    const inode: Inode = { nodeId: this.#nextNodeId++, fd, otherFds: [], key, lookups: 1 };
    this.#byNodeId.set(inode.nodeId, inode);
    this.#byKey.set(key, inode);
    return { inode, stats };
  }

  /** Answers the key of the file if the kernel knows it no more. */
  forget(nodeId: number, lookups: number): string | undefined {
    if (nodeId === ROOT_NODE_ID) return undefined;
    const inode = this.get(nodeId);
    assert(inode.lookups >= lookups, `node ${nodeId} forgotten more often than looked up`);
    inode.lookups -= lookups;
    if (inode.lookups > 0) return undefined;
    this.#byNodeId.delete(nodeId);
    this.#byKey.delete(inode.key);
    closeAll(inode);
    return inode.key;
  }

  get size(): number {
    return this.#byNodeId.size;
  }

  /** Closes every descriptor; the table is of no use afterwards. */
  close(): void {
    for (const inode of this.#byNodeId.values()) closeAll(inode);
    this.#byNodeId.clear();
    this.#byKey.clear();
  }
}

/** A path that reaches the very file, named or not: system calls follow it like an open file. */
export function pathOf(inode: Inode): string {
  return `/proc/self/fd/${inode.fd}`;
}

/** The path of `name` in `directory`. Names are bytes, not necessarily UTF-8. */
export function pathIn(directory: Inode, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${pathOf(directory)}/`), name]);
}

/**
 * One of the file's names in the backing directory, for the calls that cannot take a descriptor:
 * link(2), and readlink(2) of a symbolic link. Of an unlinked file it leads nowhere (ENOENT).
 */
export function namedPathOf(inode: Inode): Buffer {
  const paths = [inode.fd, ...inode.otherFds].map(nameOf);
  const named = paths.find((path) => {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    return stats !== undefined && keyOf(stats) === inode.key;
  });
  return named ?? paths[0]!;
}

/** The name under which the descriptor found its file, wherever that has moved since. */
function nameOf(fd: number): Buffer {
  return readlinkSync(`/proc/self/fd/${fd}`, { encoding: 'buffer' });
}

function keyOf({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

/** Keeps `fd` if it found the file under a name that is not known yet. */
function rememberName(inode: Inode, fd: number, stats: BigIntStats): void {
  const isNew = (): boolean => {
    const name = nameOf(fd);
    return ![inode.fd, ...inode.otherFds].some((other) => nameOf(other).equals(name));
  };
  if (stats.isDirectory() || stats.nlink === 1n || !isNew()) {
    closeSync(fd);
    return;
  }
  inode.otherFds.push(fd);
  if (inode.otherFds.length > OTHER_NAMES_MAX) closeSync(inode.otherFds.shift()!);
}

function closeAll({ fd, otherFds }: Inode): void {
  for (const one of [fd, ...otherFds]) closeSync(one);
}
