/**
 * The state of all links: which are cut, how good they are, what each has swallowed, which
 * connections run on them.
 *
 * A cut from → to holds what `from` sends to `to`: requests on the connections that `from` dialled,
 * responses on those that `to` dialled. The connections stay open, as they would with a
 * cable pulled. Unlike with dropped packets, acknowledgements of the other direction still pass:
 * a one-way cut is one-way for bytes.
 *
 * A healed pair's connections are reset. What was held is lost then, and both sides dial anew at
 * once, rather than go on in the middle of a stream or wait for TCP to retransmit.
 *
 * A member whose cable is pulled is cut from all others both ways, and dials to it and from it are
 * refused rather than held.
 */

import type { Clock } from '../../../../src/ports/clock.ts';
import type { Random } from '../../../../src/ports/random.ts';
import {
  type DirectedLink,
  type DirectedQuality,
  GOOD_LINKS,
} from '../../../network/link-quality.ts';
import { linkKey, linksAmong } from '../../../network/link-settings.ts';
import { LinkShaper } from '../../../network/link-shaper.ts';
import { sumTallies } from '../../../network/link-tally.ts';
import type { Connection } from './connection.ts';
import type { LinkReadings } from './messages.ts';

export class Switchboard {
  readonly #connections = new Set<Connection>();
  readonly #held = new Map<string, number>();
  readonly #members: readonly string[];
  readonly #shapers: ReadonlyMap<string, LinkShaper>;
  #cuts = new Set<string>();
  #pulled = new Set<string>();
  #resets = 0;

  constructor(members: readonly string[], { clock, random }: { clock: Clock; random: Random }) {
    this.#members = members;
    this.#shapers = new Map(
      linksAmong(members).map((link) => {
        const key = linkKey(link);
        return [key, new LinkShaper(clock, random.fork(key))];
      }),
    );
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(linkKey({ from, to })) || this.isPulled(from) || this.isPulled(to);
  }

  isPulled(member: string): boolean {
    return this.#pulled.has(member);
  }

  /** Undefined: a member's link to itself, or to one that is not there. */
  shaper(from: string, to: string): LinkShaper | undefined {
    return this.#shapers.get(linkKey({ from, to }));
  }

  /** Whether any link from or to `member` is cut. */
  isInvolved(member: string): boolean {
    return this.#members.some((other) => this.isCut(member, other) || this.isCut(other, member));
  }

  countHeld(from: string, to: string, bytes: number): void {
    const key = linkKey({ from, to });
    this.#held.set(key, (this.#held.get(key) ?? 0) + bytes);
  }

  readings(): LinkReadings {
    const tallies = [...this.#shapers.values()].map(({ tally }) => tally);
    return {
      counters: linksAmong(this.#members).map((link) => ({
        ...link,
        dropped: this.#held.get(linkKey(link)) ?? 0,
      })),
      tally: sumTallies([...tallies, { resets: this.#resets }]),
    };
  }

  /** Replaces all cuts by these. */
  setCuts(cuts: readonly DirectedLink[]): void {
    this.#change(() => {
      this.#cuts = new Set(cuts.map(linkKey));
    });
  }

  /** Replaces the members that are off the network. */
  setPulled(members: readonly string[]): void {
    this.#change(() => {
      this.#pulled = new Set(members);
    });
  }

  /** Links that are not listed are good. */
  setQualities(links: readonly DirectedQuality[]): void {
    const qualities = new Map(links.map((link) => [linkKey(link), link.quality]));
    for (const [key, shaper] of this.#shapers) {
      shaper.setQuality(qualities.get(key) ?? GOOD_LINKS);
    }
  }

  /** Every connection that uses one of the links ends with RST on both sides. */
  reset(links: readonly DirectedLink[]): void {
    const keys = new Set(links.map(linkKey));
    for (const connection of [...this.#connections]) {
      const { dialler, acceptor } = connection;
      if (dialler === undefined) continue;
      const there = linkKey({ from: dialler, to: acceptor });
      const back = linkKey({ from: acceptor, to: dialler });
      if (!keys.has(there) && !keys.has(back)) continue;
      this.#resets += 1;
      connection.reset();
    }
  }

  #change(change: () => void): void {
    const isCutNow = (link: DirectedLink): boolean => this.isCut(link.from, link.to);
    const before = new Set(linksAmong(this.#members).filter(isCutNow).map(linkKey));
    change();
    const isHealed = (from: string, to: string): boolean =>
      before.has(linkKey({ from, to })) && !this.isCut(from, to);
    for (const connection of [...this.#connections]) {
      const { dialler, acceptor } = connection;
      // Whoever has not said who it is might cross the cut.
      const ends =
        dialler === undefined
          ? this.isInvolved(acceptor)
          : isHealed(dialler, acceptor) || isHealed(acceptor, dialler);
      if (ends) connection.reset();
    }
  }

  add(connection: Connection): void {
    this.#connections.add(connection);
  }

  remove(connection: Connection): void {
    this.#connections.delete(connection);
  }
}
