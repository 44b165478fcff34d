/**
 * A simulated process: everything that a member does runs through here, so that it can be
 * killed, suspended and slowed down at any point where a real one could be.
 */
import type { Random } from '../../src/ports/random.ts';
import { type EventOptions, type EventOwner, SimEvent, type SimLoop } from './loop.ts';

export type ProcessState = 'running' | 'paused' | 'dead';

export interface SimProcessOptions {
  readonly loop: SimLoop;
  /** Draws how late callbacks start while the process is slow. */
  readonly random: Random;
  /** After each callback, while the process lives. */
  readonly afterEach: () => void;
  /** What a callback threw. */
  readonly onError: (error: unknown) => void;
}

export class SimProcess implements EventOwner {
  readonly #options: SimProcessOptions;
  #state: ProcessState = 'running';
  /** What came due while the process was suspended and has not run since, in order. */
  #backlog: SimEvent[] = [];
  #slownessNs = 0;
  /** While it is slow, and until what is late has started: callbacks keep their order. */
  #notBeforeNs = 0;
  #late = 0;
  readonly #asynchronous: EventOptions = { owner: this };
  readonly #synchronous: EventOptions = { owner: this, isSynchronous: true };

  constructor(options: SimProcessOptions) {
    this.#options = options;
  }

  get state(): ProcessState {
    return this.#state;
  }

  /**
   * Runs `run` in this process after `delayNs`; never, if it is dead by then. `synchronous`: it
   * resolves no promise.
   */
  schedule(delayNs: number, run: () => void, kind?: 'synchronous'): Disposable {
    const options = kind === undefined ? this.#asynchronous : this.#synchronous;
    return this.#options.loop.schedule(delayNs, run, options);
  }

  /** Runs `run`, which resolves no promise, at once, or as soon as the process runs again. */
  deliver(run: () => void): void {
    const when = { atNs: this.#options.loop.nowNs, sequence: 0 };
    this.arrive(new SimEvent(when, run, this.#synchronous));
  }

  /** Resolves after `delayNs`; never, if the process is dead by then. */
  sleep(delayNs: number): Promise<void> {
    return new Promise((resolve) => this.schedule(delayNs, resolve));
  }

  kill(): void {
    this.#state = 'dead';
    this.#backlog = [];
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'paused';
  }

  resume(): void {
    if (this.#state !== 'paused') return;
    this.#state = 'running';
    this.#options.loop.schedule(0, () => this.#catchUp());
  }

  /** Callbacks start up to `delayNs` late from now on. */
  setSlowness(delayNs: number): void {
    this.#slownessNs = delayNs;
  }

  /** An event of this process is due. */
  arrive(event: SimEvent): void {
    const { loop, random } = this.#options;
    if (this.#slownessNs === 0 && this.#late === 0) return this.#admit(event);
    const delayNs = this.#slownessNs === 0 ? 0 : random.below(this.#slownessNs + 1);
    this.#notBeforeNs = Math.max(this.#notBeforeNs, loop.nowNs + delayNs);
    this.#late += 1;
    loop.schedule(this.#notBeforeNs - loop.nowNs, () => {
      this.#late -= 1;
      this.#admit(event);
    });
  }

  #admit(event: SimEvent): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'paused' || this.#backlog.length > 0) this.#backlog.push(event);
    else if (event.run !== undefined) this.#execute(event.run);
  }

  /** One at a time: what each sets off comes before the next. */
  #catchUp(): void {
    if (this.#state !== 'running') return;
    const event = this.#backlog.shift();
    if (event === undefined) return;
    this.#options.loop.schedule(0, () => this.#catchUp());
    if (event.run !== undefined) this.#execute(event.run);
  }

  #execute(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#options.onError(error);
    }
    if (this.#state !== 'dead') this.#options.afterEach();
  }
}
