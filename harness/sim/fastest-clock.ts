/**
 * Time on the fastest clock that any member has had so far. What a member may do only after so
 * many seconds of its own, it may do after as many of these, whoever it is.
 */
import type { NodeTime } from './clock.ts';
import type { SimLoop } from './loop.ts';

export class FastestClock {
  readonly #loop: SimLoop;
  readonly #times: readonly NodeTime[];
  #baseNs = 0;
  #sinceNs = 0;
  #rate: number;

  constructor(loop: SimLoop, times: readonly NodeTime[]) {
    this.#loop = loop;
    this.#times = times;
    this.#rate = this.#fastest();
    for (const time of times) time.onRate(() => this.#changed());
  }

  elapsedNs(): number {
    return this.#baseNs + (this.#loop.nowNs - this.#sinceNs) * this.#rate;
  }

  #changed(): void {
    this.#baseNs = this.elapsedNs();
    this.#sinceNs = this.#loop.nowNs;
    this.#rate = this.#fastest();
  }

  #fastest(): number {
    return Math.max(...this.#times.map(({ rate }) => rate));
  }
}
