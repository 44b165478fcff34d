import type { DiskFile } from '../ports/disk.ts';
import { type MetaPage, readPageHeader } from './page.ts';
import type { PageSource } from './tree-reader.ts';

/**
 * Pages of a database that is in memory: in pieces, each of which is given back to the system as
 * soon as no view of it is used any more.
 */
export class MemoryPages implements PageSource {
  readonly #pieces: readonly Uint8Array[];
  readonly #pieceBytes: number;
  readonly #sizeBytes: number;
  readonly #meta: MetaPage;

  /** `pieces`: one after the other, all as long as the first, but for the last. */
  constructor(pieces: readonly Uint8Array[], meta: MetaPage) {
    this.#pieces = pieces;
    this.#pieceBytes = pieces[0]?.length ?? 1;
    this.#sizeBytes = pieces.reduce((sum, { length }) => sum + length, 0);
    this.#meta = meta;
  }

  page(id: number): Uint8Array | string {
    const problem = outOfBounds(id, 0, this.#meta);
    if (problem !== undefined) return problem;
    const { pageBytes } = this.#meta;
    const from = id * pageBytes;
    if (from + pageBytes > this.#sizeBytes) return `the file ends before page ${id}`;
    const header = readPageHeader(this.#bytes(from, from + pageBytes));
    if (header.id !== id) return `page ${id} says it is page ${header.id}`;
    const end = from + (1 + header.overflow) * pageBytes;
    if (end > this.#sizeBytes) return `the file ends inside page ${id}`;
    return outOfBounds(id, header.overflow, this.#meta) ?? this.#bytes(from, end);
  }

  #bytes(from: number, end: number): Uint8Array {
    const first = Math.floor(from / this.#pieceBytes);
    const start = first * this.#pieceBytes;
    const piece = this.#pieces[first]!;
    if (end <= start + piece.length) return piece.subarray(from - start, end - start);
    const joined = new Uint8Array(end - from);
    for (let at = from; at < end; ) {
      const part = this.#bytes(at, Math.min(end, at - (at % this.#pieceBytes) + this.#pieceBytes));
      joined.set(part, at - from);
      at += part.length;
    }
    return joined;
  }
}

/** A file in pieces of {@link PIECE_BYTES}, the last one smaller. Rejects with DiskError. */
export async function readPieces(
  file: Pick<DiskFile, 'readAt'>,
  sizeBytes: number,
): Promise<Uint8Array[]> {
  const pieces: Uint8Array[] = [];
  let next = 0;
  const readOn = async (): Promise<void> => {
    while (next < sizeBytes) {
      const at = next;
      next += PIECE_BYTES;
      pieces[at / PIECE_BYTES] = await file.readAt(at, Math.min(PIECE_BYTES, sizeBytes - at));
    }
  };
  // All are waited for, whatever one does: the caller closes the file next.
  const readers = await Promise.allSettled(Array.from({ length: READS_MAX }, readOn));
  for (const reader of readers) if (reader.status === 'rejected') throw reader.reason;
  return pieces;
}

/** A few pages of a file, fetched one by one as a reader finds that it needs them. */
export class FetchedPages implements PageSource {
  readonly #file: DiskFile;
  readonly #meta: MetaPage;
  readonly #pages = new Map<number, Uint8Array>();
  #missing: number | undefined;

  constructor(file: DiskFile, meta: MetaPage) {
    this.#file = file;
    this.#meta = meta;
  }

  page(id: number): Uint8Array | string {
    const page = this.#pages.get(id);
    if (page !== undefined) {
      const header = readPageHeader(page);
      return header.id === id ? page : `page ${id} says it is page ${header.id}`;
    }
    const problem = outOfBounds(id, 0, this.#meta);
    if (problem !== undefined) return problem;
    this.#missing = id;
    return `page ${id} is not fetched`;
  }

  /**
   * Fetches the page that was asked for in vain; false if there was none, or if that would
   * be more than anything read in this way takes. Rejects with DiskError.
   */
  async fetchMissing(): Promise<boolean> {
    const id = this.#missing;
    this.#missing = undefined;
    if (id === undefined || this.#pages.size === FETCHED_PAGES_MAX) return false;
    const { pageBytes } = this.#meta;
    const first = await this.#file.readAt(id * pageBytes, pageBytes);
    if (first.length < pageBytes) return false;
    const { overflow } = readPageHeader(first);
    if (overflow > FETCHED_PAGES_MAX) return false;
    const page =
      overflow === 0 ? first : await this.#file.readAt(id * pageBytes, (1 + overflow) * pageBytes);
    this.#pages.set(id, page);
    return page.length === (1 + overflow) * pageBytes;
  }
}

function outOfBounds(id: number, overflow: number, meta: MetaPage): string | undefined {
  if (id >= FIRST_PAGE && id + overflow < meta.highWater) return undefined;
  return `page ${id} with ${overflow} more is not among ${meta.highWater}`;
}

/**
 * The store takes over what it can address in one array (mvcc/slabs.ts); and from this size on
 * the C library gives memory back to the system as soon as it is freed.
 */
const PIECE_BYTES = 1 << 22;
/** Under way at a time: copying out of the page cache takes a processor each. */
const READS_MAX = 4;
/** Behind the meta pages. */
const FIRST_PAGE = 2;
/** The list of buckets and one small bucket are a few pages. */
const FETCHED_PAGES_MAX = 64;
