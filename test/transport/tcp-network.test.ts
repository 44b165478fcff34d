import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { RealClock } from '../../src/host/real-clock.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Message, SnapshotMeta } from '../../src/raft/message.ts';
import { dialAddressOf } from '../../src/server/urls.ts';
import type { OpenCheckpoint } from '../../src/snap/checkpoint-file.ts';
import type { PeerAddress } from '../../src/transport/dialler.ts';
import { sendSnapshot } from '../../src/transport/snapshot-transfer.ts';
import { TcpNetwork } from '../../src/transport/tcp-network.ts';
import { KeptLog } from '../support/kept-log.ts';

const A: MemberId = 0xan;
const B: MemberId = 0xbn;
const META: SnapshotMeta = { index: 42, term: 3, confState: simpleConf([A, B]) };

interface Seen {
  readonly messages: Message[];
  readonly refused: MemberId[];
  readonly unreachable: MemberId[];
  readonly snapshots: boolean[];
  removals: number;
  readonly roundTripsNs: number[];
  /** As the observer was told. */
  readonly transfers: string[];
}

/** Who is told that it was removed. */
const removed = new Set<MemberId>();

const networks: TcpNetwork[] = [];
afterEach(async () => {
  removed.clear();
  await Promise.all(networks.splice(0).map((network) => network.close()));
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

async function addresses(): Promise<Map<MemberId, PeerAddress>> {
  const host = '127.0.0.1';
  return new Map([
    [A, { host, port: await freePort() }],
    [B, { host, port: await freePort() }],
  ]);
}

const FILE = new Uint8Array(700_000).map((_, position) => position % 251);

async function start(
  self: MemberId,
  peers: Map<MemberId, PeerAddress>,
  received: Map<number, Uint8Array> = new Map(),
  clusterId = 1n,
): Promise<{ network: TcpNetwork; seen: Seen; log: KeptLog }> {
  const log = new KeptLog();
  const seen: Seen = {
    ...{ messages: [], refused: [], unreachable: [], snapshots: [] },
    ...{ removals: 0, roundTripsNs: [], transfers: [] },
  };
  const network = new TcpNetwork({
    self,
    clusterId,
    selfUrls: urlsOf(peers.get(self)!),
    isRemoved: (id) => removed.has(id),
    peers: [...peers].map(([id, address]) => ({ id, peerUrls: urlsOf(address) })),
    addressOf: dialAddressOf,
    page: (path) => ({ status: 200, headers: { 'x-a': 'b' }, body: `page ${path}` }),
    clock: new RealClock(),
    log,
    timeoutMs: 300,
    redialMs: 20,
    observer: {
      onRoundTrip: (_, latencyNs) => seen.roundTripsNs.push(latencyNs),
      onSnapshotSent: (to, success) => seen.transfers.push(`to ${to}: ${success}`),
      onSnapshotReceived: (from, success) => seen.transfers.push(`from ${from}: ${success}`),
    },
    source: { open: async () => openFile() },
    sink: { create: async (meta) => receiver(meta.index, received) },
  });
  networks.push(network);
  await network.bind(peers.get(self)!);
  network.listen({
    onMessage: (message) => seen.messages.push(message),
    onRefused: (peer) => seen.refused.push(peer),
    onUnreachable: (peer) => seen.unreachable.push(peer),
    onSnapshotSent: (_, delivered) => seen.snapshots.push(delivered),
    onRemoved: () => {
      seen.removals += 1;
    },
    onAsk: async (from, question) => (question.length === 0 ? undefined : answerTo(from, question)),
  });
  return { network, seen, log };
}

function urlsOf({ host, port }: PeerAddress): string[] {
  return [`http://${host}:${port}`];
}

/** Who asked, and the question backwards. */
function answerTo(from: MemberId, question: Uint8Array): Uint8Array {
  return Uint8Array.of(Number(from), ...question.toReversed());
}

function openFile(): OpenCheckpoint {
  return {
    meta: META,
    sizeBytes: FILE.length,
    readAt: async (offset, lengthBytes) => FILE.subarray(offset, offset + lengthBytes),
    close: async () => undefined,
  };
}

function receiver(index: number, received: Map<number, Uint8Array>) {
  const chunks: Uint8Array[] = [];
  return {
    write: async (bytes: Uint8Array) => void chunks.push(Uint8Array.from(bytes)),
    finish: async () => void received.set(index, Buffer.concat(chunks)),
    abort: async () => undefined,
  };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function heartbeat(context: number): Message {
  return { type: 'MsgHeartbeat', from: A, to: B, term: 1, commit: 0, context };
}

describe('the network between members', () => {
  test('messages of a lane arrive once and in order, entries too', async () => {
    const peers = await addresses();
    const b = await start(B, peers);
    const a = await start(A, peers);
    const entries = [
      { type: 'normal' as const, term: 1, index: 1, data: FILE.subarray(0, 100_000) },
    ];
    const app: Message = {
      type: 'MsgApp',
      from: A,
      to: B,
      term: 1,
      index: 0,
      logTerm: 0,
      entries,
      commit: 0,
    };
    for (let context = 1; context <= 500; context++) a.network.send(B, heartbeat(context));
    a.network.send(B, app);
    await until(() => b.seen.messages.length === 501);
    const contexts = b.seen.messages.flatMap((m) => (m.type === 'MsgHeartbeat' ? [m.context] : []));
    expect(contexts).toEqual(Array.from({ length: 500 }, (_, position) => position + 1));
    const received = b.seen.messages.find((m) => m.type === 'MsgApp');
    expect(
      received?.type === 'MsgApp' &&
        Buffer.from(received.entries[0]!.data).equals(entries[0]!.data),
    ).toBe(true);
  });

  test('a peer that is not there is refused; when it comes up, messages flow', async () => {
    const peers = await addresses();
    const a = await start(A, peers);
    await until(() => a.seen.refused.includes(B));
    const b = await start(B, peers);
    await until(() => {
      a.network.send(B, heartbeat(1));
      return b.seen.messages.length > 0;
    });
    expect(b.seen.messages[0]).toEqual(heartbeat(1));
  });

  test('a peer that accepts and then says nothing is given up and dialled again', async () => {
    const peers = await addresses();
    let connections = 0;
    const mute = createServer((socket) => {
      connections += 1;
      socket.resume();
    });
    await new Promise<void>((resolve) => mute.listen(peers.get(B)!.port, '127.0.0.1', resolve));
    const a = await start(A, peers);
    await until(() => connections >= 4);
    expect(a.seen.unreachable).toContain(B);
    expect(a.seen.refused).toEqual([]);
    await networks.pop()?.close();
    await new Promise((resolve) => {
      mute.close(resolve);
    });
  });

  test('a member of another cluster is not let in', async () => {
    const peers = await addresses();
    const a = await start(A, peers, new Map(), 2n);
    const b = await start(B, peers);
    await until(() => b.log.lines.includes('refused a peer connection'));
    a.network.send(B, heartbeat(1));
    await until(() => a.seen.unreachable.length > 0);
    expect(b.seen.messages).toEqual([]);
  });

  test('a peer that dies while a chunk is read ends the transfer', async () => {
    const peers = await addresses();
    const server = createServer((socket) => {
      socket.on('data', () => socket.resetAndDestroy());
    });
    await new Promise<void>((resolve) => server.listen(peers.get(B)!.port, '127.0.0.1', resolve));
    const socket = connect(peers.get(B)!.port, '127.0.0.1');
    socket.on('error', () => undefined);
    let closed = false;
    const readAt = async (): Promise<Uint8Array> => {
      await until(() => socket.destroyed);
      return FILE;
    };
    const close = async (): Promise<void> => {
      closed = true;
    };
    const source = { open: async () => ({ meta: META, sizeBytes: FILE.length, readAt, close }) };
    const message = { type: 'MsgSnap', from: A, to: B, term: 3, snapshot: META } as const;
    expect(await sendSnapshot(socket, message, source)).toBe(false);
    expect(closed).toBe(true);
    await new Promise((resolve) => server.close(resolve));
  });

  test('a snapshot arrives whole before its message, with the description of the file', async () => {
    const peers = await addresses();
    const received = new Map<number, Uint8Array>();
    const a = await start(A, peers);
    const b = await start(B, peers, received);
    const stale = { ...META, index: 7 };
    a.network.send(B, { type: 'MsgSnap', from: A, to: B, term: 3, snapshot: stale });
    await until(() => a.seen.snapshots.length === 1);
    expect(a.seen.snapshots).toEqual([true]);
    expect([a.seen.transfers, b.seen.transfers]).toEqual([['to 11: true'], ['from 10: true']]);
    expect(b.seen.messages).toEqual([{ type: 'MsgSnap', from: A, to: B, term: 3, snapshot: META }]);
    expect(Buffer.from(received.get(META.index)!).equals(FILE)).toBe(true);
  });

  test('a question is answered by whoever was asked; one it does not answer is given up', async () => {
    const peers = await addresses();
    const a = await start(A, peers);
    const b = await start(B, peers);
    await until(() => a.network.connectedSinceNs(B) !== undefined);
    const [first, second] = await Promise.all([
      a.network.ask(B, Uint8Array.of(1, 2), 5_000),
      a.network.ask(B, Uint8Array.of(3, 4), 5_000),
    ]);
    expect([first, second]).toEqual([Uint8Array.of(10, 2, 1), Uint8Array.of(10, 4, 3)]);
    expect(await a.network.ask(B, new Uint8Array(0), 20)).toBeUndefined();
    expect(await a.network.ask(0xcn, Uint8Array.of(1), 5_000)).toBeUndefined();
    expect(b.seen.messages).toEqual([]);
  });

  test('what goes to and fro is counted, and round trips are timed', async () => {
    const peers = await addresses();
    const a = await start(A, peers);
    a.network.send(B, heartbeat(1));
    await until(() => a.seen.refused.includes(B));
    while (a.network.peers()[0]?.sendFailures === 0) a.network.send(B, heartbeat(1));
    const b = await start(B, peers);
    await until(() => a.network.peers()[0]?.connected === true);
    const { sentBytes } = a.network.peers()[0]!;
    a.network.send(B, heartbeat(2));
    await until(() => a.seen.roundTripsNs.length > 0);
    const sizeBytes = a.network.peers()[0]!.sentBytes - sentBytes;
    expect(sizeBytes).toBeGreaterThan(0);
    expect(b.network.peers()[0]!.receivedBytes).toBeGreaterThanOrEqual(sizeBytes);
    expect(a.seen.roundTripsNs.every((latencyNs) => latencyNs > 0)).toBe(true);
    await networks.pop()!.close();
    await until(() => a.network.peers()[0]!.disconnects > 0);
    await until(() => a.network.peers()[0]!.connected === false);
  });

  test('a member that was removed is told so by whoever it dials', async () => {
    const peers = await addresses();
    const b = await start(B, peers);
    removed.add(A);
    b.network.setPeers([{ id: B, peerUrls: urlsOf(peers.get(B)!) }]);
    const a = await start(A, peers);
    await until(() => a.seen.removals > 0);
    expect(b.log.lines).toContain('refused a peer connection');
  });

  test('peers may come, go and move while it runs', async () => {
    const peers = await addresses();
    const self = { id: A, peerUrls: urlsOf(peers.get(A)!) };
    const alone = new Map([[A, peers.get(A)!]]);
    const a = await start(A, alone);
    expect(a.network.connectedSinceNs(B)).toBeUndefined();
    const moved = await freePort();
    a.network.setPeers([self, { id: B, peerUrls: [`http://127.0.0.1:${moved}`] }]);
    await until(() => a.seen.refused.includes(B));
    const b = await start(B, peers);
    a.network.setPeers([self, { id: B, peerUrls: urlsOf(peers.get(B)!) }]);
    await until(() => a.network.connectedSinceNs(B) !== undefined);
    a.network.send(B, heartbeat(1));
    await until(() => b.seen.messages.length > 0);
    removed.add(B);
    a.network.setPeers([self]);
    expect(a.network.connectedSinceNs(B)).toBeUndefined();
  });

  test('a member unknown here is met by its call, and answered', async () => {
    const peers = await addresses();
    const b = await start(B, new Map([[B, peers.get(B)!]]));
    const a = await start(A, peers);
    await until(() => b.network.connectedSinceNs(A) !== undefined);
    expect(await a.network.ask(B, Uint8Array.of(7), 5_000)).toEqual(Uint8Array.of(10, 7));
  });

  test('a page is served to whoever asks for it over HTTP on the same port', async () => {
    const peers = await addresses();
    await start(A, peers);
    const response = await fetch(`${urlsOf(peers.get(A)!)[0]}/members?linearizable=true`);
    expect(response.status).toBe(200);
    expect(response.headers.get('x-a')).toBe('b');
    expect(await response.text()).toBe('page /members');
  });
});
