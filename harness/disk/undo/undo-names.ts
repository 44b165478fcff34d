/**
 * The way back from the names that a directory tree has to those that are durable: for every name
 * made, removed or moved since its directory was synced last, how to undo that. What a removal
 * would destroy is kept in a directory beside the tree until the removal is durable.
 */

import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs';
import { join } from 'node:path';
import { assertNever } from '../../../src/lib/assert.ts';

/** More changes than this: the oldest are taken for durable. */
const CHANGES_MAX = 4096;

/** Names the directory without opening it (Linux; not among Node's constants). */
const O_PATH = 0o10000000;

/** A directory of the tree: its identity, and a path that reaches it now. */
export interface DirectoryAt {
  readonly key: string;
  readonly path: string;
}

type NameChange = {
  /** Grows with every change. */
  readonly order: number;
  readonly atMs: number;
} & (
  | { readonly type: 'made'; readonly directory: string; readonly name: Buffer }
  | {
      readonly type: 'removed';
      readonly directory: string;
      readonly name: Buffer;
      readonly kept: string;
    }
  | {
      readonly type: 'moved';
      readonly directory: string;
      readonly name: Buffer;
      readonly toDirectory: string;
      readonly toName: Buffer;
      /** What had the new name before. */
      readonly kept: string | undefined;
    }
);

interface HeldDirectory {
  readonly fd: number;
  changes: number;
}

export class UndoNames {
  readonly #keepDirectory: string;
  #changes: NameChange[] = [];
  #order = 0;
  #nextKept = 0;
  readonly #directories = new Map<string, HeldDirectory>();
  /** How many of a file's links are in the keep directory, by device and inode. */
  readonly #keptLinks = new Map<string, number>();

  /** `keepDirectory` lies on the file system of the tree and outside it. It is emptied. */
  constructor(keepDirectory: string) {
    this.#keepDirectory = keepDirectory;
    rmSync(keepDirectory, { recursive: true, force: true });
    mkdirSync(keepDirectory, { recursive: true, mode: 0o700 });
  }

  /** The moment up to which a {@link sync} works. */
  get order(): number {
    return this.#order;
  }

  get size(): number {
    return this.#changes.length;
  }

  /** Links of the file that are none of the tree's. */
  keptLinks(key: string): number {
    return this.#keptLinks.size === 0 ? 0 : (this.#keptLinks.get(key) ?? 0);
  }

  /** Call after the name was made. */
  made(directory: DirectoryAt, name: Buffer, atMs: number): void {
    this.#hold(directory);
    this.#push({ type: 'made', directory: directory.key, name, order: this.#order++, atMs });
  }

  /** Removes a file's name. Throws the errno of unlink(2). */
  remove(directory: DirectoryAt, name: Buffer, atMs: number): void {
    const path = pathOf(directory.path, name);
    const kept = this.#keepFile(path);
    try {
      unlinkSync(path);
    } catch (error) {
      this.#discard(kept);
      throw error;
    }
    this.#pushRemoved(directory, name, kept, atMs);
  }

  /** Removes an empty directory. Throws the errno of rmdir(2). */
  removeDirectory(directory: DirectoryAt, name: Buffer, atMs: number): void {
    const path = pathOf(directory.path, name);
    if (readdirSync(path).length > 0) rmdirSync(path);
    const kept = this.#nextPath();
    renameSync(path, kept);
    this.#pushRemoved(directory, name, kept, atMs);
  }

  /** Throws the errno of rename(2). */
  move(
    from: { readonly directory: DirectoryAt; readonly name: Buffer },
    to: { readonly directory: DirectoryAt; readonly name: Buffer },
    atMs: number,
  ): void {
    const [source, target] = [from, to].map(({ directory, name }) => pathOf(directory.path, name));
    const kept = this.#keepTarget(source!, target!);
    try {
      renameSync(source!, target!);
    } catch (error) {
      if (kept !== undefined) this.#giveBack(kept, target!);
      throw error;
    }
    this.#hold(from.directory);
    this.#hold(to.directory);
    this.#push({
      type: 'moved',
      directory: from.directory.key,
      name: from.name,
      toDirectory: to.directory.key,
      toName: to.name,
      kept,
      order: this.#order++,
      atMs,
    });
  }

  /**
   * The directory is durable as it was when the order was `upTo`, and with it the other directory
   * of every move into or out of it.
   */
  sync(key: string, upTo: number): void {
    if (!this.#directories.has(key)) return;
    const synced = new Set([key]);
    const kept: NameChange[] = [];
    for (const change of this.#changes.toReversed()) {
      const keys = directoriesOf(change);
      if (change.order < upTo && keys.some((one) => synced.has(one))) {
        for (const one of keys) synced.add(one);
        this.#settle(change);
      } else {
        kept.push(change);
      }
    }
    this.#changes = kept.reverse();
  }

  /** Changes made before that time are durable. */
  expire(beforeMs: number): void {
    const kept = this.#changes.findIndex(({ atMs }) => atMs >= beforeMs);
    this.#settleOldest(kept === -1 ? this.#changes.length : kept);
  }

  /** Undoes all but the `survivors` oldest changes; answers how many were undone. */
  powerLoss(survivors: number): number {
    const lost = this.#changes.splice(survivors).reverse();
    for (const change of lost) {
      this.#undo(change);
      this.#release(change);
    }
    this.#settleOldest(this.#changes.length);
    return lost.length;
  }

  #pushRemoved(directory: DirectoryAt, name: Buffer, kept: string, atMs: number): void {
    this.#hold(directory);
    const order = this.#order++;
    this.#push({ type: 'removed', directory: directory.key, name, kept, order, atMs });
  }

  #push(change: NameChange): void {
    this.#changes.push(change);
    if (this.#changes.length > CHANGES_MAX) this.#settleOldest(1);
  }

  #settleOldest(count: number): void {
    for (const change of this.#changes.splice(0, count)) this.#settle(change);
  }

  /** The change is durable: what it has destroyed may go. */
  #settle(change: NameChange): void {
    if (change.type !== 'made' && change.kept !== undefined) this.#discard(change.kept);
    this.#release(change);
  }

  #undo(change: NameChange): void {
    const path = this.#pathIn(change.directory, change.name);
    switch (change.type) {
      case 'made':
        rmSync(path, { recursive: true, force: true });
        break;
      case 'removed':
        this.#giveBack(change.kept, path);
        break;
      case 'moved': {
        const target = this.#pathIn(change.toDirectory, change.toName);
        renameSync(target, path);
        if (change.kept !== undefined) this.#giveBack(change.kept, target);
        break;
      }
      default:
        assertNever(change);
    }
  }

  /** A second link to the file, so that it outlives its name. */
  #keepFile(path: Buffer): string {
    const kept = this.#nextPath();
    linkSync(path, kept);
    this.#countLink(kept, 1);
    return kept;
  }

  /** What a rename is about to replace, if anything; an empty directory is moved away. */
  #keepTarget(source: Buffer, target: Buffer): string | undefined {
    const replaced = lstatSync(target, { throwIfNoEntry: false });
    if (replaced === undefined) return undefined;
    if (!replaced.isDirectory()) return this.#keepFile(target);
    // Else rename(2) will say what is wrong.
    if (!lstatSync(source).isDirectory() || readdirSync(target).length > 0) return undefined;
    if (lstatSync(source).ino === replaced.ino) return undefined;
    const kept = this.#nextPath();
    renameSync(target, kept);
    return kept;
  }

  #giveBack(kept: string, path: Buffer): void {
    if (!lstatSync(kept).isDirectory()) this.#countLink(kept, -1);
    renameSync(kept, path);
    // Of two links to one file rename(2) moves nothing.
    rmSync(kept, { recursive: true, force: true });
  }

  #discard(kept: string): void {
    if (lstatSync(kept).isDirectory()) {
      rmSync(kept, { recursive: true });
    } else {
      this.#countLink(kept, -1);
      unlinkSync(kept);
    }
  }

  #countLink(kept: string, change: number): void {
    const { dev, ino } = lstatSync(kept, { bigint: true });
    const key = `${dev}:${ino}`;
    const count = (this.#keptLinks.get(key) ?? 0) + change;
    if (count === 0) this.#keptLinks.delete(key);
    else this.#keptLinks.set(key, count);
  }

  #nextPath(): string {
    return join(this.#keepDirectory, String(this.#nextKept++));
  }

  #pathIn(key: string, name: Buffer): Buffer {
    return pathOf(`/proc/self/fd/${this.#directories.get(key)!.fd}`, name);
  }

  #hold({ key, path }: DirectoryAt): void {
    const held = this.#directories.get(key);
    if (held !== undefined) held.changes++;
    else this.#directories.set(key, { fd: openSync(path, O_PATH), changes: 1 });
  }

  #release(change: NameChange): void {
    for (const key of directoriesOf(change)) {
      const held = this.#directories.get(key)!;
      if (--held.changes > 0) continue;
      closeSync(held.fd);
      this.#directories.delete(key);
    }
  }
}

/** Of a move within one directory it is there twice, as it is held twice. */
function directoriesOf(change: NameChange): readonly string[] {
  return change.type === 'moved' ? [change.directory, change.toDirectory] : [change.directory];
}

function pathOf(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}
