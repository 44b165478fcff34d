import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import { NEWEST } from './revision-record.ts';

/** Images, cursors and hashes under way at a time. */
const PINS_MAX = 4096;

/**
 * Revisions that somebody still reads at. Compaction removes only what no read at or after the
 * lowest of them can see; a pin that is never released therefore holds memory, nothing else.
 */
export class Pins {
  readonly #counts = new Map<Revision, number>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** {@link NEWEST} if there is none. */
  get lowest(): Revision {
    let lowest = NEWEST;
    for (const revision of this.#counts.keys()) if (revision < lowest) lowest = revision;
    return lowest;
  }

  /** Gives what releases it; to release twice does nothing. */
  add(revision: Revision): () => void {
    assert(this.#size < PINS_MAX, 'images and cursors must be released');
    this.#size++;
    this.#counts.set(revision, (this.#counts.get(revision) ?? 0) + 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.#size--;
      const left = this.#counts.get(revision)! - 1;
      if (left === 0) this.#counts.delete(revision);
      else this.#counts.set(revision, left);
    };
  }
}
