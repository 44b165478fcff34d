import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { drawNs } from '../../harness/sim/draw-ns.ts';
import type { Message, MsgApp } from '../../src/raft/message.ts';
import { contextsOf, heartbeat, NetworkBench, PERFECT, proposal } from './network-bench.ts';

const HUNDRED: readonly number[] = Array.from({ length: 100 }, (_, at) => at);

/** A hundred heartbeats from n1 to n2, 10 µs apart: many are under way at a time. */
async function sendHundred(bench: NetworkBench) {
  const [from, to] = [bench.start(1n), bench.start(2n)];
  for (const at of HUNDRED) {
    bench.loop.schedule(at * 10_000, () => from.port.send(2n, heartbeat(1n, 2n, at)));
  }
  await bench.pass(100);
  return { from, to, contexts: contextsOf(to.received) };
}

describe('links', () => {
  test('deliver everything on a lane once and in order, after the latency', async () => {
    const bench = new NetworkBench({ latencyUs: [100, 1_000] });
    const { to, contexts } = await sendHundred(bench);
    expect(contexts).toEqual(HUNDRED);
    to.receivedMs.forEach((atMs, at) => {
      expect(atMs).toBeGreaterThanOrEqual(at * 0.01 + 0.1);
      expect(atMs).toBeLessThanOrEqual(0.99 + 1);
    });
    expect(bench.sent).toHaveLength(100);
    expect(bench.fatesOf('MsgHeartbeat')).toEqual(HUNDRED.map(() => 'delivered'));
  });

  test('reorder when they are told to, and lose nothing by it', async () => {
    const bench = new NetworkBench();
    bench.network.links.setFault({ ...PERFECT, reorders: true });
    const { contexts } = await sendHundred(bench);
    expect(contexts).not.toEqual(HUNDRED);
    expect(contexts.toSorted((a, b) => a - b)).toEqual(HUNDRED);
  });

  test('keep the order of each lane under any delay, but not across lanes', async () => {
    const bench = new NetworkBench();
    bench.network.links.setFault({ ...PERFECT, delayMs: 10, jitterMs: 10 });
    const [from, to] = [bench.start(1n), bench.start(2n)];
    for (const at of HUNDRED) {
      from.port.send(2n, heartbeat(1n, 2n, at));
      from.port.send(2n, proposal(1n, 2n, at));
    }
    await bench.pass(100);
    expect(contextsOf(to.received)).toEqual(HUNDRED);
    expect(valuesOf(to.received)).toEqual(HUNDRED);
    const sentInTurns = to.received.every(
      (message, at) => (message.type === 'MsgHeartbeat') === (at % 2 === 0),
    );
    expect(sentInTurns).toBe(false);
    expect(bench.network.tally.delayed).toBeGreaterThan(150);
    expect(Math.max(...to.receivedMs)).toBeGreaterThan(10);
    expect(Math.max(...to.receivedMs)).toBeLessThanOrEqual(21);
  });

  test('repeat every message at 100 %, but never a forwarded proposal', async () => {
    const bench = new NetworkBench();
    bench.network.links.setFault({
      ...PERFECT,
      duplicatePercent: 100,
      delayMs: 2.5,
      jitterMs: 2.5,
      reorders: true,
    });
    const { from, to, contexts } = await sendHundred(bench);
    expect(contexts.toSorted((a, b) => a - b)).toEqual(HUNDRED.flatMap((at) => [at, at]));
    for (const at of HUNDRED) from.port.send(2n, proposal(1n, 2n, at));
    await bench.pass(100);
    expect(valuesOf(to.received).toSorted((a, b) => a - b)).toEqual(HUNDRED);
    expect(bench.network.tally.duplicated).toBe(100);
  });

  test('lose everything at 100 %, about the share at less, and the sender may hear', async () => {
    const all = new NetworkBench();
    all.network.links.setFault({ ...PERFECT, lossPercent: 100 });
    const { from, contexts } = await sendHundred(all);
    expect(contexts).toEqual([]);
    expect(all.fatesOf('MsgHeartbeat')).toEqual(HUNDRED.map(() => 'lost'));
    expect(all.network.tally.lost).toBe(100);
    expect(from.unreachable.length).toBeGreaterThan(0);
    expect(from.unreachable.length).toBeLessThan(50);
    expect(new Set(from.unreachable)).toEqual(new Set([2n]));
    const some = new NetworkBench();
    some.network.links.setFault({ ...PERFECT, lossPercent: 30 });
    const { contexts: got } = await sendHundred(some);
    expect(got.length).toBe(100 - some.network.tally.lost);
    expect(some.network.tally.lost).toBeGreaterThan(15);
    expect(some.network.tally.lost).toBeLessThan(45);
    expect(got).toEqual(got.toSorted((a, b) => a - b));
  });

  test('are cut one way, also for what is under way, and count what they drop', async () => {
    const bench = new NetworkBench({ latencyUs: [1_000, 1_000] });
    const [n1, n2, n3] = [bench.start(1n), bench.start(2n), bench.start(3n)];
    n1.port.send(2n, heartbeat(1n, 2n, 1));
    bench.cut(1n, 2n);
    n1.port.send(2n, heartbeat(1n, 2n, 2));
    n2.port.send(1n, heartbeat(2n, 1n, 3));
    n1.port.send(3n, heartbeat(1n, 3n, 4));
    await bench.pass(5);
    expect(contextsOf(n2.received)).toEqual([]);
    expect(contextsOf(n1.received)).toEqual([3]);
    expect(contextsOf(n3.received)).toEqual([4]);
    const dropped = bench.network.counters().filter((link) => link.dropped > 0);
    expect(dropped).toEqual([{ from: 'n1', to: 'n2', dropped: 2 }]);
    expect(bench.fatesOf('MsgHeartbeat').toSorted()).toEqual([
      'cut',
      'cut',
      'delivered',
      'delivered',
    ]);
    bench.network.setGrudge(new Map());
    n1.port.send(2n, heartbeat(1n, 2n, 5));
    await bench.pass(5);
    expect(contextsOf(n2.received)).toEqual([5]);
  });

  test('hand equal messages on, which share nothing with the sender when encoded', async () => {
    const message: MsgApp = {
      type: 'MsgApp',
      from: 1n,
      to: 2n,
      term: 3,
      index: 6,
      logTerm: 2,
      entries: [{ type: 'normal', term: 3, index: 7, data: Uint8Array.of(1, 2, 3) }],
      commit: 5,
    };
    for (const encodes of [false, true]) {
      const bench = new NetworkBench({ encodes });
      const [from, to] = [bench.start(1n), bench.start(2n)];
      from.port.send(2n, message);
      await bench.pass(5);
      const [received] = to.received;
      expect(received).toEqual(message);
      if (received?.type !== 'MsgApp') throw new Error('another message');
      expect(received === message).toBe(!encodes);
      const [entry] = received.entries;
      expect(entry!.data === message.entries[0]!.data).toBe(!encodes);
      expect(entry!.data.buffer === message.entries[0]!.data.buffer).toBe(!encodes);
    }
  });
});

describe('members that die', () => {
  test('get nothing, are refused while they are dead, and hear of it no more', async () => {
    const bench = new NetworkBench({ latencyUs: [1_000, 1_000] });
    const [n1, n2] = [bench.start(1n), bench.start(2n), bench.start(3n)];
    n1.port.send(2n, heartbeat(1n, 2n, 1));
    bench.kill(n2);
    await bench.pass(101);
    expect(n2.received).toEqual([]);
    expect(bench.fatesOf('MsgHeartbeat')).toEqual(['dead']);
    expect(n1.refused).toEqual([2n, 2n, 2n, 2n]);
    expect(n2.refused).toEqual([]);
    const reborn = bench.start(2n);
    await bench.pass(100);
    expect(n1.refused).toHaveLength(4);
    n1.port.send(2n, heartbeat(1n, 2n, 2));
    await bench.pass(5);
    expect(contextsOf(reborn.received)).toEqual([2]);
  });

  test('are unreachable, not refused, behind a cut in either direction', async () => {
    const bench = new NetworkBench();
    const [n1, n2, n3] = [bench.start(1n), bench.start(2n), bench.start(3n)];
    bench.kill(n2);
    bench.cut(2n, 1n);
    await bench.pass(51);
    expect(n1.refused).toEqual([]);
    expect(n1.unreachable).toEqual([2n, 2n]);
    expect(n3.refused).toEqual([2n, 2n]);
    bench.cut(1n, 2n);
    await bench.pass(25);
    expect(n1.refused).toEqual([]);
    expect(n1.unreachable).toEqual([2n, 2n, 2n]);
  });

  test('are told of by those that start later, too', async () => {
    const bench = new NetworkBench();
    const [n1, n2] = [bench.start(1n), bench.start(2n), bench.start(3n)];
    bench.kill(n1);
    bench.kill(n2);
    const reborn = bench.start(2n);
    await bench.pass(51);
    expect(reborn.refused).toEqual([1n, 1n]);
    expect(n2.refused).toEqual([]);
  });

  test('send nothing any more, whatever still runs of them', async () => {
    const bench = new NetworkBench();
    const [n1, n2] = [bench.start(1n), bench.start(2n)];
    bench.kill(n1);
    n1.port.send(2n, heartbeat(1n, 2n, 1));
    await bench.pass(5);
    expect(n2.received).toEqual([]);
    expect(bench.sent).toEqual([]);
  });

  test('leave what they sent before on its way', async () => {
    const bench = new NetworkBench();
    const [n1, n2] = [bench.start(1n), bench.start(2n)];
    n1.port.send(2n, heartbeat(1n, 2n, 1));
    bench.kill(n1);
    await bench.pass(5);
    expect(contextsOf(n2.received)).toEqual([1]);
  });
});

test('latencies are drawn evenly from both ends on', () => {
  const random = seededRandom(1);
  const drawn = Array.from({ length: 2_000 }, () => drawNs(random, [2, 4]));
  expect(Math.min(...drawn)).toBeGreaterThanOrEqual(2_000);
  expect(Math.max(...drawn)).toBeLessThanOrEqual(4_000);
  const mean = drawn.reduce((sum, ns) => sum + ns, 0) / drawn.length;
  expect(Math.abs(mean - 3_000)).toBeLessThan(60);
  expect(drawNs(random, [7, 7])).toBe(7_000);
});

function valuesOf(messages: readonly Message[]): number[] {
  return messages.flatMap((message) =>
    message.type === 'MsgProp' ? message.entries.map((entry) => entry.data[0]!) : [],
  );
}

describe('questions', () => {
  const QUESTION = Uint8Array.of(9);
  const ANSWER = Uint8Array.of(1, 9);

  test('are answered, after both ways', async () => {
    const bench = new NetworkBench({ latencyUs: [1_000, 1_000] });
    const [from] = [bench.start(1n), bench.start(2n)];
    expect(await bench.loop.drive(from!.port.ask(2n, QUESTION, 100))).toEqual(ANSWER);
    expect(bench.loop.nowNs).toBe(2e6);
  });

  test('of a dead member, over a cut link, or by one that was removed, are not', async () => {
    const bench = new NetworkBench();
    const from = bench.start(1n);
    expect(await bench.loop.drive(from.port.ask(2n, QUESTION, 100))).toBeUndefined();
    expect(bench.loop.nowNs).toBe(100e6);
    bench.start(2n);
    bench.cut(2n, 1n);
    expect(await bench.loop.drive(from.port.ask(2n, QUESTION, 100))).toBeUndefined();
    bench.network.setGrudge(new Map());
    bench.removed.add(1n);
    expect(await bench.loop.drive(from.port.ask(2n, QUESTION, 100))).toBeUndefined();
    bench.removed.clear();
    expect(await bench.loop.drive(from.port.ask(2n, QUESTION, 100))).toEqual(ANSWER);
  });
});

describe('a member that was removed', () => {
  test('is told so in place of being heard', async () => {
    const bench = new NetworkBench();
    const [from, to] = [bench.start(1n), bench.start(2n)];
    bench.removed.add(1n);
    from.port.send(2n, heartbeat(1n, 2n, 1));
    await bench.pass(10);
    expect(to.received).toEqual([]);
    expect(from.toldRemoved).toHaveLength(1);
    expect(to.toldRemoved).toEqual([]);
  });

  test('is not told over a link that is cut', async () => {
    const bench = new NetworkBench();
    const [from] = [bench.start(1n), bench.start(2n)];
    bench.removed.add(1n);
    bench.cut(2n, 1n);
    from!.port.send(2n, heartbeat(1n, 2n, 1));
    await bench.pass(10);
    expect(from!.toldRemoved).toEqual([]);
  });
});

test('a connection is as old as the younger of both lives, and as its link', async () => {
  const bench = new NetworkBench();
  const from = bench.start(1n);
  expect(from.port.connectedSinceNs(2n)).toBeUndefined();
  await bench.pass(5);
  bench.start(2n);
  await bench.pass(5);
  expect(from.port.connectedSinceNs(2n)).toBe(5e6);
  bench.cut(2n, 1n);
  expect(from.port.connectedSinceNs(2n)).toBeUndefined();
  await bench.pass(5);
  bench.network.setGrudge(new Map());
  await bench.pass(5);
  expect(from.port.connectedSinceNs(2n)).toBe(15e6);
});
