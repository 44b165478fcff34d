import { beforeEach, describe, expect, test } from 'vitest';
import type { RangeCursor } from '../../src/mvcc/range-cursor.ts';
import type { KeyValue, RangeRequest } from '../../src/mvcc/request.ts';
import { serviceError } from '../../src/service/errors.ts';
import { gathered, type LargeRange, LargeRanges } from '../../src/service/large-ranges.ts';
import { deleteRequest, OPEN_END, putRequest, rangeRequest } from '../mvcc/requests.ts';
import { FakeNode } from './fake-node.ts';

const ALL = rangeRequest('\0', OPEN_END);
const KEYS = 300;

let node: FakeNode;

beforeEach(() => {
  node = new FakeNode();
  for (let n = 0; n < KEYS; n++) {
    node.store.put(putRequest(`k${(n * 7) % KEYS}`, 'v'.repeat(1 + (n % 90))));
  }
});

interface Options {
  readonly pause?: () => Promise<void>;
  readonly bytesMax?: number;
  readonly keysPerTurnMax?: number;
}

function rangesOf({ pause = async () => undefined, bytesMax = 1e9, ...options }: Options = {}) {
  return new LargeRanges(node, { pause, bytesMax, keysPerTurnMax: 10, ...options });
}

async function openLarge(ranges: LargeRanges, request: RangeRequest): Promise<LargeRange> {
  const opened = await ranges.range(request);
  if (!opened.ok || !('parts' in opened.value)) throw new Error('not large');
  return opened.value;
}

describe('a large range', () => {
  test.each<[string, RangeRequest]>([
    ['everything', ALL],
    ['some', rangeRequest('k1', 'k2')],
    ['with a limit', rangeRequest('\0', OPEN_END, { limit: 57 })],
    ['with a small limit', rangeRequest('\0', OPEN_END, { limit: 3 })],
    ['backwards', rangeRequest('\0', OPEN_END, { sortOrder: 'descend' })],
    ['by value', rangeRequest('\0', OPEN_END, { sortTarget: 'value', sortOrder: 'ascend' })],
    ['filtered', rangeRequest('\0', OPEN_END, { minModRevision: 40, limit: 100 })],
    ['keys only', rangeRequest('\0', OPEN_END, { keysOnly: true })],
    ['the count', rangeRequest('\0', OPEN_END, { countOnly: true })],
    ['of the past', rangeRequest('\0', OPEN_END, { revision: 150 })],
    ['nothing', rangeRequest('x', 'y')],
  ])('is what a small one is, whatever happens meanwhile: %s', async (_, request) => {
    const expected = node.range(request);
    const { revision } = node.store;
    let turns = 0;
    const pause = async (): Promise<void> => {
      turns += 1;
      node.store.deleteRange(deleteRequest(`k${turns}`));
      node.store.put(putRequest(`k1${turns}`, `later ${turns}`));
      node.store.compact(node.store.revision);
      while (node.store.compactStep(1_000));
    };
    const opened = await rangesOf({ pause }).range(request);
    if (!opened.ok || !expected.ok) throw new Error('refused');
    const { header, result } = await gathered(opened.value);
    expect(result).toEqual(expected.value);
    expect(header.revision).toBe(revision);
    while (node.store.compactStep(1_000));
    expect(node.store.isCompacting).toBe(false);
  });

  test('is refused where the sizes of all that are open are too much together', async () => {
    const { sizeBytes } = (await openLarge(rangesOf(), ALL)).parts;
    const ranges = rangesOf({ bytesMax: 2 * sizeBytes });
    const first = await openLarge(ranges, ALL);
    const second = await openLarge(ranges, ALL);
    const one = rangeRequest('k1', 'k10');
    const refused = { ok: false, error: serviceError('rangesTooLarge') };
    expect(await ranges.range(one)).toEqual(refused);
    first.parts.release();
    first.parts.release();
    expect((await ranges.range(one)).ok).toBe(true);
    const third = await openLarge(ranges, ALL);
    expect(await ranges.range(one)).toEqual(refused);
    for (const { parts } of [second, third]) parts.release();
    for (let n = 0; n < 3; n++) expect((await ranges.range(ALL)).ok).toBe(n < 2);
  });

  test('gives nothing after its release, and holds nothing', async () => {
    const { parts } = await openLarge(rangesOf(), ALL);
    expect((await parts.next(4, 1e9)).length).toBe(4);
    const waiting = parts.next(4, 1e9);
    parts.release();
    expect(await waiting).toEqual([]);
    node.store.deleteRange(deleteRequest('\0', OPEN_END));
    node.store.compact(node.store.revision);
    while (node.store.compactStep(1_000));
    expect(node.store.isCompacting).toBe(false);
  });

  test('keeps its parts within bounds', async () => {
    const { parts } = await openLarge(rangesOf({ keysPerTurnMax: 20 }), ALL);
    expect((await parts.next(1_000, 1e9)).length).toBe(20);
    expect((await parts.next(5, 1e9)).length).toBe(5);
    expect((await parts.next(5, 1)).length).toBe(1);
    parts.release();
  });

  test('however many there are, one part of one of them is read in a turn', async () => {
    let reads = 0;
    const readsOfTurns: number[] = [];
    node.openRange = (request) => {
      const opened = node.store.openRange(request);
      if (opened.ok) countReads(opened.value, () => reads++);
      return opened;
    };
    const pause = async (): Promise<void> => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      readsOfTurns.push(reads);
      reads = 0;
    };
    const ranges = rangesOf({ pause });
    const read = async (): Promise<readonly KeyValue[]> => {
      const opened = await ranges.range(ALL);
      if (!opened.ok) throw new Error('refused');
      return (await gathered(opened.value)).result.kvs;
    };
    const all = await Promise.all([read(), read(), read()]);
    expect(all.map((kvs) => kvs.length)).toEqual([KEYS, KEYS, KEYS]);
    // The first part of each is read where it was asked for.
    const [first, ...others] = readsOfTurns;
    expect(first).toBe(3);
    expect(new Set(others)).toEqual(new Set([1]));
    expect(others.length).toBeGreaterThan((3 * 2 * KEYS) / 10 - 6);
  });
});

function countReads(cursor: RangeCursor, onRead: () => void): void {
  const next = cursor.next.bind(cursor);
  cursor.next = (keysMax, bytesMax) => {
    onRead();
    return next(keysMax, bytesMax);
  };
}
