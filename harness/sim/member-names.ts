/** Which machine a member is on. A member that comes back after its removal has another id. */
import { assert } from '../../src/lib/assert.ts';
import type { MemberId } from '../../src/lib/ids.ts';

/** The first members have the numbers of their machines; the others count from here. */
const FIRST_NEW_ID: MemberId = 101n;

export class MemberNames {
  readonly #names = new Map<MemberId, string>();
  #nextId = FIRST_NEW_ID;

  /** Of the machines that begin as a cluster. */
  constructor(machines: number) {
    for (let at = 1; at <= machines; at++) this.#names.set(BigInt(at), `n${at}`);
  }

  ids(): Iterable<MemberId> {
    return this.#names.keys();
  }

  of(id: MemberId): string {
    return this.#names.get(id) ?? `member ${id}`;
  }

  /** For a member that is to run on the machine that the peer URL names. */
  next(peerUrl: string): MemberId {
    const name = new URL(peerUrl).hostname;
    assert(name !== '', `no machine at ${peerUrl}`);
    const id = this.#nextId;
    this.#nextId += 1n;
    this.#names.set(id, name);
    return id;
  }
}
