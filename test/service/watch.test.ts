import { beforeEach, describe, expect, test } from 'vitest';
import type { AuthFailure } from '../../src/auth/request.ts';
import type { WatchRequest } from '../../src/mvcc/watch-request.ts';
import type { StreamSource } from '../../src/service/stream.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import { writeWatchResponse } from '../../src/wire/watch-messages.ts';
import { textOf } from '../mvcc/watch-history.ts';
import { createRequest, type RecordingSink, WatchLab } from './watch-lab.ts';

let lab: WatchLab;
let sink: RecordingSink;
let source: StreamSource<WatchRequest>;

function setUp(...args: ConstructorParameters<typeof WatchLab>): void {
  lab = new WatchLab(...args);
  ({ sink, source } = lab.open());
}

beforeEach(() => setUp());

const refusedFor = (cancelReason: string, revision = 1) => ({
  revision,
  watchId: -1,
  created: true,
  canceled: true,
  cancelReason,
});

describe('create', () => {
  test('is answered before events are', () => {
    lab.write({ a: '1' });
    source.receive(createRequest('a', '', { startRevision: 2 }));
    expect(sink.take()).toEqual([{ revision: 2, watchId: 0, created: true }]);
    lab.tick();
    const [response] = sink.take();
    expect(response).toMatchObject({ revision: 2, watchId: 0 });
    expect(response!.events!.map(textOf)).toEqual(['2 a put 1']);
  });

  test('an empty key stands for the smallest', () => {
    source.receive(createRequest('', '\0'));
    source.receive(createRequest(''));
    lab.write({ a: '1' });
    expect(sink.take()).toMatchObject([{ watchId: 0 }, { watchId: 1 }, { watchId: 0 }]);
  });

  test('has a header', () => {
    source.receive(createRequest('a'));
    expect(sink.sent[0]!.header).toEqual({
      clusterId: 0xc1n,
      memberId: 0xabcn,
      revision: 1,
      raftTerm: 3,
    });
  });

  test('a delete event has key and revision only', () => {
    lab.write({ a: '1' });
    source.receive(createRequest('a'));
    lab.write({ a: undefined });
    const { events } = sink.take()[1]!;
    expect(events).toMatchObject([
      { type: 'delete', kv: { createRevision: 0, modRevision: 3, version: 0, lease: 0n } },
    ]);
  });

  test('refused for its range, its id, or its revision', () => {
    source.receive(createRequest('b', 'a'));
    source.receive(createRequest('a', '', { watchId: 5 }));
    source.receive(createRequest('a', '', { watchId: 5 }));
    source.receive(createRequest('a', '', { startRevision: -1 }));
    expect(sink.take()).toEqual([
      refusedFor('mvcc: watcher range is empty'),
      { revision: 1, watchId: 5, created: true },
      refusedFor('mvcc: duplicate watch ID provided on the WatchStream'),
      refusedFor('etcdserver: mvcc: required revision has been compacted'),
    ]);
  });

  test('too many on a stream', () => {
    setUp({}, 1);
    source.receive(createRequest('a'));
    source.receive(createRequest('a'));
    const reason = 'rpc error: code = Unknown desc = etcdserver: too many requests';
    expect(sink.take()[1]).toEqual(refusedFor(reason));
  });

  test('of a compacted revision: created, then cancelled without reason or revision', () => {
    for (const value of ['1', '2', '3']) lab.write({ a: value });
    lab.history.compact(3);
    source.receive(createRequest('a', '', { startRevision: 2 }));
    source.receive(createRequest('a', '', { startRevision: 3 }));
    lab.tick();
    expect(sink.take()).toMatchObject([
      { revision: 4, watchId: 0, created: true },
      { revision: 4, watchId: 1, created: true },
      { revision: 0, watchId: 0, canceled: true, compactRevision: 3 },
      { revision: 4, watchId: 1, events: [{}, {}] },
    ]);
  });

  test('requests of an unknown kind are ignored', () => {
    source.receive({ type: 'unknown' });
    expect(sink.sent).toEqual([]);
    expect(sink.ended).toBeUndefined();
  });
});

describe('permission', () => {
  test.each<[AuthFailure, string]>([
    ['permissionDenied', 'PermissionDenied desc = etcdserver: permission denied'],
    ['invalidAuthToken', 'Unauthenticated desc = etcdserver: invalid auth token'],
    ['authOldRevision', 'InvalidArgument desc = etcdserver: revision of auth store is old'],
    ['userEmpty', 'InvalidArgument desc = etcdserver: user name is empty'],
    ['userNotFound', 'PermissionDenied desc = etcdserver: permission denied'],
  ])('%s', async (failure, text) => {
    lab.gate.failure = failure;
    source.receive(createRequest('a'));
    await settled();
    expect(sink.take()).toEqual([refusedFor(`rpc error: code = ${text}`)]);
    expect(sink.ended).toBeUndefined();
  });

  test('a negative revision is seen first, an empty range last', () => {
    lab.gate.failure = 'permissionDenied';
    source.receive(createRequest('a', '', { startRevision: -1 }));
    source.receive(createRequest('b', 'a'));
    const reasons = sink.take().map(({ cancelReason }) => cancelReason);
    expect(reasons).toEqual([
      'etcdserver: mvcc: required revision has been compacted',
      'rpc error: code = PermissionDenied desc = etcdserver: permission denied',
    ]);
  });

  test('what comes while a login is awaited is answered behind it, in order', async () => {
    lab.gate.isComing = true;
    source.receive(createRequest('a'));
    source.receive(createRequest('b'));
    source.receive({ type: 'cancel', watchId: 0 });
    source.receive({ type: 'progress' });
    expect(sink.sent).toEqual([]);
    await settled();
    expect(sink.take()).toEqual([
      { revision: 1, watchId: 0, created: true },
      { revision: 1, watchId: 1, created: true },
      { revision: 1, watchId: 0, canceled: true },
      { revision: 1, watchId: -1 },
    ]);
  });

  test('not too much may come meanwhile', () => {
    setUp({ waitingMax: 2 });
    lab.gate.isComing = true;
    for (let i = 0; i < 4; i++) source.receive(createRequest('a'));
    expect(sink.ended?.error?.message).toBe('etcdserver: too many requests');
  });

  test('a stream that is over by then creates nothing', async () => {
    lab.gate.isComing = true;
    source.receive(createRequest('a'));
    source.closed();
    await settled();
    expect(sink.sent).toEqual([]);
    expect(lab.node.watches.stats()).toMatchObject({ streams: 0, watchers: 0 });
  });
});

describe('cancel', () => {
  test('is answered, and nothing comes behind it', () => {
    source.receive(createRequest('a'));
    source.receive({ type: 'cancel', watchId: 0 });
    lab.write({ a: '1' });
    expect(sink.take()[1]).toEqual({ revision: 1, watchId: 0, canceled: true });
    expect(sink.sent).toEqual([]);
  });

  test('of what does not exist is not answered', () => {
    source.receive({ type: 'cancel', watchId: 3 });
    expect(sink.sent).toEqual([]);
  });
});

describe('progress', () => {
  test('of the stream, if there are watchers and all are synced', () => {
    source.receive({ type: 'progress' });
    expect(sink.sent).toEqual([]);
    source.receive(createRequest('a'));
    lab.write({ b: '1' });
    source.receive({ type: 'progress' });
    expect(sink.take()[1]).toEqual({ revision: 2, watchId: -1 });
    source.receive(createRequest('a', '', { startRevision: 1 }));
    source.receive({ type: 'progress' });
    expect(sink.take()).toEqual([{ revision: 2, watchId: 1, created: true }]);
  });

  test('notifications come at intervals of at least 100 ms', () => {
    setUp({ progressIntervalMs: 1 });
    source.receive(createRequest('a', '', { progressNotify: true }));
    sink.take();
    lab.tick(9);
    expect(sink.sent).toEqual([]);
    lab.tick(1);
    expect(sink.take()).toEqual([{ revision: 1, watchId: 0 }]);
  });
});

describe('slow clients', () => {
  test('get events when they take them, and answers at once', () => {
    source.receive(createRequest('a'));
    sink.take();
    sink.writable = false;
    for (const value of ['1', '2']) lab.write({ a: value });
    lab.tick(3);
    source.receive(createRequest('b'));
    expect(sink.take()).toEqual([{ revision: 3, watchId: 1, created: true }]);
    sink.drain();
    lab.tick();
    expect(sink.take()[0]!.events!.map(textOf)).toEqual(['2 a put 1', '3 a put 2']);
  });
});

describe('fragments', () => {
  const VALUES = { a: 'x'.repeat(300), b: 'x'.repeat(300), c: 'x'.repeat(900), d: 'x' };

  function sizeOf(response: RecordingSink['sent'][number]): number {
    const writer = new ProtoWriter();
    writeWatchResponse(writer, response);
    return writer.finish().length;
  }

  test('large responses come in pieces to who wants it', () => {
    setUp({ fragmentBytes: 800 });
    source.receive(createRequest('a', '\0', { fragment: true }));
    source.receive(createRequest('a', '\0'));
    sink.take();
    lab.write(VALUES);
    const sizes = sink.sent.map(sizeOf);
    const responses = sink.take();
    const whole = responses.filter(({ watchId }) => watchId === 1);
    expect(whole).toHaveLength(1);
    const pieces = responses.filter(({ watchId }) => watchId === 0);
    expect(pieces.map(({ fragment }) => fragment)).toEqual([true, true, undefined]);
    expect(pieces.map(({ events }) => events!.length)).toEqual([2, 1, 1]);
    expect(pieces.flatMap(({ events }) => events!)).toEqual(whole[0]!.events);
    expect(sizes[0]).toBeLessThan(800);
    // A single event is never split.
    expect(sizes[1]).toBeGreaterThan(800);
  });

  test('what fits comes whole', () => {
    setUp({ fragmentBytes: 800 });
    source.receive(createRequest('a', '\0', { fragment: true }));
    sink.take();
    lab.write({ a: 'x', b: 'x' });
    expect(sink.take()).toMatchObject([{ events: [{}, {}] }]);
  });

  test('a response of exactly the limit is split, of one byte less is not', () => {
    const response = (fragmentBytes: number): number => {
      setUp({ fragmentBytes });
      source.receive(createRequest('a', '\0', { fragment: true }));
      sink.take();
      lab.write({ a: 'x'.repeat(100), b: 'x'.repeat(100) });
      return sink.sent.length;
    };
    response(1_000_000);
    const sizeBytes = sizeOf(sink.sent[0]!);
    expect([response(sizeBytes), response(sizeBytes + 1)]).toEqual([2, 1]);
  });
});

describe('who may watch at all', () => {
  test('not at a learner', () => {
    lab.isLearner = true;
    const { sink } = lab.open();
    expect(sink.ended?.error).toMatchObject({
      code: 9,
      message: 'etcdserver: rpc not supported for learner',
    });
  });

  test('who requires a leader: not without one', () => {
    lab.leader = undefined;
    const { sink } = lab.open({ requireLeader: true });
    expect(sink.ended?.error).toMatchObject({ code: 14, message: 'etcdserver: no leader' });
    expect(lab.open().sink.ended).toBeUndefined();
  });

  test('and is cut off after three election timeouts without one', () => {
    const strict = lab.open({ requireLeader: true });
    strict.source.receive(createRequest('a'));
    lab.leader = undefined;
    lab.tick(299);
    lab.leader = 0xabcn;
    lab.tick(1);
    lab.leader = undefined;
    lab.tick(299);
    expect(strict.sink.ended).toBeUndefined();
    lab.tick(1);
    expect(strict.sink.ended?.error).toMatchObject({ code: 14, message: 'etcdserver: no leader' });
    expect(sink.ended).toBeUndefined();
    expect(lab.node.watches.stats()).toMatchObject({ streams: 1, watchers: 0 });
  });
});

describe('the end of a stream', () => {
  test('half closed by the client: watching goes on', () => {
    source.receive(createRequest('a'));
    source.halfClosed();
    lab.write({ a: '1' });
    expect(sink.take()).toHaveLength(2);
  });

  test('closed: nothing is left of it', () => {
    source.receive(createRequest('a'));
    sink.take();
    source.closed();
    source.receive(createRequest('b'));
    lab.write({ a: '1' });
    sink.drain();
    expect(sink.sent).toEqual([]);
    expect(lab.node.watches.stats()).toMatchObject({ streams: 0, watchers: 0 });
  });
});

async function settled(): Promise<void> {
  for (let i = 0; i < 10; i++) await Promise.resolve();
}
