/** The links between members, over real sockets and without members. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Connection } from '../../harness/cluster/process/links/connection.ts';
import { identifyEtcd, identifyStormraft } from '../../harness/cluster/process/links/identify.ts';
import { Switchboard } from '../../harness/cluster/process/links/switchboard.ts';
import { memberId } from '../../harness/cluster/process/member-id.ts';
import { GOOD_LINKS, type LinkQuality } from '../../harness/network/link-quality.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { RealClock } from '../../src/host/real-clock.ts';

describe('identify', () => {
  test('etcd: by the header, as soon as the headers are complete', () => {
    const head = 'GET /raft/stream/message/2a HTTP/1.1\r\nHost: x\r\nX-Server-From: 00F8ce\r\n';
    expect(identifyEtcd(Buffer.from(head))).toEqual({ kind: 'incomplete' });
    expect(identifyEtcd(Buffer.from(`${head}\r\n`))).toEqual({ kind: 'member', id: 'f8ce' });
    const probe = 'GET /raft/probing HTTP/1.1\r\nHost: x\r\n\r\nX-Server-From: 1\r\n';
    expect(identifyEtcd(Buffer.from(probe))).toEqual({ kind: 'anonymous' });
    expect(identifyEtcd(Buffer.alloc(8192))).toEqual({ kind: 'anonymous' });
  });

  test('stormraft: by the handshake line, within its limit', () => {
    const line = 'STORMRAFT/1 cdf818194e3a8c32 00000000000000a1 a2 bulk\n';
    for (let i = 0; i < line.length; i++) {
      expect(identifyStormraft(Buffer.from(line.slice(0, i)))).toEqual({ kind: 'incomplete' });
    }
    expect(identifyStormraft(Buffer.from(`${line}\0\0`))).toEqual({ kind: 'member', id: 'a1' });
    expect(identifyStormraft(Buffer.from('GET / HTTP/1.1'))).toEqual({ kind: 'anonymous' });
    const endless = Buffer.from('STORMRAFT/1 '.padEnd(128, 'a'));
    expect(identifyStormraft(endless)).toEqual({ kind: 'anonymous' });
  });

  test('member ids are those of etcd', () => {
    // From the member list of a cluster bootstrapped with this URL and token.
    expect(memberId('http://localhost:2380', 'etcd-cluster')).toBe('8e9e05c52164694d');
  });
});

/** What one socket has received, and whether it has ended. */
class Ear {
  readonly socket: Socket;
  heard = '';
  closed = false;
  failed = false;
  #change: () => void = () => undefined;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.heard += chunk.toString();
      this.#change();
    });
    socket.on('error', () => {
      this.failed = true;
    });
    socket.on('close', () => {
      this.closed = true;
      this.#change();
    });
  }

  /** Resolves when `condition` holds; only arrivals make it look. */
  async until(condition: (ear: Ear) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((resolve) => {
        this.#change = resolve;
      });
    }
  }
}

const HELLO = 'STORMRAFT/1 c 1 2 log\n';

describe('a link from a to b', () => {
  let switchboard: Switchboard;
  let member: Server;
  let proxy: Server;
  let accepted: Ear[];
  let wakeAccepted: () => void;
  const clients: Socket[] = [];

  beforeEach(async () => {
    switchboard = new Switchboard(['a', 'b', 'c'], {
      clock: new RealClock(),
      random: seededRandom(1),
    });
    accepted = [];
    wakeAccepted = () => undefined;
    member = createServer((socket) => {
      accepted.push(new Ear(socket));
      wakeAccepted();
    });
    const peerPort = await listen(member);
    const names = new Map([
      ['1', 'a'],
      ['3', 'c'],
    ]);
    const options = { acceptor: 'b', peerPort, identify: identifyStormraft, switchboard };
    proxy = createServer({ allowHalfOpen: true }, (client) => {
      new Connection(client, { ...options, nameOf: (id) => names.get(id) });
    });
    await listen(proxy);
  });

  afterEach(() => {
    for (const socket of clients.splice(0)) socket.destroy();
    for (const { socket } of accepted) socket.destroy();
    member.close();
    proxy.close();
  });

  const dial = (hello = HELLO): Ear => {
    const socket = connect((proxy.address() as AddressInfo).port, '127.0.0.1');
    clients.push(socket);
    socket.write(hello);
    return new Ear(socket);
  };

  const accept = async (index = 0): Promise<Ear> => {
    while (accepted.length <= index) {
      await new Promise<void>((resolve) => {
        wakeAccepted = resolve;
      });
    }
    return accepted[index]!;
  };

  const dropped = (from: string, to: string): number =>
    switchboard.readings().counters.find((link) => link.from === from && link.to === to)!.dropped;

  const untilDropped = async (from: string, to: string, bytes: number): Promise<void> => {
    while (dropped(from, to) < bytes) await new Promise((resolve) => setImmediate(resolve));
  };

  test('carries both directions and the end of the stream', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    b.socket.write('OK\n');
    await a.until(({ heard }) => heard === 'OK\n');
    a.socket.end('last');
    await b.until(({ heard, closed }) => heard === `${HELLO}last` && closed);
    await a.until(({ closed }) => closed);
    expect(a.failed || b.failed).toBe(false);
    expect(switchboard.readings().counters.every((link) => link.dropped === 0)).toBe(true);
  });

  test('cut a > b holds only what a sends, and the heal resets', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    switchboard.setCuts([{ from: 'a', to: 'b' }]);
    a.socket.write('swallowed');
    await untilDropped('a', 'b', 9);
    b.socket.write('passes');
    await a.until(({ heard }) => heard === 'passes');
    expect([dropped('a', 'b'), dropped('b', 'a')]).toEqual([9, 0]);
    expect(a.closed || b.closed).toBe(false);
    switchboard.setCuts([]);
    await Promise.all([a.until(({ closed }) => closed), b.until(({ closed }) => closed)]);
    expect(a.failed && b.failed).toBe(true);
    expect(b.heard).toBe(HELLO);
    dial();
    const again = await accept(1);
    await again.until(({ heard }) => heard === HELLO);
  });

  test('cut b > a holds only what b sends', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    switchboard.setCuts([{ from: 'b', to: 'a' }]);
    b.socket.write('swallowed');
    await untilDropped('b', 'a', 9);
    a.socket.write('passes');
    await b.until(({ heard }) => heard === `${HELLO}passes`);
    expect(a.heard).toBe('');
  });

  test('a death behind a cut is not heard of until the heal', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    switchboard.setCuts([{ from: 'a', to: 'b' }]);
    a.socket.resetAndDestroy();
    await a.until(({ closed }) => closed);
    b.socket.write('into the void');
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(b.closed).toBe(false);
    switchboard.setCuts([]);
    await b.until(({ closed }) => closed);
  });

  test('a dial across a cut is held and counts, whichever direction is cut', async () => {
    switchboard.setCuts([{ from: 'a', to: 'b' }]);
    const first = dial();
    await untilDropped('a', 'b', HELLO.length);
    switchboard.setCuts([{ from: 'b', to: 'a' }]);
    await first.until(({ closed }) => closed);
    dial();
    await untilDropped('b', 'a', 1);
    expect(accepted).toEqual([]);
    dial('STORMRAFT/1 c 3 2 log\n');
    await (await accept()).until(({ heard }) => heard.startsWith('STORMRAFT/1 c 3'));
  });

  test('who does not say who it is passes only while nothing about b is cut', async () => {
    const stranger = dial('hello\n');
    const b = await accept();
    await b.until(({ heard }) => heard === 'hello\n');
    switchboard.setCuts([{ from: 'b', to: 'c' }]);
    await Promise.all([stranger.until(({ closed }) => closed), b.until(({ closed }) => closed)]);
    await dial('hello\n').until(({ closed }) => closed);
    expect(accepted).toHaveLength(1);
  });

  test('reads a bounded amount from a cut direction', async () => {
    const a = dial();
    await (await accept()).until(({ heard }) => heard === HELLO);
    switchboard.setCuts([{ from: 'a', to: 'b' }]);
    a.socket.write(Buffer.alloc(32 << 20));
    await untilDropped('a', 'b', 1 << 20);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(dropped('a', 'b')).toBeLessThan(2 << 20);
    expect(a.socket.writableLength).toBeGreaterThan(0);
  });

  const shape = (from: string, to: string, quality: Partial<LinkQuality>): void => {
    switchboard.setQualities([{ from, to, quality: { ...GOOD_LINKS, ...quality } }]);
  };

  test('a slow direction is slow, and only that one', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    shape('b', 'a', { delayMs: 80 });
    const startMs = performance.now();
    a.socket.write('ping');
    await b.until(({ heard }) => heard.endsWith('ping'));
    expect(switchboard.readings().tally.delayed).toBe(0);
    b.socket.write('pong');
    await a.until(({ heard }) => heard === 'pong');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(79);
    const { delayed, delayedSumMs } = switchboard.readings().tally;
    expect(delayed).toBe(1);
    expect(delayedSumMs).toBeGreaterThanOrEqual(79);
  });

  test('a slow stream ends after its last byte, and a good one delivers what it held', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    shape('a', 'b', { delayMs: 40 });
    a.socket.end('last words');
    await b.until(({ closed }) => closed);
    expect(b.heard).toBe(`${HELLO}last words`);
    expect(b.failed).toBe(false);
    shape('a', 'b', { delayMs: 60_000 });
    dial();
    const second = await accept(1);
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(second.heard).toBe('');
    switchboard.setQualities([]);
    await second.until(({ heard }) => heard === HELLO);
  });

  test('a thin or lossy direction delivers every byte, and counts', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    shape('a', 'b', { rateBytesPerS: 1_000_000 });
    const bytes = Buffer.alloc(200_000, 'x');
    a.socket.write(bytes);
    await b.until(({ heard }) => heard.length === HELLO.length + bytes.length);
    expect(switchboard.readings().tally.thinBytes).toBeGreaterThan(100_000);
    shape('a', 'b', { lossPercent: 5 });
    a.socket.write(bytes);
    await b.until(({ heard }) => heard.length === HELLO.length + 2 * bytes.length);
    const { carried, lost } = switchboard.readings().tally;
    expect(lost).toBeGreaterThan(0);
    expect(carried - lost).toBeGreaterThanOrEqual(Math.ceil(bytes.length / 1_448));
  });

  test('a reset ends the connections over the links named, on both sides', async () => {
    const [a, c] = [dial(), dial('STORMRAFT/1 c 3 2 log\n')];
    await accept(1);
    switchboard.reset([{ from: 'a', to: 'c' }]);
    expect(switchboard.readings().tally.resets).toBe(0);
    switchboard.reset([{ from: 'b', to: 'a' }]);
    await a.until(({ closed }) => closed);
    expect(a.failed).toBe(true);
    expect(switchboard.readings().tally.resets).toBe(1);
    expect(c.closed).toBe(false);
  });

  test('a pulled cable holds what is under way and refuses dials; plugged in, all is reset', async () => {
    const a = dial();
    const b = await accept();
    await b.until(({ heard }) => heard === HELLO);
    switchboard.setPulled(['a']);
    a.socket.write('lost');
    await untilDropped('a', 'b', 4);
    const refused = dial();
    await refused.until(({ closed }) => closed);
    expect(refused.failed).toBe(true);
    dial('STORMRAFT/1 c 3 2 log\n');
    await accept(1);
    switchboard.setCuts([{ from: 'c', to: 'b' }]);
    expect(a.closed).toBe(false);
    switchboard.setPulled([]);
    await Promise.all([a.until(({ closed }) => closed), b.until(({ closed }) => closed)]);
    expect(b.heard).toBe(HELLO);
  });
});

function listen(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}
