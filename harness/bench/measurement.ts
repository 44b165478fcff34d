/** What came of one cell on one system in one round, and how two systems compare. */
import { medianOf } from '../median.ts';
import type { LoadResult } from './load.ts';
import type { ProcessorUse } from './processor-time.ts';

export type System = 'stormraft' | 'etcd';

export interface Measurement {
  readonly round: number;
  readonly system: System;
  readonly cell: string;
  readonly load: LoadResult;
  readonly processors: ProcessorFigures | undefined;
}

export interface ProcessorFigures {
  /** Processor time for each request that succeeded, in µs. */
  readonly leaderUs: number;
  readonly followerUs: readonly number[];
  readonly clientUs: number;
  /** Of one processor, 0 to 1: near 1 the load generator is what is measured. */
  readonly clientShare: number;
  /** Of the whole machine, 0 to 1: what other programs took meanwhile. */
  readonly otherShare: number;
}

export interface Pids {
  readonly leaderPid: number;
  readonly followerPids: readonly number[];
  readonly clientPid: number;
}

export function processorFigures(
  { usedUs, otherShare }: ProcessorUse,
  pids: Pids,
  { ok, durationNs }: LoadResult,
): ProcessorFigures {
  const each = (pid: number): number => (usedUs.get(pid) ?? 0) / Math.max(1, ok);
  const clientUs = usedUs.get(pids.clientPid) ?? 0;
  return {
    leaderUs: each(pids.leaderPid),
    followerUs: pids.followerPids.map(each),
    clientUs: each(pids.clientPid),
    clientShare: clientUs / (durationNs / 1000),
    otherShare,
  };
}

export function perSecond({ ok, durationNs }: LoadResult): number {
  return ok / (durationNs / 1e9);
}

export function problemCount({ problems }: LoadResult): number {
  return Object.values(problems).reduce((sum, count) => sum + count, 0);
}

/** Ours divided by etcd's. */
export interface Ratio {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

export interface CellRatios {
  readonly cell: string;
  readonly rounds: number;
  readonly throughput: Ratio;
  readonly mean: Ratio;
  readonly p50: Ratio;
  readonly p99: Ratio;
}

/** Each round is compared with itself: what disturbed both alike does not count. */
export function ratiosOf(
  cell: string,
  measurements: readonly Measurement[],
): CellRatios | undefined {
  const pairs = pairsOf(measurements.filter((each) => each.cell === cell));
  if (pairs.length === 0) return undefined;
  const ratio = (figure: (load: LoadResult) => number): Ratio => {
    const values = pairs.map(([ours, etcd]) => figure(ours.load) / figure(etcd.load));
    return { median: medianOf(values), least: Math.min(...values), most: Math.max(...values) };
  };
  return {
    cell,
    rounds: pairs.length,
    throughput: ratio(perSecond),
    mean: ratio(({ latency }) => latency.meanNs),
    p50: ratio(({ latency }) => latency.p50Ns),
    p99: ratio(({ latency }) => latency.p99Ns),
  };
}

/** Only of rounds in which both systems answered something. */
function pairsOf(measurements: readonly Measurement[]): [Measurement, Measurement][] {
  const ours = measurements.filter(({ system, load }) => system === 'stormraft' && load.ok > 0);
  return ours.flatMap((our): [Measurement, Measurement][] => {
    const other = measurements.find(
      ({ system, round, load }) => system === 'etcd' && round === our.round && load.ok > 0,
    );
    return other === undefined ? [] : [[our, other]];
  });
}
