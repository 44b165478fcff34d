/** The one place where ops get their index and time, so that the history is totally ordered. */
import { formatOp } from '../checkers/history/jsonl.ts';
import type { Op } from '../checkers/history/op.ts';
import { assert } from '../src/lib/assert.ts';
import type { Clock } from '../src/ports/clock.ts';

/** What is recorded; index and time are the recorder's. */
export type OpEntry = Omit<Op, 'index' | 'time'>;

/** Keep checkers and browsers within a few GB. When one is reached, clients are asked no more. */
export const HISTORY_OPS_MAX = 2_000_000;
export const HISTORY_BYTES_MAX: number = 1024 * 1024 * 1024;

/** Collects the history in memory and hands each op on, as a line of its file, as it happens. */
export class Recorder {
  readonly #clock: Clock;
  #baseNs: number;
  readonly #onLine: (line: string) => void;
  readonly #history: Op[] = [];
  readonly #sizeBytesMax: number;
  #sizeBytes = 0;

  /** The run's single monotonic base is now. */
  constructor(
    clock: Clock,
    onLine: (line: string) => void,
    sizeBytesMax: number = HISTORY_BYTES_MAX,
  ) {
    this.#clock = clock;
    this.#baseNs = clock.nowNs();
    this.#onLine = onLine;
    this.#sizeBytesMax = sizeBytesMax;
  }

  /** The base is now, after all; before anything is recorded. */
  rebase(): void {
    assert(this.#history.length === 0, 'recorded times would have two bases');
    this.#baseNs = this.#clock.nowNs();
  }

  /** Integer nanoseconds since the run's base. */
  nowNs(): number {
    return Math.round(this.#clock.nowNs() - this.#baseNs);
  }

  record(entry: OpEntry): Op {
    const op: Op = { index: this.#history.length, time: this.nowNs(), ...entry };
    this.#history.push(op);
    const line = formatOp(op);
    this.#sizeBytes += Buffer.byteLength(line);
    this.#onLine(line);
    return op;
  }

  get history(): readonly Op[] {
    return this.#history;
  }

  /** No further invocations, please; completions and the nemesis may still record. */
  get isFull(): boolean {
    return this.#history.length >= HISTORY_OPS_MAX || this.#sizeBytes >= this.#sizeBytesMax;
  }
}
