import type { MemberId, RequestId } from '../lib/ids.ts';
import type { Random } from '../ports/random.ts';

/**
 * Ids that no other request has, in etcd's layout: 16 bits of the member, 48 bits that count
 * up. The count starts at a random place: after a restart entries with ids of the life before
 * are still applied, and must not pass for the outcome of a new request, whatever the clock.
 */
export class RequestIds {
  readonly #prefix: bigint;
  #suffix: bigint;

  constructor(memberId: MemberId, random: Random) {
    this.#prefix = (memberId & 0xffffn) << SUFFIX_BITS;
    this.#suffix = random.fork('request-ids').uint64() & SUFFIX_MASK;
  }

  next(): RequestId {
    this.#suffix = (this.#suffix + 1n) & SUFFIX_MASK;
    return this.#prefix | this.#suffix;
  }
}

const SUFFIX_BITS = 48n;
const SUFFIX_MASK = (1n << SUFFIX_BITS) - 1n;
