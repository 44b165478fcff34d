import type { MemberId, RequestId } from '../lib/ids.ts';

/**
 * Ids no other request ever has, in etcd's layout: 16 bits of the member, 40 bits of the
 * wall clock in ms at start, 8 bits and every carry for the count. A member that restarts
 * takes a later clock; it would need 256 requests per ms since its start to catch up.
 */
export class RequestIds {
  readonly #prefix: bigint;
  #suffix: bigint;

  constructor(memberId: MemberId, wallMs: number) {
    const SUFFIX_BITS = 48n;
    this.#prefix = (memberId & 0xffffn) << SUFFIX_BITS;
    this.#suffix = (BigInt(wallMs) & 0xff_ffff_ffffn) << 8n;
  }

  next(): RequestId {
    this.#suffix = (this.#suffix + 1n) & 0xffff_ffff_ffffn;
    return this.#prefix | this.#suffix;
  }
}
