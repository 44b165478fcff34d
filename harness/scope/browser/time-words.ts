/** Times and lengths of time, as the page writes them. */

/** A point in time, to the microsecond: `12.345 678 s`. */
export function instantWords(ns: number): string {
  const micros = String(Math.floor(ns / 1e3)).padStart(7, '0');
  return `${micros.slice(0, -6)}.${micros.slice(-6, -3)}\u202f${micros.slice(-3)} s`;
}

/** To the millisecond, for lists. */
export function shortInstant(ns: number): string {
  return `${(ns / 1e9).toFixed(3)} s`;
}
