/** Figures of a history: how much was done, how fast. Not part of the verdict. */
import { build } from 'hdr-histogram-js';
import { isClientOp } from '../checkers/history/guards.ts';
import type { Op } from '../checkers/history/op.ts';

export interface Figures {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  /** Completed operations of any outcome, and those per second of the storm. */
  readonly completed: number;
  readonly completedPerSecond: number;
  /** Latency of operations that ended `ok`, from invoke to completion. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** One hour in ns: no client waits longer. */
const LATENCY_NS_MAX = 3_600e9;

/** `stormNs`: length of the storm, over which the rate is taken. */
export function figuresOf(history: readonly Op[], stormNs: number): Figures {
  const latency = build({
    highestTrackableValue: LATENCY_NS_MAX,
    numberOfSignificantValueDigits: 3,
  });
  const invokedAt = new Map<number, number>();
  const counts = { ok: 0, fail: 0, info: 0 };
  let duringStorm = 0;
  for (const op of history) {
    if (!isClientOp(op)) continue;
    if (op.type === 'invoke') {
      invokedAt.set(op.process, op.time);
      continue;
    }
    counts[op.type]++;
    if (op.time <= stormNs) duringStorm++;
    const start = invokedAt.get(op.process);
    if (op.type === 'ok' && start !== undefined) latency.recordValue(Math.max(1, op.time - start));
  }
  return {
    ...counts,
    completed: counts.ok + counts.fail + counts.info,
    completedPerSecond: stormNs > 0 ? duringStorm / (stormNs / 1e9) : 0,
    p50Ms: latency.getValueAtPercentile(50) / 1e6,
    p99Ms: latency.getValueAtPercentile(99) / 1e6,
  };
}

export function describeFigures(figures: Figures): string {
  const { ok, fail, info, completed, completedPerSecond, p50Ms, p99Ms } = figures;
  return [
    `${completed} operations (${ok} ok, ${fail} fail, ${info} info)`,
    `${completedPerSecond.toFixed(0)}/s`,
    `p50 ${p50Ms.toFixed(1)} ms, p99 ${p99Ms.toFixed(1)} ms`,
  ].join('; ');
}
