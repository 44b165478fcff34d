/** Durations as Go writes them. */

const MS_OF_UNIT: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};

const PART = /(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)/g;

/** Milliseconds of `1h30m`, `1.5s`, `100ms`, `0`; undefined for what is none. */
export function parseGoDuration(text: string): number | undefined {
  const [, sign, unsigned] = /^([+-]?)(.+)$/s.exec(text) ?? [];
  if (unsigned === undefined) return undefined;
  if (unsigned === '0') return 0;
  let totalMs = 0;
  let taken = 0;
  for (const [part, number, unit] of unsigned.matchAll(PART)) {
    totalMs += Number(number) * MS_OF_UNIT[unit!]!;
    taken += part.length;
  }
  if (taken !== unsigned.length) return undefined;
  return sign === '-' ? -totalMs : totalMs;
}
