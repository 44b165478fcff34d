/** The histogram that all latencies of a report are counted in. */
import { build, type Histogram } from 'hdr-histogram-js';

/** One hour in ns: no client waits longer; what does counts as an hour. */
const LATENCY_NS_MAX = 3_600e9;

/** Quantiles are exact to three digits. */
export function latencyHistogram(): Histogram {
  return build({
    lowestDiscernibleValue: 1,
    highestTrackableValue: LATENCY_NS_MAX,
    numberOfSignificantValueDigits: 3,
  });
}

export function recordNs(histogram: Histogram, ns: number): void {
  histogram.recordValue(Math.min(LATENCY_NS_MAX, Math.max(1, ns)));
}
