import { assert } from '../lib/assert.ts';
import type { DiskFile } from '../ports/disk.ts';
import { encodeMetaPage, PAGE_BYTES } from './page.ts';

/**
 * The pages of a new database, written in the order they are made; what waits for the disk is
 * bounded as long as the maker flushes when it {@link isFull}.
 */
export class PageSink {
  readonly #file: DiskFile;
  readonly #chunkBytes: number;
  #waiting: Uint8Array;
  #waitingBytes = 0;
  #writtenBytes = FIRST_PAGE * PAGE_BYTES;
  #unsyncedBytes = 0;

  /** `chunkBytes`: made in one turn, about. */
  constructor(file: DiskFile, chunkBytes: number = CHUNK_BYTES) {
    this.#file = file;
    this.#chunkBytes = chunkBytes;
    this.#waiting = new Uint8Array(chunkBytes + PAGE_BYTES);
  }

  /** Enough waits to be worth a write. */
  get isFull(): boolean {
    return this.#waitingBytes >= this.#chunkBytes;
  }

  /** A run of zeroed pages to fill in before the next call, and the first one's id. */
  allocate(pageCount: number): { readonly id: number; readonly bytes: Uint8Array } {
    assert(pageCount >= 1, 'there is no empty run of pages');
    const id = (this.#writtenBytes + this.#waitingBytes) / PAGE_BYTES;
    const end = this.#waitingBytes + pageCount * PAGE_BYTES;
    if (end > this.#waiting.length) {
      const grown = new Uint8Array(end);
      grown.set(this.#waiting.subarray(0, this.#waitingBytes));
      this.#waiting = grown;
    }
    const bytes = this.#waiting.subarray(this.#waitingBytes, end).fill(0);
    this.#waitingBytes = end;
    return { id, bytes };
  }

  /** Writes what waits. Rejects with DiskError. */
  async flush(): Promise<void> {
    const sizeBytes = this.#waitingBytes;
    if (sizeBytes === 0) return;
    await this.#file.writeAt(this.#writtenBytes, this.#waiting.subarray(0, sizeBytes));
    assert(this.#waitingBytes === sizeBytes, 'no pages are made during a flush');
    this.#writtenBytes += sizeBytes;
    this.#waitingBytes = 0;
    this.#unsyncedBytes += sizeBytes;
    if (this.#unsyncedBytes < SYNC_BYTES) return;
    await this.#file.datasync();
    this.#unsyncedBytes = 0;
  }

  /** Writes the rest and the meta pages, durably. Resolves with the size of the file. */
  async finish(root: number): Promise<number> {
    await this.flush();
    const highWater = this.#writtenBytes / PAGE_BYTES;
    const meta = { pageBytes: PAGE_BYTES, root, highWater };
    await this.#file.writeAt(0, encodeMetaPage(0, { ...meta, transaction: 1 }));
    await this.#file.writeAt(PAGE_BYTES, encodeMetaPage(1, { ...meta, transaction: 0 }));
    await this.#file.datasync();
    return this.#writtenBytes;
  }
}

/** Small enough not to hold up the event loop. */
const CHUNK_BYTES = 64 * 1024;
/** Between syncs: one sync of a whole file would hold up those of the log for too long. */
const SYNC_BYTES = 1024 * 1024;
/** Behind the meta pages. */
const FIRST_PAGE = 2;
