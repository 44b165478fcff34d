import { assert } from '../lib/assert.ts';
import { ok, type Result } from '../lib/result.ts';
import type { MemberNode } from '../member/node.ts';
import type { RangeCursor } from '../mvcc/range-cursor.ts';
import type { KeyValue, RangeRequest, RangeResult } from '../mvcc/request.ts';
import { rangeKeyValueSizeBytes } from '../wire/range-messages.ts';
import { answer, headerOf, refuse } from './answer.ts';
import type { ServiceError } from './errors.ts';
import type { Answer, ResponseHeader } from './response.ts';

/** An answer that is given at once has no more bytes of keys and values. */
const BYTES_AT_ONCE_MAX = 1024 * 1024;

/** Whether reading it in one go might hold up everybody: keys beyond a limit are counted, too. */
export function mayBeLarge({ rangeEnd }: RangeRequest): boolean {
  return rangeEnd.length > 0;
}

/** At once, or so large that its keys must be asked for in parts. */
export type OpenedRange = Answer<RangeResult> | LargeRange;

export interface LargeRange {
  readonly header: ResponseHeader;
  readonly result: Omit<RangeResult, 'kvs'>;
  readonly parts: RangeParts;
}

export interface RangeParts {
  /** What all keys together take in a RangeResponse. */
  readonly sizeBytes: number;
  /**
   * Waits until it is this range's turn, then reads on: at most `keysMax` keys, which is bounded
   * by {@link LargeRangesOptions}, and no further one once keys and values have `bytesMax` bytes.
   * None at all: there are no more. To be used up in the turn in which they come.
   */
  next(keysMax: number, bytesMax: number): Promise<readonly KeyValue[]>;
  /** Must be called at the end: until then its size counts, and compaction spares its keys. */
  release(): void;
}

export interface LargeRangesOptions {
  readonly pause: () => Promise<void>;
  readonly bytesMax: number;
  readonly keysPerTurnMax: number;
}

/**
 * Ranges of very many keys: read in parts, all of one revision, while others have their turns.
 * They are read twice, first to learn their size, which an answer begins with; so none is ever
 * held as a whole.
 */
export class LargeRanges {
  readonly #node: MemberNode;
  readonly #options: LargeRangesOptions;
  /** Of all answers that are not released. */
  #bytes = 0;
  /** However many ranges there are, each turn of the loop reads a part of one. */
  #nextTurn: Promise<void> = Promise.resolve();

  constructor(node: MemberNode, options: LargeRangesOptions) {
    this.#node = node;
    this.#options = options;
  }

  /** In the turn in which it may be read; the answer's revision is that of this turn. */
  async range(request: RangeRequest): Promise<Result<OpenedRange, ServiceError>> {
    const { revision } = this.#node.status();
    const opened = this.#node.openRange(request);
    if (!opened.ok) return refuse(opened.error);
    const cursor = opened.value;
    const measured = await this.#measure(cursor);
    if (measured === undefined) return refuse('rangesTooLarge');
    const { count, more } = cursor;
    const { kvs, keys, sizeBytes } = measured;
    if (kvs !== undefined) return answer(this.#node, revision, { kvs, more, count });
    cursor.rewind();
    const parts = new PartsOfCursor(
      cursor,
      { keys, sizeBytes },
      {
        keysPerTurnMax: this.#options.keysPerTurnMax,
        myTurn: () => this.#myTurn(),
        onReleased: () => {
          this.#bytes -= sizeBytes;
        },
      },
    );
    return ok({ header: headerOf(this.#node, revision), result: { more, count }, parts });
  }

  /** Undefined: too large beside the others. What is small is kept instead of its size. */
  async #measure(cursor: RangeCursor): Promise<Measured | undefined> {
    const { keysPerTurnMax, bytesMax } = this.#options;
    let kvs: KeyValue[] | undefined = [];
    let [keys, sizeBytes, isLarge] = [0, 0, false];
    try {
      for (;;) {
        const part = cursor.next(keysPerTurnMax, Number.MAX_SAFE_INTEGER);
        let partBytes = 0;
        for (const kv of part.kvs) partBytes += rangeKeyValueSizeBytes(kv);
        keys += part.kvs.length;
        sizeBytes += partBytes;
        this.#bytes += partBytes;
        if (this.#bytes > bytesMax) return undefined;
        if (keys > keysPerTurnMax || sizeBytes > BYTES_AT_ONCE_MAX) kvs = undefined;
        else for (const kv of part.kvs) kvs?.push(kv);
        if (part.done) break;
        await this.#myTurn();
      }
      isLarge = kvs === undefined;
      return { kvs, keys, sizeBytes };
    } finally {
      if (!isLarge) {
        this.#bytes -= sizeBytes;
        cursor.release();
      }
    }
  }

  #myTurn(): Promise<void> {
    this.#nextTurn = this.#nextTurn.then(this.#options.pause);
    return this.#nextTurn;
  }
}

/** The same without parts, for whoever needs it whole. */
export async function gathered(opened: OpenedRange): Promise<Answer<RangeResult>> {
  if (!('parts' in opened)) return opened;
  const { header, result, parts } = opened;
  const kvs: KeyValue[] = [];
  try {
    for (;;) {
      const part = await parts.next(Number.MAX_SAFE_INTEGER, BYTES_AT_ONCE_MAX);
      if (part.length === 0) return { header, result: { kvs, ...result } };
      for (const kv of part) kvs.push(kv);
    }
  } finally {
    parts.release();
  }
}

interface Measured {
  readonly kvs: readonly KeyValue[] | undefined;
  readonly keys: number;
  readonly sizeBytes: number;
}

interface PartsOptions {
  readonly keysPerTurnMax: number;
  readonly myTurn: () => Promise<void>;
  readonly onReleased: () => void;
}

class PartsOfCursor implements RangeParts {
  readonly sizeBytes: number;
  readonly #cursor: RangeCursor;
  readonly #options: PartsOptions;
  #keysLeft: number;
  #isReleased = false;

  constructor(
    cursor: RangeCursor,
    { keys, sizeBytes }: Pick<Measured, 'keys' | 'sizeBytes'>,
    options: PartsOptions,
  ) {
    this.#cursor = cursor;
    this.sizeBytes = sizeBytes;
    this.#keysLeft = keys;
    this.#options = options;
  }

  async next(keysMax: number, bytesMax: number): Promise<readonly KeyValue[]> {
    const { keysPerTurnMax, myTurn } = this.#options;
    while (this.#keysLeft > 0) {
      await myTurn();
      if (this.#isReleased) break;
      const { kvs, done } = this.#cursor.next(Math.min(keysMax, keysPerTurnMax), bytesMax);
      this.#keysLeft -= kvs.length;
      assert(this.#keysLeft >= 0 && (this.#keysLeft === 0 || !done), 'read twice, it is the same');
      if (kvs.length > 0) return kvs;
    }
    return [];
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#cursor.release();
    this.#options.onReleased();
  }
}
