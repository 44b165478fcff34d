/** How long the peer port waits for whoever says or takes nothing. */
import { connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { dialAddressOf } from '../../src/server/urls.ts';
import { dial } from '../../src/transport/dialler.ts';
import { ACCEPTED, encodeHandshake } from '../../src/transport/handshake.ts';
import { TcpNetwork, type TcpNetworkOptions } from '../../src/transport/tcp-network.ts';
import { KeptLog } from '../support/kept-log.ts';

const SELF: MemberId = 0xan;
const PEER: MemberId = 0xbn;
const CLUSTER = 1n;
const HOST = '127.0.0.1';
const META = { index: 9, term: 1, confState: simpleConf([SELF, PEER]) };
/** More than sockets hold. */
const FILE_BYTES = 64 * 1024 * 1024;
/** Far below what counts where nothing is said: without the setting a test is over time. */
const TEST_MS = 5_000;

const open: { close(): unknown }[] = [];
const sockets: Socket[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const each of open.splice(0)) await each.close();
});

/** Keeps what is to happen later, for the test to let it happen. */
class KeptClock extends RealClock {
  readonly later = new Map<number, () => void>();
  override after(delayMs: number, callback: () => void): Disposable {
    this.later.set(delayMs, callback);
    return { [Symbol.dispose]: () => undefined };
  }
}

async function networkOf(
  peerPort: number,
  options: Partial<TcpNetworkOptions> = {},
): Promise<{ network: TcpNetwork; port: number; log: KeptLog; snapshots: boolean[] }> {
  const [port] = (await choosePorts(1, import.meta.filename)) as [number];
  const log = new KeptLog();
  const snapshots: boolean[] = [];
  const network = new TcpNetwork({
    self: SELF,
    clusterId: CLUSTER,
    selfUrls: [`http://${HOST}:${port}`],
    isRemoved: () => false,
    peers: [{ id: PEER, peerUrls: [`http://${HOST}:${peerPort}`] }],
    addressOf: dialAddressOf,
    page: () => ({ status: 200, headers: {}, body: '' }),
    clock: new RealClock(),
    log,
    timeoutMs: 300,
    redialMs: 20,
    source: {
      open: async () => ({
        meta: META,
        sizeBytes: FILE_BYTES,
        readAt: async (_, lengthBytes) => new Uint8Array(lengthBytes),
        close: async () => undefined,
      }),
    },
    sink: { create: () => Promise.reject(new Error('nowhere')) },
    ...options,
  });
  open.push(network);
  await network.bind({ host: HOST, port });
  network.listen({
    onMessage: () => undefined,
    onRefused: () => undefined,
    onUnreachable: () => undefined,
    onSnapshotSent: (_, delivered) => snapshots.push(delivered),
    onRemoved: () => undefined,
    onAsk: async () => undefined,
  });
  return { network, port, log, snapshots };
}

/** Nobody listens there. */
const DEAF = 9;

function dialRaw(port: number): { socket: Socket; closed: Promise<unknown> } {
  const socket = connect(port, HOST);
  sockets.push(socket);
  socket.on('error', () => undefined);
  return { socket, closed: new Promise((resolve) => socket.on('close', resolve)) };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('who dials and says nothing is closed after the read time-out', async () => {
  const clock = new KeptClock();
  const { port } = await networkOf(DEAF, { clock, readTimeoutMs: 7_777 });
  const { closed } = dialRaw(port);
  await until(() => clock.later.has(7_777));
  clock.later.get(7_777)?.();
  await closed;
});

test(
  'a snapshot of which nothing comes any more is given up after the read time-out',
  async () => {
    const { port, log } = await networkOf(DEAF, { readTimeoutMs: 30 });
    const { socket, closed } = dialRaw(port);
    const ends = { clusterId: CLUSTER, from: PEER, to: SELF };
    socket.write(encodeHandshake({ ...ends, lane: 'snapshot', peerUrls: [`http://${HOST}:9`] }));
    socket.resume();
    await closed;
    await until(() => log.lines.includes('snapshot not received'));
  },
  TEST_MS,
);

test(
  'a snapshot that nobody takes is given up after the write time-out',
  async () => {
    const peer = createServer((socket) => {
      sockets.push(socket);
      socket.on('error', () => undefined);
      socket.once('data', () => {
        socket.pause();
        socket.write(ACCEPTED);
      });
    });
    open.push(peer);
    await new Promise<void>((resolve) => peer.listen(0, HOST, resolve));
    const address = peer.address();
    const peerPort = typeof address === 'object' && address !== null ? address.port : 0;
    const { network, snapshots } = await networkOf(peerPort, { writeTimeoutMs: 30 });
    network.send(PEER, { type: 'MsgSnap', from: SELF, to: PEER, term: 1, snapshot: META });
    await until(() => snapshots.length > 0);
    expect(snapshots).toEqual([false]);
  },
  TEST_MS,
);

test.runIf(process.platform === 'linux')(
  'connections come from the address asked for',
  async () => {
    const from = Promise.withResolvers<string | undefined>();
    const peer = createServer((socket) => {
      sockets.push(socket);
      from.resolve(socket.remoteAddress);
    });
    open.push(peer);
    await new Promise<void>((resolve) => peer.listen(0, HOST, resolve));
    const address = peer.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const handshake = { clusterId: CLUSTER, from: SELF, to: PEER, lane: 'control', peerUrls: [] };
    const options = { clock: new RealClock(), timeoutMs: 5_000, connectTls: undefined };
    const dialling = dial(
      { host: HOST, port, localAddress: '127.0.0.2' },
      { ...handshake, lane: 'control' },
      options,
      { onReady: () => undefined, onFailure: ({ reason }) => from.reject(new Error(reason)) },
    );
    expect(await from.promise).toBe('127.0.0.2');
    dialling.cancel();
  },
);

test.runIf(process.platform === 'linux')('a peer port may be shared, if asked for', async () => {
  const { network, port } = await networkOf(DEAF, { reusePort: true });
  const sharing = await networkOf(DEAF, { reusePort: true });
  await sharing.network.bind({ host: HOST, port });
  const { network: other } = await networkOf(DEAF);
  await expect(other.bind({ host: HOST, port })).rejects.toMatchObject({ code: 'EADDRINUSE' });
  expect(network.peers()).toHaveLength(1);
});
