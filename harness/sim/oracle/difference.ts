/** Where two values differ, in words. */
import { equalBytes } from '../../../src/lib/bytes.ts';
import { utf8Decode } from '../../../src/lib/utf8.ts';

/** Longest value shown, in characters. */
const SHOWN_MAX = 200;

/**
 * undefined: they are equal, bytes by content, absent fields as undefined ones. Otherwise the
 * first difference: `kvs.0.version is 3, the model says 4`.
 */
export function difference(actual: unknown, expected: unknown, path = ''): string | undefined {
  if (Object.is(actual, expected)) return undefined;
  const isBytes = actual instanceof Uint8Array || expected instanceof Uint8Array;
  if (!isBytes && isObject(actual) && isObject(expected)) {
    for (const field of new Set([...Object.keys(expected), ...Object.keys(actual)])) {
      const found = difference(actual[field], expected[field], path ? `${path}.${field}` : field);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const isEqual =
    actual instanceof Uint8Array && expected instanceof Uint8Array && equalBytes(actual, expected);
  if (isEqual) return undefined;
  const place = path === '' ? '' : `${path} is `;
  return `${place}${inWords(actual)}, the model says ${inWords(expected)}`;
}

/** Like JSON; bytes as text, fields at rest (0, false, empty) left out, cut where it gets long. */
export function inWords(value: unknown): string {
  const words = wholeWords(value);
  return words.length <= SHOWN_MAX ? words : `${words.slice(0, SHOWN_MAX)}…`;
}

function wholeWords(value: unknown): string {
  if (value instanceof Uint8Array) return JSON.stringify(utf8Decode(value));
  if (Array.isArray(value)) return `[${value.map(wholeWords).join(', ')}]`;
  if (!isObject(value)) return typeof value === 'string' ? JSON.stringify(value) : String(value);
  const fields = Object.entries(value).filter(([, field]) => !isAtRest(field));
  return `{${fields.map(([name, field]) => `${name}: ${wholeWords(field)}`).join(', ')}}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isAtRest(field: unknown): boolean {
  return !field || (field instanceof Uint8Array && field.length === 0);
}
