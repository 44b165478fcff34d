/** What ranges and guards mean once it is known which keys they are about. */
import { assertNever } from '../../../src/lib/assert.ts';
import { compareBytes, EMPTY_BYTES, equalBytes } from '../../../src/lib/bytes.ts';
import type {
  Compare,
  KeyValue,
  RangeRequest,
  RangeResult,
  SortTarget,
} from '../../../src/mvcc/request.ts';

/** `all`: the keys of the range that exist, in key order. */
export function answerRange(all: readonly KeyValue[], request: RangeRequest): RangeResult {
  if (request.countOnly) return { kvs: [], more: false, count: all.length };
  const { limit } = request;
  let kvs = all.filter((kv) => passesFilters(kv, request));
  // etcd cuts before it sorts when a target is named without an order.
  if (limit > 0 && request.sortOrder === 'none' && !hasFilter(request)) {
    kvs = kvs.slice(0, limit + 1);
  }
  const direction = request.sortOrder === 'descend' ? -1 : 1;
  kvs.sort((a, b) => direction * order(request.sortTarget, a, b));
  const more = limit > 0 && kvs.length > limit;
  if (more) kvs = kvs.slice(0, limit);
  if (request.keysOnly) kvs = kvs.map((kv) => ({ ...kv, value: EMPTY_BYTES }));
  return { kvs, more, count: all.length };
}

/** `kvs`: the keys of the guard's range that exist. All must satisfy it; none count as zeros. */
export function holds(compare: Compare, kvs: readonly KeyValue[]): boolean {
  if (kvs.length > 0) return kvs.every((kv) => satisfies(compare, kv));
  // An empty value and no value look alike, so etcd says no.
  if (compare.target === 'value') return false;
  const zeros = { createRevision: 0, modRevision: 0, version: 0, lease: 0n };
  return satisfies(compare, { ...zeros, key: EMPTY_BYTES, value: EMPTY_BYTES });
}

/** Whether a range, in etcd's convention for range ends, covers `key`. */
export function isWithin(
  key: Uint8Array,
  range: { readonly key: Uint8Array; readonly rangeEnd: Uint8Array },
): boolean {
  if (range.rangeEnd.length === 0) return equalBytes(key, range.key);
  const isOpen = range.rangeEnd.length === 1 && range.rangeEnd[0] === 0;
  return compareBytes(key, range.key) >= 0 && (isOpen || compareBytes(key, range.rangeEnd) < 0);
}

function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(Boolean);
}

function passesFilters(kv: KeyValue, request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  if (minModRevision !== 0 && kv.modRevision < minModRevision) return false;
  if (maxModRevision !== 0 && kv.modRevision > maxModRevision) return false;
  if (minCreateRevision !== 0 && kv.createRevision < minCreateRevision) return false;
  return maxCreateRevision === 0 || kv.createRevision <= maxCreateRevision;
}

function order(target: SortTarget, a: KeyValue, b: KeyValue): number {
  switch (target) {
    case 'key':
      return compareBytes(a.key, b.key);
    case 'value':
      return compareBytes(a.value, b.value);
    case 'version':
      return a.version - b.version;
    case 'create':
      return a.createRevision - b.createRevision;
    case 'mod':
      return a.modRevision - b.modRevision;
    default:
      return assertNever(target);
  }
}

function satisfies(compare: Compare, kv: KeyValue): boolean {
  const sign = signOf(compare, kv);
  switch (compare.result) {
    case 'equal':
      return sign === 0;
    case 'notEqual':
      return sign !== 0;
    case 'greater':
      return sign > 0;
    case 'less':
      return sign < 0;
    default:
      return assertNever(compare.result);
  }
}

/** Of the key's field minus the operand. */
function signOf(compare: Compare, kv: KeyValue): number {
  switch (compare.target) {
    case 'version':
      return kv.version - compare.operand;
    case 'create':
      return kv.createRevision - compare.operand;
    case 'mod':
      return kv.modRevision - compare.operand;
    case 'value':
      return compareBytes(kv.value, compare.operand);
    case 'lease':
      return kv.lease === compare.operand ? 0 : kv.lease > compare.operand ? 1 : -1;
    default:
      return assertNever(compare);
  }
}
