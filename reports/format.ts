/** Numbers, times and values as people read them. */
import type { Json } from '../checkers/history/op.ts';

/** Items of a list that are written out; the rest is counted. */
const ITEMS_SHOWN_MAX = 4;

/** `1,234,567`. */
export function formatCount(count: number): string {
  return String(Math.round(count)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 fault`, `2 faults`. */
export function formatMany(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}

/** A length of time in the unit that suits it, with three significant digits. */
export function formatNs(ns: number): string {
  if (ns < 1e3) return `${Math.round(ns)} ns`;
  if (ns < 1e6) return `${digits(ns / 1e3)} µs`;
  if (ns < 1e9) return `${digits(ns / 1e6)} ms`;
  return `${digits(ns / 1e9)} s`;
}

/** A length of time in ms, as {@link formatNs}. */
export function formatMs(ms: number): string {
  return formatNs(ms * 1e6);
}

/** A point in time of the run, to the millisecond. */
export function formatInstant(ns: number): string {
  return `${(ns / 1e9).toFixed(3)} s`;
}

/** `value` with three significant digits; larger numbers are only rounded. */
function digits(value: number): string {
  if (value >= 100) return formatCount(value);
  return String(Number(value.toPrecision(3)));
}

/** At most `charsMax` characters; says so when it cuts. */
export function clip(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${text.slice(0, charsMax - 1)}…`;
}

/** JSON without its noise: `key=r1 value=17`; long lists by their length. */
export function formatValue(value: Json): string {
  if (typeof value === 'string') return value;
  if (value === null || typeof value !== 'object') return String(value);
  if (isList(value)) {
    const shown = value.slice(0, ITEMS_SHOWN_MAX).map(formatValue).join(' ');
    const more = value.length - ITEMS_SHOWN_MAX;
    return more > 0 ? `[${shown} and ${formatCount(more)} more]` : `[${shown}]`;
  }
  return Object.entries(value)
    .map(([name, field]) => `${name}=${formatValue(field)}`)
    .join(' ');
}

/** `Array.isArray` that narrows readonly arrays. */
function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}
