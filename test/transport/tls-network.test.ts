import { connect, createServer } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { RealClock } from '../../src/host/real-clock.ts';
import type { TlsSettings } from '../../src/host/tls-settings.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Message, SnapshotMeta } from '../../src/raft/message.ts';
import { openTls } from '../../src/server/open-tls.ts';
import { dialAddressOf } from '../../src/server/urls.ts';
import { TcpNetwork } from '../../src/transport/tcp-network.ts';
import { KeptLog } from '../support/kept-log.ts';
import { TestAuthority, TlsDirectory } from '../support/test-certificates.ts';

const A: MemberId = 0xan;
const B: MemberId = 0xbn;
const HOST = '127.0.0.1';
const META: SnapshotMeta = { index: 42, term: 3, confState: simpleConf([A, B]) };
const FILE = new Uint8Array(700_000).map((_, position) => position % 251);

interface Running {
  readonly network: TcpNetwork;
  readonly messages: Message[];
  readonly received: Uint8Array[];
  readonly unreachable: MemberId[];
  readonly log: KeptLog;
}

const networks: TcpNetwork[] = [];
const directories: TlsDirectory[] = [];
afterEach(async () => {
  await Promise.all(networks.splice(0).map((network) => network.close()));
  for (const directory of directories.splice(0)) directory[Symbol.dispose]();
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, HOST, resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  await new Promise((resolve) => server.close(resolve));
  return address.port;
}

/** Of a member whose certificate is `commonName`'s, and who trusts `trusted`. */
function settingsOf(
  authority: TestAuthority,
  commonName: string,
  more: Partial<TlsSettings> = {},
  trusted = authority,
): TlsSettings {
  const directory = new TlsDirectory();
  directories.push(directory);
  return directory.settings(authority.issue(commonName, [HOST]), {
    trustedCaFile: directory.write('ca.pem', trusted.cert),
    requireClientCert: true,
    ...more,
  });
}

async function start(
  self: MemberId,
  urls: ReadonlyMap<MemberId, string>,
  peer: TlsSettings,
): Promise<Running> {
  const [log, clock] = [new KeptLog(), new RealClock()];
  const tls = openTls(
    { client: undefined, clientCertAuth: false, peer, selfSigned: [] },
    { clock, log },
  );
  const received: Uint8Array[] = [];
  const network = new TcpNetwork({
    self,
    clusterId: 1n,
    selfUrls: [urls.get(self)!],
    isRemoved: () => false,
    peers: [...urls].map(([id, url]) => ({ id, peerUrls: [url] })),
    addressOf: dialAddressOf,
    page: () => ({ status: 200, headers: {}, body: 'a page' }),
    connectTls: tls.connectPeer,
    openTls: tls.peerPort,
    clock,
    log,
    timeoutMs: 1_000,
    redialMs: 20,
    source: {
      open: async () => ({
        meta: META,
        sizeBytes: FILE.length,
        readAt: async (offset, lengthBytes) => FILE.subarray(offset, offset + lengthBytes),
        close: async () => undefined,
      }),
    },
    sink: {
      create: async () => {
        const chunks: Uint8Array[] = [];
        return {
          write: async (bytes: Uint8Array) => void chunks.push(Uint8Array.from(bytes)),
          finish: async () => void received.push(Buffer.concat(chunks)),
          abort: async () => undefined,
        };
      },
    },
  });
  networks.push(network);
  await network.bind(dialAddressOf([urls.get(self)!])!);
  const [messages, unreachable]: [Message[], MemberId[]] = [[], []];
  network.listen({
    onMessage: (message) => messages.push(message),
    onRefused: (id) => unreachable.push(id),
    onUnreachable: (id) => unreachable.push(id),
    onSnapshotSent: () => undefined,
    onRemoved: () => undefined,
    onAsk: async () => undefined,
  });
  return { network, messages, received, unreachable, log };
}

async function secureUrls(): Promise<ReadonlyMap<MemberId, string>> {
  return new Map([
    [A, `https://${HOST}:${await freePort()}`],
    [B, `https://${HOST}:${await freePort()}`],
  ]);
}

function heartbeat(context: number): Message {
  return { type: 'MsgHeartbeat', from: A, to: B, term: 1, commit: 0, context };
}

/** Sends until something has arrived, or it is clear that nothing will. */
async function arrives(from: Running, to: Running): Promise<boolean> {
  for (let context = 1; from.unreachable.length < 5; context++) {
    from.network.send(B, heartbeat(context));
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (to.messages.length > 0) return true;
  }
  return false;
}

describe('the network between members, with TLS', () => {
  test('messages and snapshots arrive', async () => {
    const urls = await secureUrls();
    const authority = new TestAuthority();
    const b = await start(B, urls, settingsOf(authority, 'b'));
    const a = await start(A, urls, settingsOf(authority, 'a'));
    expect(await arrives(a, b)).toBe(true);
    const snapshot = { ...META };
    a.network.send(B, { type: 'MsgSnap', from: A, to: B, term: 3, snapshot });
    await expect.poll(() => b.received.length, { timeout: 10_000 }).toBe(1);
    expect(Buffer.compare(b.received[0]!, FILE)).toBe(0);
  });

  test('pages are served to who shows a certificate, and nothing without TLS', async () => {
    const urls = await secureUrls();
    const authority = new TestAuthority();
    await start(B, urls, settingsOf(authority, 'b'));
    const port = Number(new URL(urls.get(B)!).port);
    const ask = (socket: ReturnType<typeof connect>): Promise<string> =>
      new Promise((resolve) => {
        let text = '';
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString();
        });
        socket.on('error', () => undefined);
        socket.on('close', () => resolve(text));
        socket.write('GET /version HTTP/1.1\r\n\r\n');
      });
    const shown = authority.issue('a', [HOST]);
    const options = { port, host: HOST, ca: authority.cert };
    expect(await ask(connectTls({ ...options, ...shown }))).toMatch(/a page$/);
    expect(await ask(connectTls(options))).toBe('');
    expect(await ask(connect(port, HOST))).toBe('');
  });

  test.each<[string, Partial<TlsSettings>]>([
    ['a common name that is not allowed', { allowedCns: ['c'] }],
    ['a host name that is not allowed', { allowedHostnames: ['c.example.org'] }],
  ])('%s is refused', async (_, more) => {
    const urls = await secureUrls();
    const authority = new TestAuthority();
    const b = await start(B, urls, settingsOf(authority, 'b', more));
    const a = await start(A, urls, settingsOf(authority, 'a'));
    expect(await arrives(a, b)).toBe(false);
    expect(b.log.lines).toContain('refused a TLS connection');
  });

  test('a member that another authority vouches for is refused, dialling and dialled', async () => {
    const [authority, other] = [new TestAuthority(), new TestAuthority()];
    const urls = await secureUrls();
    const b = await start(B, urls, settingsOf(authority, 'b'));
    // It trusts the right authority, but has its own certificate from another.
    const a = await start(A, urls, settingsOf(other, 'a', {}, authority));
    expect(await arrives(a, b)).toBe(false);
    const [c, urls2] = [settingsOf(authority, 'c', {}, other), await secureUrls()];
    const b2 = await start(B, urls2, settingsOf(authority, 'b'));
    expect(await arrives(await start(A, urls2, c), b2)).toBe(false);
  });
});
