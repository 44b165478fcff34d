/** The kv workload's keys, and the spans of them that its operations are about. */
import { prefixEnd } from '../../src/client/requests.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawWeighted } from '../generator/draw.ts';

const PREFIX = 'kv/';
const GROUPS = ['a', 'b', 'c'];

/** In etcd's convention; `rangeEnd` '' is the single key. */
export interface Span {
  readonly key: string;
  readonly rangeEnd: string;
}

/** What is to be done with a span; each use has its shapes. */
export type SpanUse = keyof typeof SHAPES;

/** Shares of: a key, an interval between two, a group's prefix, the prefix of all. */
const SHAPES = { key: [1, 0, 0, 0], written: [70, 15, 12, 3], read: [35, 25, 25, 15] } as const;

/** All ASCII, so texts sort as the bytes do. */
export function drawSpan(keys: number, random: Random, use: SpanUse): Span {
  const shape = drawWeighted(random, SHAPES[use]);
  const key = keyNumber(random.below(keys));
  if (shape === 0) return { key, rangeEnd: '' };
  if (shape === 1) {
    const other = keyNumber(random.below(keys));
    // The wrong way round now and then: an interval of nothing.
    const isForward = key < other || random.below(10) === 0;
    return isForward ? { key, rangeEnd: other } : { key: other, rangeEnd: `${key}\0` };
  }
  return prefixSpan(shape === 2 ? key.slice(0, PREFIX.length + 2) : PREFIX);
}

/** As an operation holds it: without what has its default. */
export function fieldsOfSpan({ key, rangeEnd }: Span): { readonly [field: string]: string } {
  return rangeEnd === '' ? { key } : { key, rangeEnd };
}

/** Whether the span covers the key. Not for spans without an upper end. */
export function isWithin(key: string, { key: from, rangeEnd }: Span): boolean {
  return rangeEnd === '' ? key === from : key >= from && key < rangeEnd;
}

function keyNumber(number: number): string {
  const group = GROUPS[number % GROUPS.length];
  return `${PREFIX}${group}/${Math.floor(number / GROUPS.length)}`;
}

function prefixSpan(prefix: string): Span {
  return { key: prefix, rangeEnd: utf8Decode(prefixEnd(prefix)) };
}
