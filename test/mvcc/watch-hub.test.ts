import { beforeEach, describe, expect, test } from 'vitest';
import { DEFAULT_WATCH_LIMITS, WatchHub, type WatchLimits } from '../../src/mvcc/watch-hub.ts';
import type { WatchCreateRequest } from '../../src/mvcc/watch-request.ts';
import type { WatchStream } from '../../src/mvcc/watch-stream.ts';
import { expectOk } from '../client/expect-result.ts';
import { RecordingOutlet, WatchHistory, type Writes, watchRequest } from './watch-history.ts';

let history: WatchHistory;
let hub: WatchHub;
let outlet: RecordingOutlet;
let stream: WatchStream;

function setUp(limits: Partial<WatchLimits> = {}): void {
  history = new WatchHistory();
  hub = new WatchHub(history, { ...DEFAULT_WATCH_LIMITS, ...limits });
  outlet = new RecordingOutlet();
  stream = hub.open(outlet, 100);
}

beforeEach(() => setUp());

function write(writes: Writes): void {
  const changes = history.write(writes);
  if (changes.length > 0) hub.notify(history.revision, changes);
}

function watch(...args: Parameters<typeof watchRequest>): number {
  return expectOk(stream.watch(watchRequest(...args)));
}

function refusal(request: WatchCreateRequest): string | undefined {
  const watched = stream.watch(request);
  return watched.ok ? undefined : watched.error;
}

describe('what a watcher is told', () => {
  test('from now on: the changes of its key, as they are applied', () => {
    write({ a: '1' });
    watch('a');
    write({ a: '2', b: '2' });
    write({ b: '3' });
    write({ a: undefined });
    expect(outlet.log).toEqual(['0 @3: 3 a put 2', '0 @5: 5 a delete']);
  });

  test('of a range, to its end and not further', () => {
    watch('b', 'd');
    watch('b', '\0');
    watch('\0', '\0');
    write({ a: '1', b: '1', c: '1', d: '1' });
    const [all, fromB, toD] = ['2 a put 1', '2 b put 1, 2 c put 1', ', 2 d put 1'];
    expect([...outlet.log].sort()).toEqual([
      `0 @2: ${fromB}`,
      `1 @2: ${fromB}${toD}`,
      `2 @2: ${all}, ${fromB}${toD}`,
    ]);
  });

  test('from the past: with the next tick, from the store', () => {
    for (const value of ['1', '2', '3']) write({ a: value });
    watch('a', '', { startRevision: 3 });
    expect(outlet.log).toEqual([]);
    hub.tick(1);
    write({ a: '4' });
    expect(outlet.log).toEqual(['0 @4: 3 a put 2, 4 a put 3', '0 @5: 5 a put 4']);
  });

  test('from the future: nothing until then', () => {
    watch('a', '', { startRevision: 4 });
    for (const value of ['1', '2', '3', '4']) write({ a: value });
    hub.tick(1);
    expect(outlet.log).toEqual(['0 @4: 4 a put 3', '0 @5: 5 a put 4']);
  });

  test('an empty store has nothing to catch up with, whatever the start', () => {
    watch('a', '', { startRevision: 1 });
    hub.tick(1);
    expect(hub.stats().slowWatchers).toBe(0);
  });

  test('filters leave out kinds of events, and responses with nothing left', () => {
    watch('a', '', { filters: ['noPut'] });
    watch('a', '', { filters: ['noDelete'] });
    watch('a', '', { filters: ['noPut', 'noDelete'] });
    write({ a: '1' });
    write({ a: undefined });
    expect(outlet.log).toEqual(['1 @2: 2 a put 1', '0 @3: 3 a delete']);
  });

  test('the value before, of changes and deletes, now and from the past', () => {
    watch('a', '', { prevKv: true });
    write({ a: '1' });
    write({ a: '2' });
    write({ a: undefined });
    const told = ['2 a put 1', '3 a put 2 was 2 1', '4 a delete was 3 2'];
    expect(outlet.log).toEqual(told.map((text, at) => `0 @${at + 2}: ${text}`));
    watch('a', '', { prevKv: true, startRevision: 2 });
    hub.tick(1);
    expect(outlet.log.at(-1)).toBe(`1 @4: ${told.join(', ')}`);
  });

  test('no value before what was compacted', () => {
    for (const value of ['1', '2', '3']) write({ a: value });
    history.compact(3);
    watch('a', '', { prevKv: true, startRevision: 3 });
    hub.tick(1);
    expect(outlet.log).toEqual(['0 @4: 3 a put 2, 4 a put 3 was 3 2']);
  });
});

describe('compaction', () => {
  beforeEach(() => {
    write({ a: '1' });
    write({ a: '2' });
    write({ a: undefined });
    write({ b: '1' });
    history.compact(4);
  });

  test('who starts before it is told so, and is gone', () => {
    watch('a', '', { startRevision: 3 });
    hub.tick(1);
    expect(outlet.log).toEqual(['0 compacted 4']);
    expect(stream.cancel(0)).toBe(false);
    expect(hub.stats().watchers).toBe(0);
  });

  test('who starts exactly there gets its delete', () => {
    watch('a', '', { startRevision: 4 });
    hub.tick(1);
    expect(outlet.log).toEqual(['0 @5: 4 a delete']);
  });

  test('does not concern who has seen everything', () => {
    watch('a');
    history.compact(5);
    write({ a: '9' });
    expect(outlet.log).toEqual(['0 @6: 6 a put 9']);
  });
});

describe('ids', () => {
  test('count from 0, around those that clients chose', () => {
    expect(watch('a', '', { watchId: 1 })).toBe(1);
    expect([watch('a'), watch('a'), watch('a')]).toEqual([0, 2, 3]);
    expect(stream.cancel(0)).toBe(true);
    expect(watch('a')).toBe(4);
  });

  test('may not be used twice, but again', () => {
    watch('a', '', { watchId: 7 });
    expect(refusal(watchRequest('b', '', { watchId: 7 }))).toBe('duplicateId');
    stream.cancel(7);
    expect(refusal(watchRequest('b', '', { watchId: 7 }))).toBeUndefined();
  });

  test('a range must not be empty', () => {
    expect(refusal(watchRequest('b', 'b'))).toBe('emptyRange');
    expect(refusal(watchRequest('b', 'a'))).toBe('emptyRange');
    expect(refusal(watchRequest('b', '\0'))).toBeUndefined();
  });

  test('watchers are limited, on a stream and in all', () => {
    setUp({ watchersMax: 3, watchersPerStreamMax: 2 });
    watch('a');
    watch('a');
    expect(refusal(watchRequest('a'))).toBe('tooManyWatchers');
    const other = hub.open(new RecordingOutlet(), 100);
    expect(other.watch(watchRequest('a')).ok).toBe(true);
    expect(other.watch(watchRequest('a'))).toMatchObject({ error: 'tooManyWatchers' });
    stream.close();
    expect(other.watch(watchRequest('a')).ok).toBe(true);
  });
});

describe('slow streams', () => {
  test('get nothing while they are full, and miss nothing', () => {
    outlet.capacity = 1;
    watch('a');
    for (const value of ['1', '2', '3']) write({ a: value });
    hub.tick(1);
    expect(outlet.log).toEqual(['0 @2: 2 a put 1']);
    expect(hub.stats()).toMatchObject({ watchers: 1, slowWatchers: 1 });
    outlet.drain(stream);
    hub.tick(2);
    expect(outlet.log.slice(1)).toEqual(['0 @4: 3 a put 2, 4 a put 3']);
    outlet.drain(stream);
    write({ a: '4' });
    expect(outlet.log.slice(2)).toEqual(['0 @5: 5 a put 4']);
    expect(hub.stats().slowWatchers).toBe(0);
  });

  test('do not keep others waiting', () => {
    const stuck = new RecordingOutlet(0);
    const stuckStream = hub.open(stuck, 100);
    for (let i = 0; i < 2000; i++) expectOk(stuckStream.watch(watchRequest('a')));
    write({ a: '1' });
    watch('a', '', { startRevision: 2 });
    hub.tick(1);
    write({ a: '2' });
    expect(outlet.log).toEqual(['0 @2: 2 a put 1', '0 @3: 3 a put 2']);
    expect(stuck.log).toEqual([]);
  });

  test('whose history was compacted meanwhile are told so', () => {
    outlet.capacity = 1;
    watch('a');
    for (const value of ['1', '2', '3']) write({ a: value });
    history.compact(4);
    outlet.drain(stream);
    hub.tick(1);
    expect(outlet.log.slice(1)).toEqual(['0 compacted 4']);
  });

  test('catch up in bounded responses that never split a revision', () => {
    setUp({ catchUpRowsMax: 4, responseBytesMax: 1000 });
    for (const value of ['1', '2', '3']) write({ a: value, b: value, c: value });
    watch('a', 'd', { startRevision: 2 });
    hub.tick(1);
    expect(outlet.log).toEqual([
      '0 @3: 2 a put 1, 2 b put 1, 2 c put 1, 3 a put 2, 3 b put 2, 3 c put 2',
    ]);
    hub.tick(2);
    expect(outlet.log.slice(1)).toEqual(['0 @4: 4 a put 3, 4 b put 3, 4 c put 3']);
    expect(hub.stats().slowWatchers).toBe(0);
  });

  test('catch up by bytes of what they watch', () => {
    setUp({ responseBytesMax: 100 });
    for (let i = 0; i < 3; i++) write({ a: 'x'.repeat(120), b: 'y' });
    watch('a', '', { startRevision: 1 });
    watch('b', '', { startRevision: 1 });
    for (let tick = 1; tick <= 3; tick++) hub.tick(tick);
    const responses = (id: number): number =>
      outlet.log.filter((line) => line.startsWith(`${id} `)).length;
    expect(responses(0)).toBe(3);
    expect(outlet.log).toHaveLength(6);
  });

  test('a crowd is told of a revision over several ticks', () => {
    setUp({ notifiedMax: 10, catchUpWatchersMax: 7 });
    for (let i = 0; i < 30; i++) watch('a', 'b');
    write({ a: '1' });
    expect(outlet.log).toHaveLength(10);
    write({ a: '2' });
    for (let tick = 1; tick <= 6; tick++) hub.tick(tick);
    expect(hub.stats().slowWatchers).toBe(0);
    const told = outlet.log.join(', ');
    expect(told.match(/2 a put 1/g)).toHaveLength(30);
    expect(told.match(/3 a put 2/g)).toHaveLength(30);
  });
});

describe('progress', () => {
  test('on request, of the whole stream, if everybody has seen everything', () => {
    stream.requestProgress();
    expect(outlet.log).toEqual([]);
    write({ a: '1' });
    watch('a');
    stream.requestProgress();
    expect(outlet.log).toEqual(['-1 progress 2']);
    watch('a', '', { startRevision: 1 });
    stream.requestProgress();
    hub.tick(1);
    stream.requestProgress();
    expect(outlet.log.slice(1)).toEqual(['1 @2: 2 a put 1', '-1 progress 2']);
  });

  test('not before the revision that a watcher waits for', () => {
    watch('a', '', { startRevision: 3 });
    write({ b: '1' });
    stream.requestProgress();
    expect(outlet.log).toEqual([]);
    write({ b: '2' });
    stream.requestProgress();
    expect(outlet.log).toEqual(['-1 progress 3']);
  });

  test('now and then to who asked for it, skipped once after events', () => {
    watch('a', '', { progressNotify: true });
    watch('b');
    hub.tick(99);
    expect(outlet.log).toEqual([]);
    hub.tick(100);
    expect(outlet.log).toEqual(['0 progress 1']);
    write({ a: '1' });
    hub.tick(200);
    expect(outlet.log).toEqual(['0 progress 1', '0 @2: 2 a put 1']);
    hub.tick(300);
    expect(outlet.log.at(-1)).toBe('0 progress 2');
  });

  test('not while the stream is full', () => {
    outlet.capacity = 0;
    watch('a', '', { progressNotify: true });
    hub.tick(100);
    write({ a: '1' });
    hub.tick(200);
    stream.requestProgress();
    expect(outlet.log).toEqual([]);
  });
});

describe('a store that is replaced', () => {
  test('watchers go on where they were', () => {
    watch('a');
    watch('a', '', { startRevision: 5 });
    write({ a: '1' });
    const other = history.copy();
    for (const value of ['2', '3', '4']) other.write({ a: value });
    hub.replaced(other);
    hub.tick(1);
    const changes = other.write({ a: '5' });
    hub.notify(other.revision, changes);
    expect(outlet.log).toEqual([
      '0 @2: 2 a put 1',
      '0 @5: 3 a put 2, 4 a put 3, 5 a put 4',
      '1 @5: 5 a put 4',
      '0 @6: 6 a put 5',
      '1 @6: 6 a put 5',
    ]);
  });

  test('or are told that what they are owed is gone', () => {
    watch('a');
    const other = history.copy();
    for (const value of ['2', '3', '4']) other.write({ a: value });
    other.compact(3);
    hub.replaced(other);
    hub.tick(1);
    expect(outlet.log).toEqual(['0 compacted 3']);
  });
});

describe('the end', () => {
  test('a cancelled watcher and a closed stream are told nothing more', () => {
    watch('a');
    watch('a');
    watch('a', '', { startRevision: 1, progressNotify: true });
    stream.cancel(0);
    write({ a: '1' });
    stream.close();
    write({ a: '2' });
    hub.tick(1000);
    expect(outlet.log).toEqual(['1 @2: 2 a put 1']);
    expect(hub.stats()).toMatchObject({ streams: 0, watchers: 0, slowWatchers: 0 });
  });

  test('a stream may be closed by what it is told', () => {
    outlet.onEvents = () => stream.close();
    for (let i = 0; i < 3; i++) watch('a');
    write({ a: '1' });
    expect(outlet.log).toHaveLength(1);
    expect(hub.stats()).toMatchObject({ streams: 0, watchers: 0 });
  });
});
