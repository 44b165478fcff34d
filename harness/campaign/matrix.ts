/**
 * The matrix of a campaign: every way to choose one value from each axis is a cell, and a cell is
 * one storm. Values are texts as on the command line of `storm run`, whose rules they obey.
 */

/** Axes in the order of the product; the last one changes fastest. */
export const AXES = [
  'targets',
  'members',
  'faults',
  'cluster',
  'concurrency',
  'rate',
  'heartbeat-interval',
  'election-timeout',
  'wan',
  'disk',
  'tls',
  'durations',
  'seeds',
] as const;

export type Axis = (typeof AXES)[number];

/** Not a value of `--wan`: members at no distance from each other. */
export const NO_WAN = 'none';
/** Not a value of `--disk`: the members' own disks. */
export const NO_DISK = 'none';
/** Not a value of `--tls`: in the clear. */
export const NO_TLS = 'off';

/** Plain JSON: it is the head of a file of results, and gives the same cells everywhere. */
export interface Matrix {
  /** For each axis one value or more, none of them twice. */
  readonly axes: { readonly [axis in Axis]: readonly string[] };
  /** Kinds whose effect is required of every cell that has them among its faults. */
  readonly require: readonly string[];
  /** An edited copy of the repository, for targets `stormraft`. */
  readonly server: string | null;
}

/** Cells of one campaign at most; a file of more is a slip of the pen. */
export const CELLS_MAX = 100_000;

export function cellCount({ axes }: Matrix): number {
  return AXES.reduce((product, axis) => product * axes[axis].length, 1);
}

/** `2 targets x 3 faults x 20 seeds`: the axes that have a choice. */
export function describeMatrix({ axes }: Matrix): string {
  const words = AXES.filter((axis) => axes[axis].length > 1).map(
    (axis) => `${axes[axis].length} ${axis}`,
  );
  return words.length === 0 ? 'one choice' : words.join(' x ');
}

/** Whether a value read from a file is one; what its texts mean is not looked at. */
export function isMatrix(value: unknown): value is Matrix {
  if (typeof value !== 'object' || value === null) return false;
  const { axes, require, server } = value as Partial<Record<keyof Matrix, unknown>>;
  if (typeof axes !== 'object' || axes === null) return false;
  const lists = axes as Partial<Record<Axis, unknown>>;
  return (
    AXES.every((axis) => isTexts(lists[axis]) && lists[axis].length > 0) &&
    isTexts(require) &&
    (server === null || typeof server === 'string')
  );
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}
