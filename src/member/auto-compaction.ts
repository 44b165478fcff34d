import type { Revision } from '../lib/ids.ts';

/**
 * When the leader compacts by itself, as etcd does. `periodic`: history older than the period
 * goes, noticed ten times a period (at most every 6 minutes); the first time after a whole period,
 * then every period or hour, whichever is shorter. `revision`: every five minutes all but the
 * newest `keep` revisions go.
 */
export type AutoCompaction =
  | { readonly mode: 'off' }
  | { readonly mode: 'periodic'; readonly periodMs: number }
  | { readonly mode: 'revision'; readonly keep: number };

const HOUR_MS = 3_600_000;
const REVISION_INTERVAL_MS = 300_000;
const SAMPLES_PER_PERIOD = 10;

/** The schedule of one leadership: a new leader starts afresh, as nobody knows what it missed. */
export class CompactionSchedule {
  readonly #config: AutoCompaction;
  readonly #tickMs: number;
  #samples: { readonly tick: number; readonly revision: Revision }[] = [];
  #lastTick: number | undefined;

  constructor(config: AutoCompaction, tickMs: number) {
    this.#config = config;
    this.#tickMs = tickMs;
  }

  /** Leadership was lost: nothing is counted until it comes back. */
  pause(): void {
    this.#samples = [];
    this.#lastTick = undefined;
  }

  /** The revision to compact at now, if it is time. */
  due(nowTick: number, revision: Revision, compactRevision: Revision): Revision | undefined {
    switch (this.#config.mode) {
      case 'off':
        return undefined;
      case 'revision': {
        this.#lastTick ??= nowTick;
        if (nowTick - this.#lastTick < REVISION_INTERVAL_MS / this.#tickMs) return undefined;
        this.#lastTick = nowTick;
        const target = revision - this.#config.keep;
        return target > compactRevision && target > 0 ? target : undefined;
      }
      case 'periodic':
        return this.#periodic(this.#config.periodMs, { tick: nowTick, revision }, compactRevision);
    }
  }

  #periodic(
    periodMs: number,
    now: { readonly tick: number; readonly revision: Revision },
    compactRevision: Revision,
  ): Revision | undefined {
    const sampleTicks = Math.min(periodMs, HOUR_MS) / SAMPLES_PER_PERIOD / this.#tickMs;
    const newest = this.#samples.at(-1);
    if (newest !== undefined && now.tick - newest.tick < sampleTicks) return undefined;
    this.#samples.push(now);
    const periodTicks = periodMs / this.#tickMs;
    const isOld = (sample: { tick: number }): boolean => now.tick - sample.tick >= periodTicks;
    const target = this.#samples.findLast(isOld);
    if (target === undefined) return undefined;
    // What is older than the target will not be asked for again.
    this.#samples = this.#samples.filter((sample) => sample.tick >= target.tick);
    const intervalTicks = Math.min(periodMs, HOUR_MS) / this.#tickMs;
    if (this.#lastTick !== undefined && now.tick - this.#lastTick < intervalTicks) return undefined;
    this.#lastTick = now.tick;
    return target.revision > compactRevision ? target.revision : undefined;
  }
}
