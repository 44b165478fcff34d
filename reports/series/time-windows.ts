/** Cuts a run into windows of equal length, few enough to draw. */

export interface TimeWindows {
  readonly count: number;
  /** Length of every window but the last, which takes what remains as well. */
  readonly lengthNs: number;
  readonly endNs: number;
}

/** Lengths that read well. Beyond the last its multiples are taken. */
const LENGTHS_SECONDS = [0.1, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600];

/** Runs shorter than this may have windows shorter than a second. */
const SHORT_RUN_NS = 10e9;

export function cutIntoWindows(endNs: number, windowsMax: number): TimeWindows {
  const longest = LENGTHS_SECONDS.at(-1)! * 1e9;
  const leastNs = endNs < SHORT_RUN_NS ? 0 : 1e9;
  const lengthNs =
    LENGTHS_SECONDS.map((seconds) => seconds * 1e9).find(
      (length) => length >= leastNs && endNs / length <= windowsMax,
    ) ?? Math.ceil(endNs / windowsMax / longest) * longest;
  return { count: Math.max(1, Math.floor(endNs / lengthNs)), lengthNs, endNs };
}

/** The window that `timeNs` falls in; times outside the run fall into the first or last. */
export function windowAt({ count, lengthNs }: TimeWindows, timeNs: number): number {
  return Math.min(count - 1, Math.max(0, Math.floor(timeNs / lengthNs)));
}

export function windowStartNs({ lengthNs }: TimeWindows, at: number): number {
  return at * lengthNs;
}

export function windowEndNs({ count, lengthNs, endNs }: TimeWindows, at: number): number {
  return at === count - 1 ? Math.max(endNs, (at + 1) * lengthNs) : (at + 1) * lengthNs;
}

export function windowMiddleNs(windows: TimeWindows, at: number): number {
  return (windowStartNs(windows, at) + windowEndNs(windows, at)) / 2;
}
