import { SECTOR_BYTES } from '../../../harness/sim/disk/stored-file.ts';
import type { Random } from '../../../src/ports/random.ts';

/** The device's model in the plainest way: whole copies, every change kept and applied again. */
export class NaiveDevice {
  names: Map<string, NaiveFile> = new Map();
  #durable = new Map<string, NaiveFile>();
  #changes: ((names: Map<string, NaiveFile>) => void)[] = [];
  #synced = 0;

  get changes(): number {
    return this.#changes.length;
  }

  create(name: string): void {
    const file = new NaiveFile(new Uint8Array(0));
    this.#change((names) => names.set(name, file));
  }

  rename(from: string, to: string): void {
    const file = this.names.get(from)!;
    this.#change((names) => {
      names.delete(from);
      names.set(to, file);
    });
  }

  remove(name: string): void {
    this.#change((names) => names.delete(name));
  }

  sync(upTo: number): void {
    for (; this.#synced < upTo; this.#synced++) this.#changes[this.#synced]!(this.#durable);
  }

  powerLoss(random: Pick<Random, 'below'>): void {
    this.sync(this.#synced + random.below(this.#changes.length - this.#synced + 1));
    this.#changes = this.#changes.slice(0, this.#synced);
    this.#durable = new Map(
      [...this.#durable].map(([name, file]) => [name, file.afterPowerLoss(random)]),
    );
    this.names = new Map(this.#durable);
    this.#changes = [];
    this.#synced = 0;
  }

  #change(apply: (names: Map<string, NaiveFile>) => void): void {
    this.#changes.push(apply);
    apply(this.names);
  }
}

interface NaiveWrite {
  readonly type: 'write';
  readonly offset: number;
  readonly bytes: Uint8Array;
}

export type NaiveChange = NaiveWrite | { readonly type: 'truncate'; readonly sizeBytes: number };

export class NaiveFile {
  readonly changes: NaiveChange[] = [];
  #synced = 0;
  #durable: Uint8Array;

  constructor(content: Uint8Array) {
    this.#durable = content;
  }

  content(): Uint8Array {
    return this.changes.slice(this.#synced).reduce(applied, this.#durable);
  }

  durable(): Uint8Array {
    return this.#durable.slice();
  }

  sync(upTo: number): void {
    const newly = this.changes.slice(this.#synced, Math.max(upTo, this.#synced));
    this.#durable = newly.reduce(applied, this.#durable);
    this.#synced = Math.max(upTo, this.#synced);
  }

  damage(offset: number, bytes: Uint8Array): void {
    this.#durable = applied(this.#durable, { type: 'write', offset, bytes });
  }

  afterPowerLoss(random: Pick<Random, 'below'>): NaiveFile {
    const lost = this.changes.slice(this.#synced);
    let truncationsLeft = random.below(lost.filter(({ type }) => type === 'truncate').length + 1);
    const lostSectors: number[] = [];
    let content = this.durable();
    for (const change of lost) {
      if (change.type === 'write') {
        for (const piece of sectorsOf(change)) {
          const sector = Math.floor(piece.offset / SECTOR_BYTES);
          if (random.below(2) === 1) lostSectors.push(sector);
          if (!lostSectors.includes(sector)) content = applied(content, piece);
        }
      } else if (truncationsLeft-- > 0) content = applied(content, change);
    }
    return new NaiveFile(content);
  }
}

function applied(content: Uint8Array, change: NaiveChange): Uint8Array {
  if (change.type === 'truncate') return resized(content, change.sizeBytes);
  const end = change.offset + change.bytes.length;
  const result = resized(content, Math.max(end, content.length));
  result.set(change.bytes, change.offset);
  return result;
}

function resized(content: Uint8Array, sizeBytes: number): Uint8Array {
  const result = new Uint8Array(sizeBytes);
  result.set(content.subarray(0, sizeBytes));
  return result;
}

function* sectorsOf(write: NaiveWrite): Generator<NaiveWrite> {
  for (let at = write.offset; at < write.offset + write.bytes.length; ) {
    const end = (Math.floor(at / SECTOR_BYTES) + 1) * SECTOR_BYTES;
    const bytes = write.bytes.subarray(at - write.offset, end - write.offset);
    yield { type: 'write', offset: at, bytes };
    at = end;
  }
}
