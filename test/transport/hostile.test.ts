/** Whatever one connection says on the peer port, it harms that connection only. */
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Message } from '../../src/raft/message.ts';
import { dialAddressOf } from '../../src/server/urls.ts';
import { encodeFrames } from '../../src/transport/frames.ts';
import { encodeHandshake, type Handshake } from '../../src/transport/handshake.ts';
import { TcpNetwork } from '../../src/transport/tcp-network.ts';
import { encodePeerMessage } from '../../src/wire/peer-message.ts';
import { KeptLog } from '../support/kept-log.ts';

const SELF: MemberId = 0xan;
const PEER: MemberId = 0xbn;
const CLUSTER = 1n;
/** Nobody listens there. */
const DEAF = 'http://127.0.0.1:9';

/** Waits no longer than a test can. */
class HastyClock extends RealClock {
  override after(delayMs: number, callback: () => void): Disposable {
    return super.after(Math.min(delayMs, 200), callback);
  }
}

let network: TcpNetwork;
let port: number;
let messages: Message[];
let log: KeptLog;
/** The network was told to listen: from then on there is a member. */
let isThere: boolean;
const sockets: Socket[] = [];

beforeEach(async () => {
  [port] = (await choosePorts(1, import.meta.filename)) as [number];
  [messages, log, isThere] = [[], new KeptLog(), false];
  network = new TcpNetwork({
    self: SELF,
    clusterId: CLUSTER,
    selfUrls: [`http://127.0.0.1:${port}`],
    isRemoved: () => asked(false),
    peers: [{ id: PEER, peerUrls: [DEAF] }],
    addressOf: dialAddressOf,
    page: () => asked({ status: 200, headers: {}, body: 'page' } as const),
    clock: new HastyClock(),
    log,
    timeoutMs: 300,
    redialMs: 20,
    source: { open: () => Promise.reject(new Error('there is none')) },
    sink: { create: () => Promise.reject(new Error('nowhere')) },
  });
  await network.bind({ host: '127.0.0.1', port });
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await network.close();
});

function asked<Value>(answer: Value): Value {
  if (!isThere) throw new Error('there is no member yet');
  return answer;
}

function listen(): void {
  isThere = true;
  network.listen({
    onMessage: (message) => messages.push(message),
    onRefused: () => undefined,
    onUnreachable: () => undefined,
    onSnapshotSent: () => undefined,
    onRemoved: () => undefined,
    onAsk: async () => undefined,
  });
}

interface Told {
  readonly socket: Socket;
  reply: string;
  isOver: boolean;
}

function tell(...parts: readonly (string | Uint8Array)[]): Told {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  const told = { socket, reply: '', isOver: false };
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    told.reply += chunk.toString('latin1');
  });
  socket.on('close', () => {
    told.isOver = true;
  });
  socket.on('end', () => {
    told.isOver = true;
  });
  for (const part of parts) socket.write(part);
  return told;
}

function hello(options: Partial<Handshake> = {}): string {
  const peerUrls = [DEAF];
  const usual = { clusterId: CLUSTER, from: PEER, to: SELF, lane: 'control', peerUrls } as const;
  return encodeHandshake({ ...usual, ...options });
}

function framed(message: Parameters<typeof encodePeerMessage>[0]): Buffer {
  return encodeFrames([encodePeerMessage(message)]);
}

const ENDS = { from: PEER, to: SELF, term: 1 };
const HEARTBEAT = framed({ type: 'MsgHeartbeat', ...ENDS, commit: 0, context: 0 });

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test.each([
  ['a snapshot without its file', { type: 'MsgSnap', ...ENDS, snapshot: snapshot() }],
  ['a proposal of nothing known', proposal(Uint8Array.of(0xff, 1, 2))],
  ['a message to somebody else', { type: 'MsgTimeoutNow', ...ENDS, to: 7n }],
] as const)('%s ends its connection, and nobody hears of it', async (_, message) => {
  listen();
  const told = tell(hello(), HEARTBEAT, framed(message), HEARTBEAT);
  await until(() => told.isOver);
  expect(messages.map(({ type }) => type)).toEqual(['MsgHeartbeat']);
  expect(log.lines).toContain('hung up on a peer');
});

function snapshot() {
  return { index: 9, term: 1, confState: simpleConf([SELF, PEER]) };
}

function proposal(data: Uint8Array) {
  return { type: 'MsgProp', ...ENDS, entries: [{ type: 'normal', data }] } as const;
}

test('an empty proposal and a change of the membership get through', async () => {
  listen();
  const change = { type: 'confChange', data: Uint8Array.of(0xff) } as const;
  const entries = [{ type: 'normal', data: new Uint8Array(0) } as const, change];
  tell(hello({ lane: 'bulk' }), framed({ type: 'MsgProp', ...ENDS, entries }));
  await until(() => messages.length === 1);
});

test('nobody calls a member in its own name', async () => {
  listen();
  const told = tell(hello({ from: SELF }));
  await until(() => told.isOver);
  expect(told.reply).toMatch(/^NO /);
});

test('strangers are few at a time, and forgotten when they hang up', async () => {
  listen();
  const strangers = Array.from({ length: 12 }, (_, at) => tell(hello({ from: BigInt(100 + at) })));
  await until(() => strangers.every(({ reply }) => reply !== ''));
  const taken = strangers.filter(({ reply }) => reply === 'OK\n');
  expect(taken.length).toBe(10);
  expect(network.peers().length).toBe(11);
  // Members find room nevertheless.
  const ids = [SELF, PEER, 0xcn];
  network.setPeers(ids.map((id) => ({ id, peerUrls: [DEAF] })));
  expect(network.peers().length).toBe(12);
  for (const { socket } of strangers) socket.destroy();
  await until(() => network.peers().length === 2);
  expect(network.peers().map(({ id }) => id)).toEqual([PEER, 0xcn]);
});

test('a stranger that another of its connections is left of is not forgotten', async () => {
  listen();
  const [first, second] = [tell(hello({ from: 100n })), tell(hello({ from: 100n, lane: 'bulk' }))];
  await until(() => first.reply !== '' && second.reply !== '');
  first.socket.destroy();
  const third = tell(hello({ from: 101n }));
  await until(() => third.reply !== '');
  third.socket.destroy();
  await until(() => !network.peers().some(({ id }) => id === 101n));
  expect(network.peers().map(({ id }) => id)).toEqual([PEER, 100n]);
});

test('before there is a member, nobody is asked about it', async () => {
  const page = tell('GET /members HTTP/1.1\r\n\r\n');
  await until(() => page.isOver);
  expect(page.reply).toMatch(/^HTTP\/1\.1 503 /);
  const known = tell(hello());
  await until(() => known.reply === 'OK\n');
});

test('who gets a page and does not hang up is hung up on', async () => {
  listen();
  const page = tell('GET /members HTTP/1.1\r\n\r\n');
  await until(() => page.reply !== '');
  let isClosed = false;
  page.socket.on('close', () => {
    isClosed = true;
  });
  await until(() => {
    // Only a connection that is closed at the other end answers this with a reset.
    page.socket.write('more');
    return isClosed;
  });
});
