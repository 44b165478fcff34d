/**
 * A time axis for few events that may lie microseconds or minutes apart. Order is exact and
 * longer gaps are never drawn shorter than shorter ones, but gaps grow with the logarithm of
 * their length, and operations are made wide enough for their words.
 */

/** A stretch of time that must be at least so wide. */
export interface Demand {
  readonly fromNs: number;
  readonly toNs: number;
  readonly widthPx: number;
}

/** What of the axis matters most; what lies before and after is squeezed. */
export interface Focus {
  readonly fromNs: number;
  readonly toNs: number;
  /** Space for all that lies before, and as much for all that lies after. */
  readonly besidePxMax: number;
}

export interface BentAxisOptions {
  /** At least one. */
  readonly timesNs: readonly number[];
  readonly demands: readonly Demand[];
  readonly focus: Focus;
}

export interface BentAxis {
  readonly widthPx: number;
  /** Between events in proportion; outside the events at the nearest end. */
  xOf(timeNs: number): number;
}

const GAP_PX_LEAST = 10;
const GAP_PX_TYPICAL = 36;
/** For every tenfold of the median gap. */
const GAP_PX_PER_DECADE = 24;

/** The axis begins at 0 px. */
export function bentAxis({ timesNs, demands, focus }: BentAxisOptions): BentAxis {
  const stops = [...new Set(timesNs)].sort((a, b) => a - b);
  const gapsNs = stops.slice(1).map((timeNs, at) => timeNs - stops[at]!);
  const widths = gapsNs.map((gapNs) => gapWidth(gapNs, median(gapsNs)));
  const { besidePxMax: widthPx } = focus;
  squeeze(widths, stops, { fromNs: stops[0]!, toNs: focus.fromNs, widthPx });
  squeeze(widths, stops, { fromNs: focus.toNs, toNs: stops.at(-1)!, widthPx });
  for (const demand of demands) widen(widths, stops, demand);
  const positions = [0];
  for (const width of widths) positions.push(positions.at(-1)! + width);
  return {
    widthPx: positions.at(-1)!,
    xOf: (timeNs) => interpolate(stops, positions, timeNs),
  };
}

function gapWidth(gapNs: number, typicalNs: number): number {
  const ratio = gapNs / Math.max(1, typicalNs);
  if (ratio <= 1) return GAP_PX_LEAST + (GAP_PX_TYPICAL - GAP_PX_LEAST) * ratio;
  return GAP_PX_TYPICAL + GAP_PX_PER_DECADE * Math.log10(ratio);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** All gaps inside the stretch grow by the same factor until it is wide enough. */
function widen(widths: number[], stops: readonly number[], stretch: Demand): void {
  if (widthOf(widths, stops, stretch) < stretch.widthPx) scale(widths, stops, stretch);
}

/** All gaps inside the stretch shrink by the same factor until it is narrow enough. */
function squeeze(widths: number[], stops: readonly number[], stretch: Demand): void {
  if (widthOf(widths, stops, stretch) > stretch.widthPx) scale(widths, stops, stretch);
}

function scale(widths: number[], stops: readonly number[], stretch: Demand): void {
  const inside = widthOf(widths, stops, stretch);
  if (inside === 0) return;
  for (const [at, width] of widths.entries()) {
    if (isInside(stops, at, stretch)) widths[at] = (width * stretch.widthPx) / inside;
  }
}

function widthOf(widths: readonly number[], stops: readonly number[], stretch: Demand): number {
  return widths.reduce((sum, width, at) => sum + (isInside(stops, at, stretch) ? width : 0), 0);
}

function isInside(stops: readonly number[], at: number, { fromNs, toNs }: Demand): boolean {
  return stops[at]! >= fromNs && stops[at + 1]! <= toNs;
}

function interpolate(
  stops: readonly number[],
  positions: readonly number[],
  timeNs: number,
): number {
  const next = stops.findIndex((stop) => stop >= timeNs);
  if (next === 0) return positions[0]!;
  if (next < 0) return positions.at(-1)!;
  const fromNs = stops[next - 1]!;
  const share = (timeNs - fromNs) / (stops[next]! - fromNs);
  return positions[next - 1]! + share * (positions[next]! - positions[next - 1]!);
}
