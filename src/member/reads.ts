import { assert } from '../lib/assert.ts';
import type { Index, RequestId } from '../lib/ids.ts';

/**
 * Linearizable reads (thesis 6.4). Reads that arrive together share one ReadIndex batch; a
 * batch that gets no answer is asked again under a new context, because an answer to the old
 * one may have been computed before something that a client was told meanwhile. Reads change
 * nothing, so they are retried across leader changes until their time is up.
 */
export class PendingReads {
  readonly #limits: ReadLimits;
  /** Contexts never repeat, also not across restarts: a late answer must not match a new batch. */
  #nextContext: number;
  #unasked: Read[] = [];
  readonly #asked = new Map<number, Batch>();
  /** Confirmed, waiting for the state machine to reach the index. */
  #confirmed: { readonly index: Index; readonly reads: readonly Read[] }[] = [];
  #count = 0;

  constructor(limits: ReadLimits, firstContext: number) {
    assert(Number.isSafeInteger(firstContext) && firstContext > 0, 'contexts are positive');
    this.#limits = limits;
    this.#nextContext = firstContext;
  }

  /** False: no room. */
  add(id: RequestId, nowTick: number): boolean {
    if (this.#count >= this.#limits.waitingMax) return false;
    this.#unasked.push({ id, deadlineTick: nowTick + this.#limits.timeoutTicks });
    this.#count += 1;
    return true;
  }

  /** Asks for a read point for everything not yet asked; `ask` says whether there was a leader to ask. */
  flush(nowTick: number, ask: (context: number) => boolean): void {
    if (this.#unasked.length === 0 || this.#asked.size >= this.#limits.batchesMax) return;
    const context = this.#nextContext;
    if (!ask(context)) return;
    this.#nextContext += 1;
    this.#asked.set(context, { reads: this.#unasked, askedTick: nowTick });
    this.#unasked = [];
  }

  /** A quorum confirmed the leader after the batch was asked: it may be served at `index`. */
  confirm(context: number, index: Index): void {
    const batch = this.#asked.get(context);
    if (batch === undefined) return;
    this.#asked.delete(context);
    this.#confirmed.push({ index, reads: batch.reads });
  }

  /** Reads that the state machine, now at `applied`, can serve. */
  takeReady(applied: Index): RequestId[] {
    if (this.#confirmed.length === 0) return [];
    const ready: RequestId[] = [];
    this.#confirmed = this.#confirmed.filter((batch) => {
      if (batch.index > applied) return true;
      for (const read of batch.reads) ready.push(read.id);
      return false;
    });
    this.#count -= ready.length;
    return ready;
  }

  /** Ends the wait of all: nothing is served here any more. */
  takeAll(): RequestId[] {
    const waiting = [...this.#confirmed, ...this.#asked.values(), { reads: this.#unasked }];
    this.#confirmed = [];
    this.#asked.clear();
    this.#unasked = [];
    this.#count = 0;
    return waiting.flatMap(({ reads }) => reads.map(({ id }) => id));
  }

  /** The leader changed: whoever was asked may not answer any more. */
  askAgain(): void {
    this.#retry(() => true);
  }

  /** Asks again what got no answer, and gives up what has waited too long. */
  onTick(nowTick: number): RequestId[] {
    this.#retry((batch) => nowTick - batch.askedTick >= this.#limits.retryTicks);
    const expired: RequestId[] = [];
    const keep = (read: Read): boolean => {
      if (read.deadlineTick > nowTick) return true;
      expired.push(read.id);
      return false;
    };
    this.#unasked = this.#unasked.filter(keep);
    this.#confirmed = this.#confirmed
      .map(({ index, reads }) => ({ index, reads: reads.filter(keep) }))
      .filter(({ reads }) => reads.length > 0);
    this.#count -= expired.length;
    return expired;
  }

  #retry(isDue: (batch: Batch) => boolean): void {
    for (const [context, batch] of this.#asked) {
      if (!isDue(batch)) continue;
      this.#asked.delete(context);
      this.#unasked = [...batch.reads, ...this.#unasked];
    }
  }
}

export interface ReadLimits {
  readonly waitingMax: number;
  readonly batchesMax: number;
  readonly timeoutTicks: number;
  readonly retryTicks: number;
}

interface Read {
  readonly id: RequestId;
  readonly deadlineTick: number;
}

interface Batch {
  readonly reads: Read[];
  readonly askedTick: number;
}
