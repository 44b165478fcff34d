/**
 * The state of all links: which are cut, what each has swallowed, which connections run on them.
 *
 * A cut from → to holds what `from` sends to `to`: requests on the connections that `from` dialled,
 * responses on those that `to` dialled. The connections stay open, as they would with a
 * cable pulled. Unlike with dropped packets, acknowledgements of the other direction still pass:
 * a one-way cut is one-way for bytes.
 *
 * A healed pair's connections are reset. What was held is lost then, and both sides dial anew at
 * once, rather than go on in the middle of a stream or wait for TCP to retransmit.
 */

import type { LinkCounter } from '../../cluster.ts';
import type { Connection } from './connection.ts';
import type { Link } from './messages.ts';

export class Switchboard {
  readonly #connections = new Set<Connection>();
  readonly #held = new Map<string, number>();
  readonly #members: readonly string[];
  #cuts = new Set<string>();

  constructor(members: readonly string[]) {
    this.#members = members;
  }

  isCut(from: string, to: string): boolean {
    return this.#cuts.has(linkKey({ from, to }));
  }

  /** Whether any link from or to `member` is cut. */
  isInvolved(member: string): boolean {
    return this.#members.some((other) => this.isCut(member, other) || this.isCut(other, member));
  }

  countHeld(from: string, to: string, bytes: number): void {
    const key = linkKey({ from, to });
    this.#held.set(key, (this.#held.get(key) ?? 0) + bytes);
  }

  counters(): LinkCounter[] {
    return this.#members.flatMap((from) =>
      this.#members
        .filter((to) => to !== from)
        .map((to) => ({ from, to, dropped: this.#held.get(linkKey({ from, to })) ?? 0 })),
    );
  }

  /** Replaces all cuts by these. */
  setCuts(cuts: readonly Link[]): void {
    const before = this.#cuts;
    this.#cuts = new Set(cuts.map(linkKey));
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

function linkKey(link: Link): string {
  return `${link.from}>${link.to}`;
}
