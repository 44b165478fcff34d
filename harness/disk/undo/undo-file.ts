/**
 * The way back from what one file holds to what is durable of it: for every change that no sync
 * has covered, what it overwrote. Appending costs nothing to remember, and a log only appends.
 */

import { assertNever } from '../../../src/lib/assert.ts';
import { EMPTY_BYTES } from '../../../src/lib/bytes.ts';
import type { Random } from '../../../src/ports/random.ts';
import type { PowerLoss } from '../../cluster/cluster.ts';

/** What a device stores or loses as one. */
export const SECTOR_BYTES = 512;

/** The file itself, as it is now. */
export interface Content {
  readonly sizeBytes: number;
  /** Shorter only at the end of the file. */
  read(offset: number, lengthBytes: number): Uint8Array;
  write(offset: number, bytes: Uint8Array): void;
  /** Cuts or extends with zeros. */
  resize(sizeBytes: number): void;
}

/** What a power failure took from one file. */
export interface FileLoss {
  /** Writes and truncations of which something is gone. */
  readonly changes: number;
  /** Bytes written and gone. */
  readonly bytes: number;
  /** Writes of which a part survived. */
  readonly torn: number;
}

export class UndoFile {
  readonly content: Content;
  #pending: Undo[] = [];
  #durableChanges = 0;
  #sizeBytes: number;
  #heldBytes = 0;

  constructor(content: Content) {
    this.content = content;
    this.#sizeBytes = content.sizeBytes;
  }

  /** Changes so far: the moment up to which a {@link sync} works. */
  get changes(): number {
    return this.#durableChanges + this.#pending.length;
  }

  get isClean(): boolean {
    return this.#pending.length === 0;
  }

  /** Memory that is held for the way back. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** When the oldest change was made that is not durable. */
  get oldestMs(): number | undefined {
    return this.#pending[0]?.atMs;
  }

  /** Order of the newest write among all files; -1: there is none. */
  get lastWriteOrder(): number {
    return this.#pending.findLast(({ type }) => type === 'write')?.order ?? -1;
  }

  /** Call before the write is done. `order` grows with every write to any file. */
  beforeWrite(offset: number, lengthBytes: number, when: { atMs: number; order: number }): void {
    const end = offset + lengthBytes;
    const before =
      offset < this.#sizeBytes
        ? this.content.read(offset, Math.min(end, this.#sizeBytes) - offset)
        : EMPTY_BYTES;
    this.#push({
      type: 'write',
      offset,
      lengthBytes,
      before,
      sizeBefore: this.#sizeBytes,
      ...when,
    });
    this.#sizeBytes = Math.max(this.#sizeBytes, end);
  }

  /** Call before the truncation is done. Of what it cuts off, zeros at the end take no room. */
  beforeResize(sizeBytes: number, when: { atMs: number; order: number }): void {
    const before =
      sizeBytes < this.#sizeBytes
        ? withoutZeros(this.content.read(sizeBytes, this.#sizeBytes - sizeBytes))
        : EMPTY_BYTES;
    this.#push({ type: 'resize', sizeBytes, before, sizeBefore: this.#sizeBytes, ...when });
    this.#sizeBytes = sizeBytes;
  }

  /** The change announced last has failed. */
  takeBack(): void {
    const undo = this.#pending.pop();
    if (undo === undefined) return;
    this.#heldBytes -= undo.before.length;
    this.#sizeBytes = this.content.sizeBytes;
  }

  /** The first `upTo` changes of the file's life are durable. */
  sync(upTo: number): void {
    const count = Math.max(upTo - this.#durableChanges, 0);
    for (const { before } of this.#pending.splice(0, count)) this.#heldBytes -= before.length;
    this.#durableChanges += count;
  }

  /** Changes made before that time are durable: the kernel writes back what is old. */
  expire(beforeMs: number): void {
    const kept = this.#pending.findIndex(({ atMs }) => atMs >= beforeMs);
    const count = kept === -1 ? this.#pending.length : kept;
    if (count > 0) this.sync(this.#durableChanges + count);
  }

  /**
   * Takes from the file what was not synced. `nothing` of it survives; or `some`: of each sector
   * the writes up to some point, and truncations up to some point, as chance has it; or all but
   * the end of the last write (`torn`), where this file has it.
   */
  powerLoss(keeps: PowerLoss['keeps'], hasLastWrite: boolean, random: Random): FileLoss {
    const undone = this.#undoAll();
    const loss = { changes: 0, bytes: 0, torn: 0 };
    switch (keeps) {
      case 'nothing':
        loss.changes = undone.length;
        for (const change of undone) if (change.type === 'write') loss.bytes += change.bytes.length;
        break;
      case 'some':
        this.#surviveInPart(undone, random, loss);
        break;
      case 'torn':
        this.#surviveButTheLast(undone, hasLastWrite, random, loss);
        break;
      default:
        assertNever(keeps);
    }
    this.#sizeBytes = this.content.sizeBytes;
    return loss;
  }

  #push(undo: Undo): void {
    this.#pending.push(undo);
    this.#heldBytes += undo.before.length;
  }

  /** Back to what is durable; answers what was undone, oldest first. */
  #undoAll(): Change[] {
    const undone: Change[] = [];
    for (const undo of this.#pending.toReversed()) undone.push(this.#undo(undo));
    this.#pending = [];
    this.#heldBytes = 0;
    return undone.reverse();
  }

  /** All changes after this one have been undone: what it wrote is all there. */
  #undo(undo: Undo): Change {
    const { content } = this;
    switch (undo.type) {
      case 'write': {
        const bytes = content.read(undo.offset, undo.lengthBytes);
        if (undo.before.length > 0) content.write(undo.offset, undo.before);
        content.resize(undo.sizeBefore);
        return { type: 'write', offset: undo.offset, bytes };
      }
      case 'resize':
        content.resize(undo.sizeBefore);
        if (undo.before.length > 0) content.write(undo.sizeBytes, undo.before);
        return { type: 'resize', sizeBytes: undo.sizeBytes };
      default:
        return assertNever(undo);
    }
  }

  /** A sector that has lost a write has none of those after it: each held the earlier ones. */
  #surviveInPart(undone: readonly Change[], random: Random, loss: Mutable<FileLoss>): void {
    const resizes = undone.filter(({ type }) => type === 'resize').length;
    let resizesLeft = random.below(resizes + 1);
    const lost = new Set<number>();
    for (const change of undone) {
      if (change.type === 'resize') {
        if (resizesLeft-- > 0) this.content.resize(change.sizeBytes);
        else loss.changes++;
        continue;
      }
      let lostBytes = 0;
      for (const { sector, from, to } of sectorsOf(change)) {
        if (random.below(2) !== 0) lost.add(sector);
        if (lost.has(sector)) lostBytes += to - from;
        else this.content.write(change.offset + from, change.bytes.subarray(from, to));
      }
      if (lostBytes > 0) loss.changes++;
      if (lostBytes > 0 && lostBytes < change.bytes.length) loss.torn++;
      loss.bytes += lostBytes;
    }
  }

  #surviveButTheLast(
    undone: readonly Change[],
    hasLastWrite: boolean,
    random: Random,
    loss: Mutable<FileLoss>,
  ): void {
    const last = hasLastWrite
      ? undone.findLastIndex(({ type }) => type === 'write')
      : undone.length;
    for (const [at, change] of undone.entries()) {
      if (change.type === 'resize') {
        this.content.resize(change.sizeBytes);
      } else if (at !== last) {
        this.content.write(change.offset, change.bytes);
      } else {
        const sectors = [...sectorsOf(change)];
        const kept = random.below(sectors.length);
        const keptBytes = kept === 0 ? 0 : sectors[kept - 1]!.to;
        this.content.write(change.offset, change.bytes.subarray(0, keptBytes));
        loss.changes++;
        loss.bytes += change.bytes.length - keptBytes;
        if (keptBytes > 0) loss.torn++;
      }
    }
  }
}

type Mutable<Value> = { -readonly [Key in keyof Value]: Value[Key] };

interface WriteChange {
  readonly type: 'write';
  readonly offset: number;
  readonly bytes: Uint8Array;
}

type Change = WriteChange | { readonly type: 'resize'; readonly sizeBytes: number };

type Undo = {
  /** What it replaced or cut off, from its `offset` or `sizeBytes` on. */
  readonly before: Uint8Array;
  readonly sizeBefore: number;
  readonly atMs: number;
  readonly order: number;
} & (
  | { readonly type: 'write'; readonly offset: number; readonly lengthBytes: number }
  | { readonly type: 'resize'; readonly sizeBytes: number }
);

/** The pieces of a write that lie in one sector of the file each, as ranges of its bytes. */
function* sectorsOf({ offset, bytes }: WriteChange): Generator<{
  readonly sector: number;
  readonly from: number;
  readonly to: number;
}> {
  for (let from = 0; from < bytes.length; ) {
    const room = SECTOR_BYTES - ((offset + from) % SECTOR_BYTES);
    const to = Math.min(from + room, bytes.length);
    yield { sector: Math.floor((offset + from) / SECTOR_BYTES), from, to };
    from = to;
  }
}

function withoutZeros(bytes: Uint8Array): Uint8Array {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end--;
  return end === bytes.length ? bytes : bytes.slice(0, end);
}
