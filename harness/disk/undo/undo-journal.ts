/**
 * What a power failure would take from the disk now, and the taking of it. Changes of content are
 * durable once their file was synced, names once their directory was. As a kernel writes back what
 * is old, content is durable after 30 s without a sync, and a name after 5 s. Modes, owners and
 * times are durable at once.
 *
 * It knows what was changed since it was made: a disk that only loses its process, and not its
 * power, starts again with everything durable.
 */

import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  writeSync,
} from 'node:fs';
import type { Random } from '../../../src/ports/random.ts';
import type { PowerLoss, PowerLossReport } from '../../cluster/cluster.ts';
import { type Inode, pathOf } from '../inode-table.ts';
import { UndoFile } from './undo-file.ts';
import { type DirectoryAt, UndoNames } from './undo-names.ts';

const CONTENT_AGE_MS_MAX = 30_000;
const NAME_AGE_MS_MAX = 5_000;
/** How often the ages are looked at. */
const EXPIRY_INTERVAL_MS = 1_000;
/** Memory for what was overwritten; beyond it every change of content is taken for durable. */
const HELD_BYTES_MAX = 256 * 1_048_576;
/** Files with a descriptor of ours; beyond it those without changes are closed. */
const FILES_MAX = 256;

interface TrackedFile {
  readonly fd: number;
  readonly undo: UndoFile;
}

/** A moment; see {@link UndoJournal.mark}. */
export interface SyncMark {
  readonly changes: number;
  readonly order: number;
}

export class UndoJournal {
  readonly names: UndoNames;
  readonly #files = new Map<string, TrackedFile>();
  readonly #nowMs: () => number;
  #writes = 0;
  #expiredAtMs: number;
  /** While the disk lies nothing becomes durable by age either. */
  isLying = false;

  constructor(keepDirectory: string, nowMs: () => number) {
    this.names = new UndoNames(keepDirectory);
    this.#nowMs = nowMs;
    this.#expiredAtMs = nowMs();
  }

  /** Does `write`, which changes the file's content as announced, so that it can be undone. */
  writing<Value>(inode: Inode, offset: number, lengthBytes: number, write: () => Value): Value {
    return this.#changing(inode, write, (undo, when) =>
      undo.beforeWrite(offset, lengthBytes, when),
    );
  }

  /** As {@link writing}, of a truncation. */
  resizing<Value>(inode: Inode, sizeBytes: number, resize: () => Value): Value {
    return this.#changing(inode, resize, (undo, when) => undo.beforeResize(sizeBytes, when));
  }

  made(directory: Inode, name: Buffer): void {
    this.names.made(directoryAt(directory), name, this.#tick());
  }

  remove(directory: Inode, name: Buffer): void {
    this.names.remove(directoryAt(directory), name, this.#tick());
  }

  removeDirectory(directory: Inode, name: Buffer): void {
    this.names.removeDirectory(directoryAt(directory), name, this.#tick());
  }

  move(
    from: { readonly directory: Inode; readonly name: Buffer },
    to: { readonly directory: Inode; readonly name: Buffer },
  ): void {
    const places = [from, to].map(({ directory, name }) => ({
      directory: directoryAt(directory),
      name,
    }));
    this.names.move(places[0]!, places[1]!, this.#tick());
  }

  /** What a sync of the file or directory that starts now will make durable. */
  mark(inode: Inode): SyncMark {
    return { changes: this.#files.get(inode.key)?.undo.changes ?? 0, order: this.names.order };
  }

  synced(inode: Inode, mark: SyncMark): void {
    this.#files.get(inode.key)?.undo.sync(mark.changes);
    this.names.sync(inode.key, mark.order);
  }

  /** The kernel knows the file no more: without changes there is nothing to hold it for. */
  forgotten(key: string): void {
    if (this.#files.get(key)?.undo.isClean) this.#close(key);
  }

  /** Puts the backing directory into the state that a power failure now would leave. */
  powerLoss({ keeps }: Pick<PowerLoss, 'keeps'>, random: Random): PowerLossReport {
    const files = [...this.#files.values()];
    const last = Math.max(...files.map(({ undo }) => undo.lastWriteOrder), 0);
    const loss = { changes: 0, bytes: 0, torn: 0 };
    for (const { undo } of files) {
      const fileLoss = undo.powerLoss(keeps, undo.lastWriteOrder === last, random);
      loss.changes += fileLoss.changes;
      loss.bytes += fileLoss.bytes;
      loss.torn += fileLoss.torn;
    }
    const survivors = { nothing: 0, some: random.below(this.names.size + 1), torn: Infinity };
    return { ...loss, names: this.names.powerLoss(survivors[keeps]) };
  }

  #changing<Value>(
    inode: Inode,
    change: () => Value,
    announce: (undo: UndoFile, when: { atMs: number; order: number }) => void,
  ): Value {
    const atMs = this.#tick();
    const undo = this.#fileOf(inode)?.undo;
    if (undo === undefined) return change();
    announce(undo, { atMs, order: ++this.#writes });
    try {
      return change();
    } catch (error) {
      undo.takeBack();
      throw error;
    }
  }

  /** Undefined for a file that this process may not open: what is done to it is never undone. */
  #fileOf(inode: Inode): TrackedFile | undefined {
    const known = this.#files.get(inode.key);
    if (known !== undefined) return known;
    if (this.#files.size >= FILES_MAX) {
      for (const [key, { undo }] of this.#files) if (undo.isClean) this.#close(key);
    }
    try {
      const fd = openSync(pathOf(inode), constants.O_RDWR);
      const file = { fd, undo: new UndoFile(contentOf(fd)) };
      this.#files.set(inode.key, file);
      return file;
    } catch {
      return undefined;
    }
  }

  #close(key: string): void {
    closeSync(this.#files.get(key)!.fd);
    this.#files.delete(key);
  }

  /** The time; and now and then what is old becomes durable. */
  #tick(): number {
    const nowMs = this.#nowMs();
    if (nowMs - this.#expiredAtMs < EXPIRY_INTERVAL_MS) return nowMs;
    this.#expiredAtMs = nowMs;
    let heldBytes = 0;
    for (const { undo } of this.#files.values()) heldBytes += undo.heldBytes;
    const isFull = heldBytes > HELD_BYTES_MAX;
    if (this.isLying && !isFull) return nowMs;
    for (const { undo } of this.#files.values()) {
      undo.expire(isFull ? Infinity : nowMs - CONTENT_AGE_MS_MAX);
    }
    this.names.expire(nowMs - NAME_AGE_MS_MAX);
    return nowMs;
  }
}

function directoryAt(inode: Inode): DirectoryAt {
  return { key: inode.key, path: pathOf(inode) };
}

function contentOf(fd: number): UndoFile['content'] {
  return {
    get sizeBytes(): number {
      return fstatSync(fd).size;
    },
    read: (offset, lengthBytes) => {
      const bytes = Buffer.allocUnsafeSlow(lengthBytes);
      return bytes.subarray(0, readSync(fd, bytes, 0, lengthBytes, offset));
    },
    write: (offset, bytes) => {
      if (bytes.length > 0) writeSync(fd, bytes, 0, bytes.length, offset);
    },
    resize: (sizeBytes) => ftruncateSync(fd, sizeBytes),
  };
}
