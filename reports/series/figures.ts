/** The figures at the head of a report: how much was done and how fast. Not the verdict. */
import type { FaultRecord, RunRecord } from '../run-record.ts';
import { type Completions, latencyNs, OK } from './completions.ts';
import { latencyHistogram, recordNs } from './latency-histogram.ts';

export interface Figures {
  readonly ok: number;
  readonly fail: number;
  readonly info: number;
  readonly unfinished: number;
  /** Completions of any outcome in the storm, per second of it. */
  readonly stormPerSecond: number;
  /** Of `ok` operations; undefined when there were none. */
  readonly latency: Latency | undefined;
  /** Longest time in the storm without an `ok` completion, and when it began. */
  readonly longestSilence: { readonly fromNs: number; readonly lengthNs: number };
  readonly faults: Readonly<Record<FaultRecord['effect'], number>>;
}

export interface Latency {
  readonly p50Ns: number;
  readonly p99Ns: number;
  readonly p999Ns: number;
  readonly maxNs: number;
}

export function figuresOf(record: RunRecord, completions: Completions): Figures {
  const { stormEndNs, faults } = record;
  const counts = [0, 0, 0];
  let inStorm = 0;
  for (let at = 0; at < completions.count; at++) {
    counts[completions.outcomes[at]!]!++;
    if (completions.completedNs[at]! <= stormEndNs) inStorm++;
  }
  const [ok = 0, fail = 0, info = 0] = counts;
  const countOf = (effect: FaultRecord['effect']): number =>
    faults.filter((fault) => fault.effect === effect).length;
  return {
    ok,
    fail,
    info,
    unfinished: completions.unfinished,
    stormPerSecond: stormEndNs > 0 ? inStorm / (stormEndNs / 1e9) : 0,
    latency: latencyOf(completions),
    longestSilence: longestSilence(completions, stormEndNs),
    faults: {
      observed: countOf('observed'),
      'no-effect': countOf('no-effect'),
      skipped: countOf('skipped'),
    },
  };
}

function latencyOf(completions: Completions): Latency | undefined {
  const histogram = latencyHistogram();
  let maxNs = 0;
  for (let at = 0; at < completions.count; at++) {
    if (completions.outcomes[at] !== OK) continue;
    const ns = latencyNs(completions, at);
    recordNs(histogram, ns);
    maxNs = Math.max(maxNs, ns);
  }
  if (histogram.totalCount === 0) return undefined;
  return {
    p50Ns: histogram.getValueAtPercentile(50),
    p99Ns: histogram.getValueAtPercentile(99),
    p999Ns: histogram.getValueAtPercentile(99.9),
    maxNs,
  };
}

/** Completions are in the order of their times, as the history is. */
function longestSilence(completions: Completions, stormEndNs: number): Figures['longestSilence'] {
  let longest = { fromNs: 0, lengthNs: 0 };
  let lastOkNs = 0;
  const endSilence = (atNs: number): void => {
    const lengthNs = atNs - lastOkNs;
    if (lengthNs > longest.lengthNs) longest = { fromNs: lastOkNs, lengthNs };
    lastOkNs = atNs;
  };
  for (let at = 0; at < completions.count; at++) {
    const timeNs = completions.completedNs[at]!;
    if (timeNs > stormEndNs) break;
    if (completions.outcomes[at] === OK) endSilence(timeNs);
  }
  endSilence(stormEndNs);
  return longest;
}
