/**
 * Virtual time: a heap of events, and one loop that runs them in order. Nothing happens between
 * two events, so a second in which nothing is due costs nothing.
 *
 * The code under test is partly asynchronous (the log, recovery, the harness's own stages), so
 * after each event every promise reaction that it set off must have run before the next event.
 * That is had without intercepting promises: Node runs its next-tick queue only when the
 * microtask queue is empty, and a microtask queued behind an event puts the next step there.
 */
import TinyQueue from 'tinyqueue';
import { assert } from '../../src/lib/assert.ts';
import type { Clock } from '../../src/ports/clock.ts';

/** Something that happens at a time; disposing it before that cancels it. */
export class SimEvent implements Disposable {
  readonly atNs: number;
  /** Events of one instant run in the order in which they were scheduled. */
  readonly sequence: number;
  /** Undefined once cancelled. */
  run: (() => void) | undefined;
  /** Who decides whether and when it runs, if it is not the loop alone. */
  readonly owner: EventOwner | undefined;
  /** It resolves no promise, so nothing has to be waited for before the next event. */
  readonly isSynchronous: boolean;

  constructor(
    when: { readonly atNs: number; readonly sequence: number },
    run: () => void,
    options: EventOptions,
  ) {
    this.atNs = when.atNs;
    this.sequence = when.sequence;
    this.run = run;
    this.owner = options.owner;
    this.isSynchronous = options.isSynchronous ?? false;
  }

  [Symbol.dispose](): void {
    this.run = undefined;
  }
}

export interface EventOwner {
  /** The event's time has come. */
  arrive(event: SimEvent): void;
}

export interface EventOptions {
  readonly owner?: EventOwner;
  readonly isSynchronous?: boolean;
}

const NO_OPTIONS: EventOptions = {};

/** After so many events, real input and output gets its turn: signals, messages of the parent. */
const EVENTS_PER_BREATH = 5_000;
/** Events that resolve no promise, in a row, before whoever waits is looked after all the same. */
const SYNCHRONOUS_MAX = 64;

export interface LoopLimits {
  /** Turns of the real loop without an event while something real (a file) is waited for. */
  readonly idleTurnsMax: number;
  /** More events than this in one instant: something runs in circles without letting time pass. */
  readonly eventsPerInstantMax: number;
}

const LIMITS: LoopLimits = { idleTurnsMax: 100_000, eventsPerInstantMax: 200_000 };

/** 2024-01-01: any fixed moment will do. */
const WALL_START_MS = 1_704_067_200_000;

export class SimLoop {
  readonly #queue: TinyQueue<SimEvent> = new TinyQueue<SimEvent>(
    [],
    (a, b) => a.atNs - b.atNs || a.sequence - b.sequence,
  );
  readonly #limits: LoopLimits;
  #nowNs = 0;
  #sequence = 0;
  #eventsAtInstant = 0;
  /** Events that have run. */
  events = 0;
  /** The harness's own clock: true time, no drift. */
  readonly clock: Clock = loopClock(this);

  constructor(limits: Partial<LoopLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
  }

  /** Virtual integer ns since the start. */
  get nowNs(): number {
    return this.#nowNs;
  }

  /** Runs `run` after `delayNs`, behind everything that is already due then. */
  schedule(delayNs: number, run: () => void, options: EventOptions = NO_OPTIONS): SimEvent {
    assert(delayNs >= 0, 'time only goes forward');
    const when = { atNs: this.#nowNs + Math.round(delayNs), sequence: this.#sequence++ };
    const event = new SimEvent(when, run, options);
    this.#queue.push(event);
    return event;
  }

  /**
   * Runs events until `work` settles, and settles like it. Rejects when an event throws, or
   * when nothing is left to happen and `work` still waits.
   */
  drive<Value>(work: Promise<Value>): Promise<Value> {
    return new Promise((resolve, reject) => {
      let isSettled = false;
      let idleTurns = 0;
      let breathAt = this.events + EVENTS_PER_BREATH;
      const settle = (): void => {
        isSettled = true;
      };
      work.then(settle, settle);
      const step = (): void => {
        if (isSettled) return resolve(work);
        try {
          let event = this.#runNext();
          for (let i = 0; i < SYNCHRONOUS_MAX && event?.isSynchronous; i++) event = this.#runNext();
          if (event !== undefined) idleTurns = 0;
          else if (++idleTurns > this.#limits.idleTurnsMax) {
            throw new Error('the simulation waits for something that will never happen');
          }
        } catch (error) {
          return reject(error);
        }
        if (idleTurns > 0 || this.events >= breathAt) {
          breathAt = this.events + EVENTS_PER_BREATH;
          setImmediate(step);
        } else queueMicrotask(nextStep);
      };
      const nextStep = (): void => process.nextTick(step);
      // Promises first, wherever this is called: in a callback of Node's, ticks come before them.
      queueMicrotask(nextStep);
    });
  }

  /** What has run; undefined if nothing is scheduled. */
  #runNext(): SimEvent | undefined {
    for (;;) {
      const event = this.#queue.pop();
      if (event === undefined) return undefined;
      if (event.run === undefined) continue;
      if (event.atNs > this.#nowNs) this.#eventsAtInstant = 0;
      this.#nowNs = event.atNs;
      this.events += 1;
      this.#eventsAtInstant += 1;
      const { eventsPerInstantMax } = this.#limits;
      if (this.#eventsAtInstant > eventsPerInstantMax) {
        throw new Error(`more than ${eventsPerInstantMax} events at ${this.#nowNs} ns`);
      }
      if (event.owner === undefined) event.run();
      else event.owner.arrive(event);
      return event;
    }
  }
}

function loopClock(loop: SimLoop): Clock {
  const every = (intervalMs: number, callback: () => void): Disposable => {
    let timer = loop.schedule(intervalMs * 1e6, function fire() {
      timer = loop.schedule(intervalMs * 1e6, fire);
      callback();
    });
    return { [Symbol.dispose]: () => timer[Symbol.dispose]() };
  };
  return {
    nowNs: () => loop.nowNs,
    wallMs: () => WALL_START_MS + loop.nowNs / 1e6,
    every,
    after: (delayMs, callback) => loop.schedule(delayMs * 1e6, callback),
    soon: (callback) => void loop.schedule(0, callback),
  };
}
