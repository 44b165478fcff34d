import { describe, expect, test } from 'vitest';
import type { MsgSnap } from '../../src/raft/message.ts';
import { MemorySink, NetworkBench, SNAPSHOT, snapshotOf } from './network-bench.ts';

const BYTES = Uint8Array.from({ length: 50_000 }, (_, at) => at % 251);
/** What the sender thought it would send; the file says what it is. */
const MESSAGE: MsgSnap = {
  type: 'MsgSnap',
  from: 1n,
  to: 2n,
  term: 3,
  snapshot: { ...SNAPSHOT, index: 4 },
};

/** A transfer from n1 to n2 of four pieces, each of which takes a millisecond. */
function transfer(sink: MemorySink = new MemorySink()) {
  const bench = new NetworkBench({ latencyUs: [1_000, 1_000] });
  const source = snapshotOf(BYTES);
  const from = bench.start(1n, { source });
  const to = bench.start(2n, { sink });
  from.port.send(2n, MESSAGE);
  return { bench, source, sink, from, to };
}

const SENT = [{ to: 2n, delivered: true }];
const FAILED = [{ to: 2n, delivered: false }];

describe('a snapshot on its way', () => {
  test('arrives as a file, then as the message about it', async () => {
    const { bench, source, sink, from, to } = transfer();
    await bench.pass(3.5);
    expect(to.received).toEqual([]);
    await bench.pass(5);
    expect(Uint8Array.from(sink.written)).toEqual(BYTES);
    expect(sink).toMatchObject({ finished: 1, aborted: 0 });
    expect(to.received).toEqual([{ ...MESSAGE, snapshot: SNAPSHOT }]);
    expect(from.snapshotsSent).toEqual(SENT);
    expect(source.closed).toBe(1);
    await bench.pass(20_000);
    expect(from.snapshotsSent).toEqual(SENT);
    expect(bench.fatesOf('MsgSnap')).toEqual(['delivered']);
  });

  test.each([
    ['to', 1n, 2n],
    ['from', 2n, 1n],
  ])('fails when the link %s the receiver is cut midway', async (_, cutFrom, cutTo) => {
    const { bench, source, sink, from, to } = transfer();
    bench.loop.schedule(2.5e6, () => bench.cut(cutFrom, cutTo));
    await bench.pass(20);
    expect(from.snapshotsSent).toEqual(FAILED);
    expect(to.received).toEqual([]);
    expect(sink).toMatchObject({ finished: 0, aborted: 1 });
    expect(source.closed).toBe(1);
    expect(bench.fatesOf('MsgSnap')).toEqual(['lost']);
  });

  test('fails when the receiver dies midway, even if another life of it is there', async () => {
    const { bench, sink, from, to } = transfer();
    bench.loop.schedule(2.5e6, () => bench.kill(to));
    bench.loop.schedule(2.6e6, () => bench.start(2n, { sink }));
    await bench.pass(20);
    expect(from.snapshotsSent).toEqual(FAILED);
    expect(to.received).toEqual([]);
    expect(sink.finished).toBe(0);
    expect(bench.fatesOf('MsgSnap')).toEqual(['lost']);
  });

  test('fails at once when the receiver dies over a write, which never ends then', async () => {
    const { bench, from, to } = transfer(new MemorySink(() => new Promise(() => undefined)));
    bench.loop.schedule(2.5e6, () => bench.kill(to));
    await bench.pass(10);
    expect(from.snapshotsSent).toEqual(FAILED);
  });

  test('fails in the end when the receiver takes for ever, and is not delivered later', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { bench, from, to } = transfer(new MemorySink(() => promise));
    await bench.pass(9_000);
    expect(from.snapshotsSent).toEqual([]);
    await bench.pass(2_000);
    expect(from.snapshotsSent).toEqual(FAILED);
    resolve();
    await bench.pass(1_000);
    expect(to.received).toEqual([]);
    expect(bench.fatesOf('MsgSnap')).toEqual(['lost']);
    expect(from.snapshotsSent).toEqual(FAILED);
  });

  test('fails when nobody is there, and when there is nothing to send', async () => {
    const bench = new NetworkBench();
    const from = bench.start(1n, { source: snapshotOf(BYTES) });
    from.port.send(2n, MESSAGE);
    const without = bench.start(3n);
    without.port.send(1n, { ...MESSAGE, from: 3n, to: 1n });
    await bench.pass(20);
    expect(from.snapshotsSent).toEqual(FAILED);
    expect(without.snapshotsSent).toEqual([{ to: 1n, delivered: false }]);
  });

  test('is not reported to a sender that died over it', async () => {
    const { bench, from, to } = transfer();
    bench.loop.schedule(2.5e6, () => bench.kill(from));
    await bench.pass(20_000);
    expect(from.snapshotsSent).toEqual([]);
    expect(to.received).toEqual([]);
  });
});
