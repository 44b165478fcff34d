/** Sorts many keys at once, for a bulk load. */
import { BYTE_OR_END, type KeyId, type KeyTable } from './key-table.ts';

/** So few are sorted by comparing. */
const FEW_KEYS = 24;
/** More than so many are ordered by three bytes at once: what is looked at is far apart. */
const MANY_KEYS = 4096;
/** Half of the bits of a number made of three bytes. */
const HALF_BITS = 13;
const HALF_MASK = (1 << HALF_BITS) - 1;

/** Ascending by the bytes of the keys: a radix sort from the first byte that differs. */
export function sortKeys(keys: KeyTable, ids: Uint32Array): void {
  const spare = new Uint32Array(ids.length);
  const digits = new Uint16Array(ids.length);
  const waiting: Part[] = [{ from: 0, end: ids.length, byte: 0 }];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    if (part.end - part.from <= FEW_KEYS) insertionSort(keys, ids, part);
    else if (part.end - part.from <= MANY_KEYS) {
      waiting.push(...distribute(keys, ids, part, spare, digits));
    } else for (const smaller of distributeMany(keys, ids, part)) waiting.push(smaller);
  }
}

/** Keys `from` to before `end` agree in everything before `byte`. */
interface Part {
  readonly from: number;
  readonly end: number;
  readonly byte: number;
}

/** Orders the part by one byte; gives the parts that this leaves to be sorted. */
function distribute(
  keys: KeyTable,
  ids: Uint32Array,
  part: Part,
  spare: Uint32Array,
  digits: Uint16Array,
): Part[] {
  const { from, end, byte } = part;
  const ends = new Uint32Array(BYTE_OR_END);
  for (let at = from; at < end; at++) {
    const digit = keys.byteAt(ids[at]!, byte) + 1;
    digits[at] = digit;
    ends[digit]!++;
  }
  const only = digits[from]!;
  if (ends[only] === end - from) return [{ from, end, byte: firstDifference(keys, ids, part) }];
  let total = from;
  for (let digit = 0; digit < BYTE_OR_END; digit++) {
    total += ends[digit]!;
    ends[digit] = total;
  }
  spare.set(ids.subarray(from, end), from);
  for (let at = end - 1; at >= from; at--) ids[--ends[digits[at]!]!] = spare[at]!;
  // Each is now the start of its digit; keys that ended here are all the same, so there is one.
  const parts: Part[] = [];
  for (let digit = 1; digit < BYTE_OR_END; digit++) {
    const start = ends[digit]!;
    const next = digit + 1 < BYTE_OR_END ? ends[digit + 1]! : end;
    if (next - start > 1) parts.push({ from: start, end: next, byte: byte + 1 });
  }
  return parts;
}

/** As {@link distribute}, by three bytes. */
function distributeMany(keys: KeyTable, ids: Uint32Array, part: Part): Part[] {
  const { from, end, byte } = part;
  const numbers = new Uint32Array(end - from);
  let isSame = true;
  for (let at = 0; at < numbers.length; at++) {
    numbers[at] = keys.threeBytesAt(ids[from + at]!, byte);
    isSame &&= numbers[at] === numbers[0];
  }
  if (isSame) return [{ from, end, byte: firstDifference(keys, ids, part) }];
  const [otherIds, otherNumbers] = [new Uint32Array(end - from), new Uint32Array(end - from)];
  const here = { ids: ids.subarray(from, end), numbers };
  const there = { ids: otherIds, numbers: otherNumbers };
  orderBy(here, there, 0);
  orderBy(there, here, HALF_BITS);
  const parts: Part[] = [];
  for (let start = 0; start < numbers.length; ) {
    let next = start + 1;
    while (next < numbers.length && numbers[next] === numbers[start]) next++;
    if (next - start > 1) parts.push({ from: from + start, end: from + next, byte: byte + 3 });
    start = next;
  }
  return parts;
}

interface Numbered {
  readonly ids: Uint32Array;
  readonly numbers: Uint32Array;
}

/** Copies in the order of half of the numbers' bits; those that agree in it stay in order. */
function orderBy(source: Numbered, target: Numbered, shift: number): void {
  const ends = new Uint32Array(HALF_MASK + 2);
  for (const number of source.numbers) ends[((number >>> shift) & HALF_MASK) + 1]!++;
  for (let half = 1; half < ends.length; half++) ends[half]! += ends[half - 1]!;
  for (let from = 0; from < source.numbers.length; from++) {
    const number = source.numbers[from]!;
    const to = ends[(number >>> shift) & HALF_MASK]!++;
    target.ids[to] = source.ids[from]!;
    target.numbers[to] = number;
  }
}

/** Distinct keys: there is one. A prefix that all share is passed over once, not byte by byte. */
function firstDifference(keys: KeyTable, ids: Uint32Array, { from, end, byte }: Part): number {
  let shared = keys.sharedBytes(ids[from]!, ids[from + 1]!, byte);
  for (let at = from + 2; at < end && shared > 1; at++) {
    shared = Math.min(shared, keys.sharedBytes(ids[from]!, ids[at]!, byte));
  }
  return byte + shared;
}

function insertionSort(keys: KeyTable, ids: Uint32Array, { from, end, byte }: Part): void {
  for (let at = from + 1; at < end; at++) {
    const moved: KeyId = ids[at]!;
    let to = at;
    while (to > from && isBefore(keys, moved, ids[to - 1]!, byte)) {
      ids[to] = ids[to - 1]!;
      to--;
    }
    ids[to] = moved;
  }
}

function isBefore(keys: KeyTable, a: KeyId, b: KeyId, from: number): boolean {
  for (let at = from; ; at++) {
    const [left, right] = [keys.byteAt(a, at), keys.byteAt(b, at)];
    if (left !== right) return left < right;
    if (left < 0) return false;
  }
}
