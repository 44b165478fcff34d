/** What a field of a matrix file may hold: one value or a list, with ranges of numbers. */
import { StormError } from '../exit-code.ts';

/** Values of one field at most, ranges spelled out. */
const VALUES_MAX = 100_000;

/** Where a value stands, for messages: `night.yaml: members`. */
export type Place = string;

/** Numbers as texts: `3`, `1..20`, or a list of such. Throws {@link StormError}. */
export function readNumbers(place: Place, value: unknown): string[] {
  const numbers: string[] = [];
  for (const each of listOf(place, value)) {
    const [, first, last] = /^(\d{1,10})\.\.(\d{1,10})$/.exec(String(each)) ?? [];
    if (first === undefined || last === undefined) {
      numbers.push(readNumber(place, each));
      continue;
    }
    const count = Number(last) - Number(first) + 1;
    if (count < 1) throw new StormError(`${place}: ${each}: give the smaller number first`);
    if (count > VALUES_MAX) throw tooMany(place);
    for (let at = 0; at < count; at++) numbers.push(String(Number(first) + at));
  }
  return distinct(place, numbers);
}

/** Texts; one alone is a list of one. Throws {@link StormError}. */
export function readTexts(place: Place, value: unknown): string[] {
  return distinct(
    place,
    listOf(place, value).map((each) => readText(place, each)),
  );
}

/** Lists of kinds, each as on the command line; an entry may be one kind. */
export function readKindLists(place: Place, value: unknown): string[] {
  const entries = listOf(place, value).map((entry) =>
    Array.isArray(entry)
      ? listOf(place, entry)
          .map((kind) => readText(place, kind))
          .join(',')
      : readText(place, entry),
  );
  return distinct(place, entries);
}

export function readText(place: Place, value: unknown): string {
  if (typeof value === 'string' && value.trim() !== '') return value.trim();
  throw new StormError(`${place}: ${inWords(value)}: give a text`);
}

function readNumber(place: Place, value: unknown): string {
  const isNumber = typeof value === 'number' || typeof value === 'string';
  if (isNumber && /^\d{1,15}$/.test(String(value))) return String(Number(value));
  throw new StormError(`${place}: ${inWords(value)}: give whole numbers, or ranges as 1..20`);
}

function listOf(place: Place, value: unknown): readonly unknown[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (list.length === 0) throw new StormError(`${place}: an empty list; give at least one value`);
  if (list.length > VALUES_MAX) throw tooMany(place);
  return list;
}

/** A value twice is the same cell twice. */
function distinct(place: Place, values: string[]): string[] {
  if (values.length > VALUES_MAX) throw tooMany(place);
  const seen = new Set<string>();
  for (const value of values) {
    if (seen.has(value)) throw new StormError(`${place}: ${value}: given twice; leave one out`);
    seen.add(value);
  }
  return values;
}

function tooMany(place: Place): StormError {
  return new StormError(`${place}: too many values; give at most ${VALUES_MAX}`);
}

/** Short, and on one line. */
function inWords(value: unknown): string {
  return (JSON.stringify(value) ?? String(value)).slice(0, 60);
}
