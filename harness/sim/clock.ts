/**
 * A node's clocks. Both may run fast or slow; only the wall clock jumps. They belong to the
 * machine, so they go on while its process is dead.
 */
import type { Clock } from '../../src/ports/clock.ts';
import type { SimLoop } from './loop.ts';
import type { SimProcess } from './process.ts';

export class NodeTime {
  readonly #loop: SimLoop;
  /** Local time at the last change of rate, and true time then. */
  #baseLocalNs = 0;
  #baseTrueNs = 0;
  #rate: number;
  #jumpMs = 0;
  #onRate: () => void = () => undefined;

  /** `rate`: local seconds in a true second. */
  constructor(loop: SimLoop, rate: number) {
    this.#loop = loop;
    this.#rate = rate;
  }

  get rate(): number {
    return this.#rate;
  }

  nowNs(): number {
    return Math.round(this.#baseLocalNs + (this.#loop.nowNs - this.#baseTrueNs) * this.#rate);
  }

  wallMs(): number {
    const driftMs = (this.nowNs() - this.#loop.nowNs) / 1e6;
    return this.#loop.clock.wallMs() + driftMs + this.#jumpMs;
  }

  /** Of the wall clock, against true time. */
  offsetMs(): number {
    return this.wallMs() - this.#loop.clock.wallMs();
  }

  setRate(rate: number): void {
    this.#baseLocalNs = this.nowNs();
    this.#baseTrueNs = this.#loop.nowNs;
    this.#rate = rate;
    this.#onRate();
  }

  /** After each change of the rate; one callback. */
  onRate(callback: () => void): void {
    this.#onRate = callback;
  }

  /** The wall clock jumps, ahead or back. */
  jump(byMs: number): void {
    this.#jumpMs += byMs;
  }
}

/** From one turn of a real event loop to the next: what arrives meanwhile shares the turn. */
const TURN_NS = 10_000;

/** The Clock port of one life of a process. Timers keep the rate at which they were set. */
export function processClock(process: SimProcess, time: NodeTime): Clock {
  const toNs = (localMs: number): number => (localMs * 1e6) / time.rate;
  return {
    nowNs: () => time.nowNs(),
    wallMs: () => time.wallMs(),
    after: (delayMs, callback) => process.schedule(toNs(delayMs), callback),
    // What members do at every tick is a step of their state machine, and nothing waits for it.
    every(intervalMs, callback) {
      const fire = (): void => {
        timer = process.schedule(toNs(intervalMs), fire, 'synchronous');
        callback();
      };
      let timer = process.schedule(toNs(intervalMs), fire, 'synchronous');
      return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
    },
    soon: (callback) => void process.schedule(TURN_NS, callback),
  };
}
