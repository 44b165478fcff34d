/** The wall clock of one real member, as it should be and as it is; see clock-program.ts. */

import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from './cluster.ts';

/** What the program inside the member is asked; rejects with ClusterError when nobody answers. */
export type AskClock = (method: 'GET' | 'PUT', body?: unknown) => Promise<unknown>;

export interface MemberClockParts {
  readonly name: string;
  readonly ask: AskClock;
  /** It runs, is not suspended and can be reached. */
  listens(): Promise<boolean>;
}

interface Setting {
  /** At `sinceMs` of this process's monotonic clock. */
  readonly offsetMs: number;
  readonly driftPercent: number;
  readonly sinceMs: number;
}

const RIGHT: Setting = { offsetMs: 0, driftPercent: 0, sinceMs: 0 };

/** From a start to a server that listens. */
const PUSH_MS_MAX = 10_000;
const PUSH_RETRY_MS = 25;
/** An answer that took this long says little about when it was given: it is asked again. */
const ROUND_TRIP_MS_GOOD = 5;
const READINGS_MAX = 3;

export class MemberClock {
  readonly #parts: MemberClockParts;
  #setting = RIGHT;
  /** The member has not been told of the setting. */
  #isPending = false;

  constructor(parts: MemberClockParts) {
    this.#parts = parts;
  }

  /** On top of what the clock is already off by. One that does not listen gets it later. */
  async change({ driftPercent, jumpMs }: { driftPercent: number; jumpMs: number }): Promise<void> {
    const sinceMs = performance.now();
    this.#setting = { offsetMs: this.#offsetMs(sinceMs) + jumpMs, driftPercent, sinceMs };
    await this.#push();
  }

  async restore(): Promise<void> {
    if (this.#setting === RIGHT) return;
    this.#setting = RIGHT;
    await this.#push();
  }

  /** Call when it may listen again: after a start, a resume, with its cable plugged. */
  async returned(): Promise<void> {
    if (this.#setting !== RIGHT || this.#isPending) await this.#push();
  }

  /** Measured in the member, against the wall clock of this process. Of a member that listens. */
  async offsetMs(): Promise<number> {
    let best = { offsetMs: 0, tookMs: Number.POSITIVE_INFINITY };
    for (let n = 0; n < READINGS_MAX && best.tookMs > ROUND_TRIP_MS_GOOD; n++) {
      const startMs = performance.now();
      const answer = await this.#parts.ask('GET');
      const tookMs = performance.now() - startMs;
      const offsetMs = wallMsIn(answer, this.#parts.name) - (Date.now() - tookMs / 2);
      if (tookMs < best.tookMs) best = { offsetMs, tookMs };
    }
    return best.offsetMs;
  }

  async #push(): Promise<void> {
    this.#isPending = true;
    const deadlineMs = performance.now() + PUSH_MS_MAX;
    while (await this.#parts.listens()) {
      try {
        const { driftPercent } = this.#setting;
        const offsetMs = this.#offsetMs(performance.now());
        wallMsIn(await this.#parts.ask('PUT', { offsetMs, driftPercent }), this.#parts.name);
        this.#isPending = false;
        return;
      } catch (error) {
        if (!(error instanceof ClusterError) || performance.now() > deadlineMs) throw error;
        await sleep(PUSH_RETRY_MS);
      }
    }
  }

  #offsetMs(atMs: number): number {
    const { offsetMs, driftPercent, sinceMs } = this.#setting;
    return offsetMs + (driftPercent / 100) * (atMs - sinceMs);
  }
}

/** The variables that put libfaketime under a Node server, and what Node loads first. */
export function clockedNode(options: {
  readonly library: string;
  readonly file: string;
  readonly port: number;
  readonly program: string;
  /** `node`, then the server's script and flags. */
  readonly command: readonly string[];
}): readonly [string, ...string[]] {
  const [node = 'node', ...rest] = options.command;
  return [
    'env',
    `LD_PRELOAD=${options.library}`,
    `FAKETIME_TIMESTAMP_FILE=${options.file}`,
    // Timers and leases go by the monotonic clock, which no administrator can set.
    'FAKETIME_DONT_FAKE_MONOTONIC=1',
    // Else an order takes effect up to ten seconds later.
    'FAKETIME_NO_CACHE=1',
    'NO_FAKE_STAT=1',
    `STORM_CLOCK_FILE=${options.file}`,
    `STORM_CLOCK_PORT=${options.port}`,
    node,
    '--import',
    options.program,
    ...rest,
  ];
}

function wallMsIn(answer: unknown, name: string): number {
  if (typeof answer === 'object' && answer !== null && 'wallMs' in answer) {
    if (typeof answer.wallMs === 'number') return answer.wallMs;
  }
  throw new ClusterError(`the clock of ${name} cannot be read`);
}
