import { assertNever } from '../../../src/lib/assert.ts';
import { EMPTY_BYTES } from '../../../src/lib/bytes.ts';
import type { Random } from '../../../src/ports/random.ts';

/**
 * Content of one file: what programs see, and the way back from there to what is durable.
 *
 * Only what a change overwrote is kept beside it, and a log overwrites nothing: appending costs
 * the bytes appended, and syncing costs nothing. What the changes wrote is still to be found
 * while they are undone, newest first.
 *
 * Bytes from `writtenBytes` to `sizeBytes` are zeros that were never written and take no room,
 * as in a sparse file.
 */
export class StoredFile {
  /** Beyond `writtenBytes` it holds anything. */
  #bytes: Uint8Array;
  #writtenBytes: number;
  #sizeBytes: number;
  /** Not durable yet, in order. */
  #pending: Undo[] = [];
  #durableChanges = 0;

  /** Of a copy of this content, durably. */
  constructor(content: Uint8Array = EMPTY_BYTES) {
    this.#bytes = new Uint8Array(content);
    this.#writtenBytes = content.length;
    this.#sizeBytes = content.length;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** Changes made so far: the moment up to which a {@link sync} works. */
  get changes(): number {
    return this.#durableChanges + this.#pending.length;
  }

  /** A copy of up to `lengthBytes` from `offset`; shorter only at the end of the file. */
  read(offset = 0, lengthBytes: number = this.#sizeBytes): Uint8Array {
    const end = Math.min(offset + lengthBytes, this.#sizeBytes);
    const result = new Uint8Array(Math.max(end - offset, 0));
    const writtenEnd = Math.min(end, this.#writtenBytes);
    if (writtenEnd > offset) result.set(this.#bytes.subarray(offset, writtenEnd));
    return result;
  }

  /** Copies `bytes` in, extending the file if needed. */
  write(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    this.#pending.push({
      type: 'write',
      offset,
      lengthBytes: bytes.length,
      before: this.#kept(offset, end),
      sizeBefore: this.#sizeBytes,
      writtenBefore: this.#writtenBytes,
    });
    this.#put(offset, bytes);
  }

  /** Cuts or extends with zeros. */
  truncate(sizeBytes: number): void {
    this.#pending.push({
      type: 'truncate',
      sizeBytes,
      before: this.#kept(sizeBytes, this.#writtenBytes),
      sizeBefore: this.#sizeBytes,
      writtenBefore: this.#writtenBytes,
    });
    this.#resize(sizeBytes);
  }

  /** The first `upTo` changes of the file's life are durable, or all of them. */
  sync(upTo: number = this.changes): void {
    const count = Math.max(upTo - this.#durableChanges, 0);
    this.#durableChanges += count;
    if (count === this.#pending.length) this.#pending = [];
    else this.#pending.splice(0, count);
  }

  /** A copy of what is durable. */
  durable(): Uint8Array {
    const undone = this.#undoAll();
    const content = this.read();
    for (const change of undone) this.#redo(change);
    return content;
  }

  /** Puts `bytes` on the medium itself, below all that is not synced. */
  damage(offset: number, bytes: Uint8Array): void {
    const undone = this.#undoAll();
    this.#put(offset, bytes);
    for (const change of undone) this.#redo(change);
  }

  /** What was not synced survives in part (device.ts says how) and is durable then. */
  powerLoss(random: Pick<Random, 'below'>): void {
    const undone = this.#undoAll();
    const truncations = undone.filter((change) => change.type === 'truncate').length;
    let truncationsLeft = random.below(truncations + 1);
    const lost = new Set<number>();
    for (const change of undone) {
      switch (change.type) {
        case 'write':
          this.#surviveInPart(change, lost, random);
          break;
        case 'truncate':
          if (truncationsLeft-- > 0) this.#resize(change.sizeBytes);
          break;
        default:
          assertNever(change);
      }
    }
  }

  /**
   * Each sector of the write is stored or lost as one. The page cache holds all that was written
   * to a sector before, so the device never has a later write of it without the earlier ones:
   * once a write to a sector is lost, those after it are too.
   */
  #surviveInPart(
    { offset, bytes }: WriteChange,
    lost: Set<number>,
    random: Pick<Random, 'below'>,
  ): void {
    let done = 0;
    while (done < bytes.length) {
      const sector = Math.floor((offset + done) / SECTOR_BYTES);
      const length = SECTOR_BYTES - ((offset + done) % SECTOR_BYTES);
      if (random.below(2) !== 0) lost.add(sector);
      if (!lost.has(sector)) this.#put(offset + done, bytes.subarray(done, done + length));
      done += length;
    }
  }

  /** Back to what is durable; returns what was undone, oldest first. */
  #undoAll(): FileChange[] {
    const undone: FileChange[] = [];
    for (let undo = this.#pending.pop(); undo !== undefined; undo = this.#pending.pop()) {
      undone.push(this.#undo(undo));
    }
    return undone.reverse();
  }

  /** All changes after this one have been undone: what it wrote is all there. */
  #undo(undo: Undo): FileChange {
    const { before, sizeBefore, writtenBefore } = undo;
    this.#writtenBytes = writtenBefore;
    this.#sizeBytes = sizeBefore;
    switch (undo.type) {
      case 'write': {
        const { offset, lengthBytes } = undo;
        const bytes = this.#bytes.slice(offset, offset + lengthBytes);
        this.#bytes.set(before, offset);
        return { type: 'write', offset, bytes };
      }
      case 'truncate':
        if (before.length > 0) this.#bytes.set(before, undo.sizeBytes);
        return { type: 'truncate', sizeBytes: undo.sizeBytes };
      default:
        return assertNever(undo);
    }
  }

  #redo(change: FileChange): void {
    switch (change.type) {
      case 'write':
        this.write(change.offset, change.bytes);
        break;
      case 'truncate':
        this.truncate(change.sizeBytes);
        break;
      default:
        assertNever(change);
    }
  }

  /** A copy of the written bytes in [from, to). */
  #kept(from: number, to: number): Uint8Array {
    const end = Math.min(to, this.#writtenBytes);
    return from < end ? this.#bytes.slice(from, end) : EMPTY_BYTES;
  }

  #put(offset: number, bytes: Uint8Array): void {
    const end = offset + bytes.length;
    if (end > this.#bytes.length) this.#grow(end);
    if (offset > this.#writtenBytes) this.#bytes.fill(0, this.#writtenBytes, offset);
    this.#bytes.set(bytes, offset);
    this.#writtenBytes = Math.max(this.#writtenBytes, end);
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
  }

  #resize(sizeBytes: number): void {
    this.#sizeBytes = sizeBytes;
    this.#writtenBytes = Math.min(this.#writtenBytes, sizeBytes);
  }

  #grow(neededBytes: number): void {
    const grown = new Uint8Array(Math.max(neededBytes, 2 * this.#bytes.length));
    grown.set(this.#bytes.subarray(0, this.#writtenBytes));
    this.#bytes = grown;
  }
}

interface WriteChange {
  readonly type: 'write';
  readonly offset: number;
  readonly bytes: Uint8Array;
}

type FileChange = WriteChange | { readonly type: 'truncate'; readonly sizeBytes: number };

/** A change, without what it wrote, and what was there before. */
type Undo = {
  /** Written bytes that it replaced or cut off, from its `offset` or `sizeBytes` on. */
  readonly before: Uint8Array;
  readonly sizeBefore: number;
  readonly writtenBefore: number;
} & (
  | { readonly type: 'write'; readonly offset: number; readonly lengthBytes: number }
  | { readonly type: 'truncate'; readonly sizeBytes: number }
);

/** What a device stores or loses as one. */
export const SECTOR_BYTES = 512;
