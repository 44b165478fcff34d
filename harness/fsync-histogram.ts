/** A member's own WAL fsync histogram, from its metrics text to what happened between two polls. */

/** Cumulative counts by upper bound in seconds, as Prometheus exposes them. */
export interface FsyncHistogram {
  readonly count: number;
  readonly sumSeconds: number;
  /** By rising bound; the last is +Infinity. */
  readonly buckets: readonly { readonly upToSeconds: number; readonly count: number }[];
}

/** Figures over the fsyncs between two polls, in ms. */
export interface FsyncDelta {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const METRIC = 'etcd_disk_wal_fsync_duration_seconds';
const BUCKET_LINE = new RegExp(`^${METRIC}_bucket\\{.*le="([^"]+)".*\\} (\\S+)`);

/** `undefined` when the text does not hold the histogram. */
export function parseFsyncHistogram(metricsText: string): FsyncHistogram | undefined {
  const buckets: { upToSeconds: number; count: number }[] = [];
  let count: number | undefined;
  let sumSeconds: number | undefined;
  for (const line of metricsText.split('\n')) {
    if (!line.startsWith(METRIC)) continue;
    const bucket = BUCKET_LINE.exec(line);
    if (bucket !== null) {
      const bound = bucket[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(bucket[1]);
      buckets.push({ upToSeconds: bound, count: Number(bucket[2]) });
      continue;
    }
    const value = Number(line.slice(line.lastIndexOf(' ') + 1));
    if (line.startsWith(`${METRIC}_count`)) count = value;
    if (line.startsWith(`${METRIC}_sum`)) sumSeconds = value;
  }
  if (count === undefined || sumSeconds === undefined || buckets.length === 0) return undefined;
  return { count, sumSeconds, buckets };
}

/** What was added since `before`; a histogram that shrank belongs to a restarted member. */
export function fsyncsSince(
  before: FsyncHistogram | undefined,
  after: FsyncHistogram,
): FsyncDelta | undefined {
  const base = before !== undefined && before.count <= after.count ? before : undefined;
  const count = after.count - (base?.count ?? 0);
  if (count === 0) return undefined;
  const sumSeconds = after.sumSeconds - (base?.sumSeconds ?? 0);
  const quantile = (share: number): number => boundOf(base, after, share * count);
  return {
    count,
    meanMs: (sumSeconds / count) * 1000,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
  };
}

/** Upper bound in ms of the bucket with the `rank`-th fsync; beyond the last bound, that bound. */
function boundOf(base: FsyncHistogram | undefined, after: FsyncHistogram, rank: number): number {
  let lastMs = 0;
  for (const [at, bucket] of after.buckets.entries()) {
    if (Number.isFinite(bucket.upToSeconds)) lastMs = bucket.upToSeconds * 1000;
    if (bucket.count - (base?.buckets[at]?.count ?? 0) >= rank) return lastMs;
  }
  return lastMs;
}
