import type { DiskFile } from '../ports/disk.ts';
import { type MetaPage, readPageHeader } from './page.ts';
import type { PageSource } from './tree-reader.ts';

/** Pages of a database that is in memory. */
export class MemoryPages implements PageSource {
  readonly #bytes: Uint8Array;
  readonly #meta: MetaPage;

  constructor(bytes: Uint8Array, meta: MetaPage) {
    this.#bytes = bytes;
    this.#meta = meta;
  }

  page(id: number): Uint8Array | string {
    const problem = outOfBounds(id, 0, this.#meta);
    if (problem !== undefined) return problem;
    const { pageBytes } = this.#meta;
    const from = id * pageBytes;
    if (from + pageBytes > this.#bytes.length) return `the file ends before page ${id}`;
    const header = readPageHeader(this.#bytes.subarray(from, from + pageBytes));
    if (header.id !== id) return `page ${id} says it is page ${header.id}`;
    const end = from + (1 + header.overflow) * pageBytes;
    if (end > this.#bytes.length) return `the file ends inside page ${id}`;
    return outOfBounds(id, header.overflow, this.#meta) ?? this.#bytes.subarray(from, end);
  }
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

/** Behind the meta pages. */
const FIRST_PAGE = 2;
/** The list of buckets and one small bucket are a few pages. */
const FETCHED_PAGES_MAX = 64;
