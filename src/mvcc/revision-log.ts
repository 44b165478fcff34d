/**
 * Every retained change in (main, sub) order, in columns outside the heap. Row ids never change,
 * wherever the row is moved: links between rows and readers that stopped half-way stay right
 * while rows are added, removed and packed closer.
 */
import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import { type Change, NO_ROW, RevisionChunk, type RowId } from './revision-chunk.ts';

/** Rows of one chunk; a step of growth, and the most that is copied at once. */
const CHUNK_ROWS = 4096;
/** Of the first chunk; they double, so that a small store is small. */
const FIRST_CHUNK_ROWS = 64;
/** Two neighbours that together have no more rows than this become one chunk. */
const MERGED_ROWS_MAX = (CHUNK_ROWS / 4) * 3;

/** Rows are added at the end only. */
export class RevisionLog {
  /** Ascending by id; a chunk is as large as it will ever be, but for the last. */
  readonly #chunks: RevisionChunk[] = [];
  #nextId: RowId = NO_ROW + 1;
  #lastMain: Revision = 0;
  #lastSub = 0;
  #generation = 0;

  /** Changes whenever rows moved between chunks: what was found before must be found again. */
  get generation(): number {
    return this.#generation;
  }

  /** `main` of the last change there ever was; 0 before the first. */
  get lastMain(): Revision {
    return this.#lastMain;
  }

  /** The id of the last change there ever was. */
  get lastId(): RowId {
    return this.#nextId - 1;
  }

  get chunks(): readonly RevisionChunk[] {
    return this.#chunks;
  }

  append(change: Change): RowId {
    const { main, sub } = change;
    assert(
      main > this.#lastMain || (main === this.#lastMain && sub > this.#lastSub),
      'changes must be appended in revision order',
    );
    this.#lastMain = main;
    this.#lastSub = sub;
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.ids !== undefined || chunk.size === chunk.rowsMax) {
      const rowsMax = Math.min(CHUNK_ROWS, (chunk?.rowsMax ?? FIRST_CHUNK_ROWS / 2) * 2);
      chunk = new RevisionChunk(this.#nextId, Math.max(FIRST_CHUNK_ROWS, rowsMax));
      this.#chunks.push(chunk);
    }
    chunk.append(change);
    return this.#nextId++;
  }

  /** The only chunk that may hold the row. */
  chunkOf(id: RowId): RevisionChunk | undefined {
    const last = this.#chunks[this.#chunks.length - 1];
    if (last !== undefined && id >= last.firstId) return last;
    return this.#chunks[this.#positionOf(id)];
  }

  /** The chunk with the first row that has this id or a later one; it may have been removed. */
  chunkFrom(id: RowId): RevisionChunk | undefined {
    const position = Math.max(0, this.#positionOf(id));
    const chunk = this.#chunks[position];
    if (chunk === undefined || chunk.slotFrom(id) < chunk.size) return chunk;
    return this.#chunks[position + 1];
  }

  /** The id of the first row of `main` or a later one, or one before which no row is left. */
  idFromMain(main: Revision): RowId {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const chunk = this.#chunks[middle]!;
      if (chunk.main[chunk.size - 1]! < main) low = middle + 1;
      else high = middle;
    }
    const chunk = this.#chunks[low];
    return chunk === undefined ? this.#nextId : chunk.idAt(chunk.slotFromMain(main));
  }

  /**
   * Packs the chunk: drops it if it is empty, else joins it with the one before if both are
   * sparse. The chunk that is still being filled stays.
   */
  tidy(chunk: RevisionChunk): void {
    const position = this.#positionOf(chunk.firstId);
    if (this.#chunks[position] !== chunk || position === this.#chunks.length - 1) return;
    if (chunk.retained === 0) {
      this.#chunks.splice(position, 1);
      this.#generation++;
      return;
    }
    const before = this.#chunks[position - 1];
    const rows = chunk.retained + (before?.retained ?? 0);
    if (before !== undefined && rows <= MERGED_ROWS_MAX) {
      this.#chunks.splice(position - 1, 2, packed([before, chunk], rows));
      this.#generation++;
    } else if (chunk.retained <= chunk.size / 2) {
      this.#chunks.splice(position, 1, packed([chunk], chunk.retained));
      this.#generation++;
    }
  }

  /** Memory held. */
  get allocatedBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.allocatedBytes, 0);
  }

  /** Of the last chunk that begins at or before `id`; −1 if none does. */
  #positionOf(id: RowId): number {
    let low = 0;
    let high = this.#chunks.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#chunks[middle]!.firstId <= id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
}

/** The retained rows of neighbours; `firstId` stays the lowest that may be looked for there. */
function packed(parts: readonly RevisionChunk[], rows: number): RevisionChunk {
  const joined = new RevisionChunk(parts[0]!.firstId, rows, new Float64Array(rows));
  for (const part of parts) joined.take(part);
  assert(joined.size === rows, 'packing loses no row');
  return joined;
}
