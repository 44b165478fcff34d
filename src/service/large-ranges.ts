import type { MemberNode } from '../member/node.ts';
import type { KeyValue, RangeRequest, RangeResult } from '../mvcc/request.ts';
import { answer, refuse } from './answer.ts';
import type { Reply } from './response.ts';

/** A range of fewer keys is read in one go. */
const SMALL_KEYS = 1_000;
const KEYS_PER_TURN = 1_000;
const BYTES_PER_TURN = 1024 * 1024;
/** What a key takes besides its bytes while it waits: an object and two views. */
const KEY_VALUE_BYTES = 300;

/** Whether reading it in one go might hold up everybody. */
export function mayBeLarge({ rangeEnd, limit, sortTarget, sortOrder }: RangeRequest): boolean {
  if (rangeEnd.length === 0) return false;
  const isInOrder = sortTarget === 'key' && sortOrder !== 'descend';
  return limit === 0 || limit > SMALL_KEYS || !isInOrder;
}

/**
 * Ranges of very many keys: read in parts, all of one revision, while others have their turns;
 * and bounded together, because each holds its whole answer.
 */
export class LargeRanges {
  readonly #node: MemberNode;
  readonly #options: { readonly pause: () => Promise<void>; readonly bytesMax: number };
  #bytes = 0;
  /** However many ranges there are, each turn of the loop reads a part of one. */
  #nextTurn: Promise<void> = Promise.resolve();

  constructor(
    node: MemberNode,
    options: { readonly pause: () => Promise<void>; readonly bytesMax: number },
  ) {
    this.#node = node;
    this.#options = options;
  }

  /** In the turn in which it may be read; the answer's revision is that of this turn. */
  async range(request: RangeRequest): Reply<RangeResult> {
    const { revision } = this.#node.status();
    const opened = this.#node.openRange(request);
    if (!opened.ok) return refuse(opened.error);
    const cursor = opened.value;
    const kvs: KeyValue[] = [];
    let bytes = 0;
    try {
      for (;;) {
        const part = cursor.next(KEYS_PER_TURN, BYTES_PER_TURN);
        const partBytes = sizeOf(part.kvs);
        bytes += partBytes;
        this.#bytes += partBytes;
        if (this.#bytes > this.#options.bytesMax) return refuse('rangesTooLarge');
        for (const kv of part.kvs) kvs.push(kv);
        if (part.done) break;
        await this.#myTurn();
      }
      return answer(this.#node, revision, { kvs, more: cursor.more, count: cursor.count });
    } finally {
      this.#bytes -= bytes;
      cursor.release();
    }
  }

  #myTurn(): Promise<void> {
    this.#nextTurn = this.#nextTurn.then(this.#options.pause);
    return this.#nextTurn;
  }
}

function sizeOf(kvs: readonly KeyValue[]): number {
  let bytes = 0;
  for (const { key, value } of kvs) bytes += key.length + value.length + KEY_VALUE_BYTES;
  return bytes;
}
