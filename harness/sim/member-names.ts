/** Which machine a member is on. A member that comes back after its removal has another id. */
import { assert } from '../../src/lib/assert.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawOne } from '../draw.ts';

/** The first members have the numbers of their machines; the others count from here. */
const FIRST_NEW_ID: MemberId = 101n;
const REPEATED_ONE_IN = 3;

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

  /**
   * For a member that is to run on the machine that the peer URL names. Ids are made of URLs and
   * the time: a clock that was put back makes one again that somebody has or had.
   */
  next(peerUrl: string, random: Random): MemberId {
    const name = new URL(peerUrl).hostname;
    assert(name !== '', `no machine at ${peerUrl}`);
    const former = [...this.#names].filter(([, machine]) => machine === name);
    const repeats = random.below(REPEATED_ONE_IN) === 0;
    if (repeats && former.length > 0) return drawOne(random, former)[0];
    const id = this.#nextId;
    this.#nextId += 1n;
    this.#names.set(id, name);
    return id;
  }
}
