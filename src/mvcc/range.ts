/** Range, as etcd evaluates it: scan, filter, sort, cut, in this order. */
import { assertNever } from '../lib/assert.ts';
import { compareBytes, EMPTY_BYTES } from '../lib/bytes.ts';
import type { KeyIndex, VisitRow } from './key-index.ts';
import type { KeyValue, RangeRequest, RangeResult, SortTarget } from './request.ts';
import { NEWEST } from './revision-record.ts';

/**
 * Answers a request whose revision was found to be readable. Only what may be part of the
 * answer is collected; counting the rest of the interval builds nothing.
 */
export function evaluateRange(index: KeyIndex, request: RangeRequest): RangeResult {
  const collectMax = request.countOnly ? 0 : scanLimit(request);
  const found: KeyValue[] = [];
  const revision = request.revision > 0 ? request.revision : NEWEST;
  const collect: VisitRow = (chunk, at) => found.push(index.keyValue(chunk, at));
  const count = index.scan(request.key, request.rangeEnd, revision, collect, collectMax);
  const passed = hasFilter(request) ? found.filter(filterOf(request)) : found;
  const ordered = sorted(passed, request);
  const more = request.limit > 0 && ordered.length > request.limit;
  const cut = more ? ordered.slice(0, request.limit) : ordered;
  return { kvs: request.keysOnly ? cut.map(withoutValue) : cut, more, count };
}

/**
 * How many keys the scan must deliver. One beyond the limit tells `more`. With a filter or an
 * explicit order everything is needed; with a sort target but no order etcd still stops early
 * and sorts what it has, and so do we.
 */
export function scanLimit(request: RangeRequest): number {
  const inKeyOrder =
    request.sortOrder === 'none' ||
    (request.sortTarget === 'key' && request.sortOrder === 'ascend');
  if (request.limit <= 0 || !inKeyOrder || hasFilter(request)) return Number.POSITIVE_INFINITY;
  return request.limit + 1;
}

export function hasFilter(request: RangeRequest): boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return [minModRevision, maxModRevision, minCreateRevision, maxCreateRevision].some(
    (bound) => bound !== 0,
  );
}

export function filterOf(request: RangeRequest): (kv: KeyValue) => boolean {
  const { minModRevision, maxModRevision, minCreateRevision, maxCreateRevision } = request;
  return (kv) =>
    (minModRevision === 0 || kv.modRevision >= minModRevision) &&
    (maxModRevision === 0 || kv.modRevision <= maxModRevision) &&
    (minCreateRevision === 0 || kv.createRevision >= minCreateRevision) &&
    (maxCreateRevision === 0 || kv.createRevision <= maxCreateRevision);
}

/** `none` means ascending, and by key that is the order of the scan. Ties stay in key order. */
function sorted(kvs: KeyValue[], { sortOrder, sortTarget }: RangeRequest): KeyValue[] {
  if (sortTarget === 'key') return sortOrder === 'descend' ? kvs.reverse() : kvs;
  const direction = sortOrder === 'descend' ? -1 : 1;
  return kvs.sort((a, b) => direction * compareBy(sortTarget, a, b));
}

export function compareBy(target: Exclude<SortTarget, 'key'>, a: KeyValue, b: KeyValue): number {
  switch (target) {
    case 'version':
      return a.version - b.version;
    case 'create':
      return a.createRevision - b.createRevision;
    case 'mod':
      return a.modRevision - b.modRevision;
    case 'value':
      return compareBytes(a.value, b.value);
    default:
      return assertNever(target);
  }
}

export function withoutValue(kv: KeyValue): KeyValue {
  return { ...kv, value: EMPTY_BYTES };
}
