import { createServer, get } from 'node:http';
import { connect as connectHttp2 } from 'node:http2';
import { get as getSecure } from 'node:https';
import { connect as connectPlain } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import type { ClientPort } from '../../src/api/client-port.ts';
import { type ClientAddress, openClientPorts } from '../../src/api/client-ports.ts';
import { GrpcServer } from '../../src/api/grpc-server.ts';
import { DEFAULT_API_LIMITS } from '../../src/api/limits.ts';
import type { ClientTls } from '../../src/client/connection.ts';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import type { TlsSettings } from '../../src/host/tls-settings.ts';
import { openTls } from '../../src/server/open-tls.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import { KeptLog } from '../support/kept-log.ts';
import { type Issued, TestAuthority, TlsDirectory } from '../support/test-certificates.ts';

interface Fixture extends AsyncDisposable {
  readonly ports: readonly ClientPort[];
  readonly port: number;
  /** Common names of who came, in order; `-` for nobody. */
  readonly names: string[];
}

const directories: TlsDirectory[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) directory[Symbol.dispose]();
});

interface Options {
  readonly settings: TlsSettings;
  readonly addresses: readonly ClientAddress[];
  readonly certificateIsUser?: boolean;
}

/** Pages say how the connection came; gRPC has no method, and says so. */
async function open({ settings, addresses, certificateIsUser }: Options): Promise<Fixture> {
  const log = new KeptLog();
  const limits = { ...DEFAULT_API_LIMITS, sniffTimeoutMs: 2_000 };
  const clock = new RealClock();
  const tls = openTls(
    { client: settings, clientCertAuth: true, peer: undefined, selfSigned: [] },
    { clock, log },
  );
  const names: string[] = [];
  const grpc = new GrpcServer({ methods: [], limits, clock, log });
  const http = createServer((request, response) => {
    response.setHeader('connection', 'close');
    response.end('encrypted' in request.socket ? 'secure page' : 'plain page');
  });
  const ports = await openClientPorts(addresses, {
    limits,
    log,
    tls: tls.clientPort,
    certificateIsUser,
    acceptHttp2: (socket, peer) => {
      names.push(peer.commonName() ?? '-');
      grpc.accept(socket, peer);
    },
    acceptHttp1: (socket, peer) => {
      names.push(peer.commonName() ?? '-');
      http.emit('connection', socket);
    },
  });
  return {
    ports,
    port: ports[0]!.address.port,
    names,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(ports.map((port) => port.close()));
      await grpc.close();
      http.closeAllConnections();
    },
  };
}

function tlsDirectory(): TlsDirectory {
  const directory = new TlsDirectory();
  directories.push(directory);
  return directory;
}

/** The status of a call of no method, `refused` if there is no connection for it. */
async function call(endpoint: string, tls?: ClientTls): Promise<string> {
  const client = new EtcdClient({ endpoint, tls, timeoutMs: 3_000 });
  const answer = await client.status();
  client.close();
  if (answer.ok) return 'ok';
  return answer.error.code === GrpcCode.unimplemented ? 'unimplemented' : 'refused';
}

function page(url: string, options: ClientTls = {}): Promise<string> {
  return new Promise((resolve) => {
    const read = (response: NodeJS.ReadableStream): void => {
      response.on('data', (chunk: Buffer) => resolve(chunk.toString()));
    };
    const request = url.startsWith('https:') ? getSecure(url, options, read) : get(url, read);
    request.on('error', () => resolve('refused'));
  });
}

function shown(ca: string, { cert, key }: Issued): ClientTls {
  return { ca, cert, key };
}

const HOST = '127.0.0.1';

describe('one client port', () => {
  test('h2c, HTTP/1.1, and both in TLS', async () => {
    const authority = new TestAuthority();
    const ca = authority.cert;
    const settings = tlsDirectory().settings(authority.issue('s', [HOST]));
    const { port: free, ...rest } = await open({ settings, addresses: [{ host: HOST, port: 0 }] });
    await rest[Symbol.asyncDispose]();
    const addresses = [
      { host: HOST, port: free },
      { host: HOST, port: free, secure: true },
    ];
    await using fixture = await open({ settings, addresses });
    expect(fixture.ports).toHaveLength(1);
    const [plain, secure] = [`http://${HOST}:${free}`, `https://${HOST}:${free}`];
    expect(await call(plain)).toBe('unimplemented');
    expect(await call(secure, { ca })).toBe('unimplemented');
    expect(await call(secure, { insecureSkipVerify: true })).toBe('unimplemented');
    expect(await call(secure, { ca, serverName: 'elsewhere' })).toBe('refused');
    expect(await call(secure)).toBe('refused');
    expect(await page(`${plain}/`)).toBe('plain page');
    expect(await page(`${secure}/`, { ca })).toBe('secure page');
  });

  test('a secure address takes nobody without TLS, a plain one nobody with', async () => {
    const authority = new TestAuthority();
    const ca = authority.cert;
    const settings = tlsDirectory().settings(authority.issue('s', [HOST]));
    const addresses = [
      { host: HOST, port: 0, secure: true },
      { host: HOST, port: 0 },
    ];
    await using fixture = await open({ settings, addresses });
    const [secure, plain] = fixture.ports.map(({ address }) => address.port);
    expect(await call(`https://${HOST}:${secure}`, { ca })).toBe('unimplemented');
    expect(await call(`http://${HOST}:${secure}`)).toBe('refused');
    expect(await page(`http://${HOST}:${secure}/`)).toBe('refused');
    expect(await call(`https://${HOST}:${plain}`, { ca })).toBe('refused');
  });

  test('addresses for gRPC only and for HTTP/1.1 only', async () => {
    const authority = new TestAuthority();
    const ca = authority.cert;
    const settings = tlsDirectory().settings(authority.issue('s', [HOST]));
    const addresses = [
      { host: HOST, port: 0, serves: 'http2' as const },
      { host: HOST, port: 0, serves: 'http1' as const, secure: true },
    ];
    await using fixture = await open({ settings, addresses });
    const [grpc, http] = fixture.ports.map(({ address }) => address.port);
    expect(await call(`http://${HOST}:${grpc}`)).toBe('unimplemented');
    expect(await page(`http://${HOST}:${grpc}/`)).toBe('refused');
    expect(await page(`https://${HOST}:${http}/`, { ca })).toBe('secure page');
    expect(await call(`https://${HOST}:${http}`, { ca })).toBe('refused');
  });

  test('the name in a certificate is that of the connection, if it is to be', async () => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const settings = directory.settings(authority.issue('s', [HOST]), {
      trustedCaFile: directory.write('ca.pem', authority.cert),
      requireClientCert: true,
    });
    const addresses = [{ host: HOST, port: 0, secure: true }];
    const alice = shown(authority.cert, authority.issue('alice'));
    await using strict = await open({ settings, addresses, certificateIsUser: true });
    expect(await call(`https://${HOST}:${strict.port}`, alice)).toBe('unimplemented');
    expect(await page(`https://${HOST}:${strict.port}/`, alice)).toBe('secure page');
    expect(await call(`https://${HOST}:${strict.port}`, { ca: authority.cert })).toBe('refused');
    expect(strict.names).toEqual(['alice', 'alice']);
    await using lenient = await open({ settings, addresses });
    expect(await call(`https://${HOST}:${lenient.port}`, alice)).toBe('unimplemented');
    expect(lenient.names).toEqual(['-']);
  });

  test('an authority that is replaced on disk counts for the next handshake', async () => {
    const [before, after] = [new TestAuthority('before'), new TestAuthority('after')];
    const directory = tlsDirectory();
    const settings = directory.settings(before.issue('s', [HOST]), {
      trustedCaFile: directory.write('ca.pem', before.cert),
      requireClientCert: true,
    });
    await using fixture = await open({
      settings,
      addresses: [{ host: HOST, port: 0, secure: true }],
    });
    const endpoint = `https://${HOST}:${fixture.port}`;
    const [old, fresh] = [
      shown(before.cert, before.issue('old')),
      shown(before.cert, after.issue('fresh')),
    ];
    expect(await call(endpoint, old)).toBe('unimplemented');
    expect(await call(endpoint, fresh)).toBe('refused');
    directory.write('ca.pem', after.cert);
    // The real clock: files are looked at once a second.
    await expect.poll(() => call(endpoint, fresh), { timeout: 10_000 }).toBe('unimplemented');
    expect(await call(endpoint, old)).toBe('refused');
  });

  test('a client that offers HTTP/2 first is waited for, and may speak at once', async () => {
    const authority = new TestAuthority();
    const settings = tlsDirectory().settings(authority.issue('s', [HOST]));
    await using fixture = await open({
      settings,
      addresses: [{ host: HOST, port: 0, secure: true }],
    });
    const session = connectHttp2(`https://${HOST}:${fixture.port}`, { ca: authority.cert });
    const stream = session.request({ ':method': 'POST', 'content-type': 'application/grpc' });
    const status = await new Promise((resolve) => {
      stream.on('response', (headers) => resolve(headers['grpc-status']));
    });
    expect(status).toBe(String(GrpcCode.unimplemented));
    session.destroy();
  });

  test('broken handshakes and silence close that connection and harm no other', async () => {
    const authority = new TestAuthority();
    const settings = tlsDirectory().settings(authority.issue('s', [HOST]));
    await using fixture = await open({
      settings,
      addresses: [{ host: HOST, port: 0, secure: true }],
    });
    const ended = (bytes: string): Promise<void> =>
      new Promise((resolve) => {
        const socket = connectPlain(fixture.port, HOST, () =>
          socket.write(Buffer.from(bytes, 'hex')),
        );
        socket.on('error', () => undefined);
        socket.on('close', () => resolve());
        socket.resume();
      });
    await ended('1603010005ffffffffff');
    await ended(`16030100${'00'.repeat(300)}`);
    await ended('00');
    const silent = connectTls({ port: fixture.port, host: HOST, ca: authority.cert });
    await new Promise((resolve) => silent.on('close', resolve));
    const endpoint = `https://${HOST}:${fixture.port}`;
    expect(await call(endpoint, { ca: authority.cert })).toBe('unimplemented');
  });
});
