import { assert } from '../../lib/assert.ts';

/**
 * Lets so many calls run at a time; whoever comes then waits for its turn, and is turned away
 * only when too many wait already. etcd's gateway has one connection to its server for all its
 * clients, whose --max-concurrent-streams they share.
 */
export class CallSlots {
  readonly #max: number;
  #taken = 0;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();

  constructor(max: number) {
    assert(max > 0, 'a gateway that lets nobody in');
    this.#max = max;
  }

  /** Calls `run` once there is room; `false`: there is none even to wait. */
  enter(run: () => void): boolean {
    if (this.#taken < this.#max) {
      this.#taken += 1;
      run();
      return true;
    }
    if (this.#waiting.size >= WAITING_MAX) return false;
    this.#waiting.add(run);
    return true;
  }

  /** Of a call that came in, or still waits: it is over. */
  leave(run: () => void): void {
    if (this.#waiting.delete(run)) return;
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#taken -= 1;
      return;
    }
    this.#waiting.delete(next);
    next();
  }
}

/** Each holds a connection, or a stream of one, and nothing else yet. */
const WAITING_MAX = 10_000;
