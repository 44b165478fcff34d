/** WAL fsync latency of the members, brought to common windows of time. */
import type { MemberSeries } from '../run-record.ts';
import { cutIntoWindows, type TimeWindows, windowAt } from './time-windows.ts';

const FSYNC_WINDOWS_MAX = 600;

/** A sample speaks for the time since the one before, at most for this long. */
const SAMPLE_COVERS_NS = 2.5e9;

export interface FsyncsOverTime {
  readonly windows: TimeWindows;
  readonly members: readonly MemberFsyncs[];
}

export interface MemberFsyncs {
  readonly node: string;
  /** Worst p99 of the samples that speak for each window; null where none does. */
  readonly p99Ms: readonly (number | null)[];
  readonly count: number;
  /** Over all fsyncs. */
  readonly meanMs: number;
  readonly worstP99Ms: number;
}

/** Members without samples are left out. */
export function fsyncsOverTime(members: readonly MemberSeries[], endNs: number): FsyncsOverTime {
  const windows = cutIntoWindows(endNs, FSYNC_WINDOWS_MAX);
  const sampled = members.filter(({ fsync }) => fsync.some((sample) => sample.count > 0));
  return { windows, members: sampled.map((member) => fsyncsOf(member, windows)) };
}

function fsyncsOf({ node, fsync }: MemberSeries, windows: TimeWindows): MemberFsyncs {
  const p99Ms: (number | null)[] = Array.from({ length: windows.count }, () => null);
  let count = 0;
  let totalMs = 0;
  let worstP99Ms = 0;
  let previousNs = Number.NEGATIVE_INFINITY;
  for (const sample of fsync) {
    const isNext = sample.timeNs - previousNs <= SAMPLE_COVERS_NS;
    const from = windowAt(windows, isNext ? previousNs : sample.timeNs);
    previousNs = sample.timeNs;
    if (sample.count === 0) continue;
    for (let at = from; at <= windowAt(windows, sample.timeNs); at++) {
      p99Ms[at] = Math.max(p99Ms[at] ?? 0, sample.p99Ms);
    }
    count += sample.count;
    totalMs += sample.count * sample.meanMs;
    worstP99Ms = Math.max(worstP99Ms, sample.p99Ms);
  }
  return { node, p99Ms, count, meanMs: totalMs / count, worstP99Ms };
}
