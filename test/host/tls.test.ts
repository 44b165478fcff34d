import { once } from 'node:events';
import { connect as connectPlain, createServer, type Server, type Socket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { afterEach, describe, expect, test } from 'vitest';
import { commonNameOf } from '../../src/api/common-name.ts';
import { TlsAcceptor } from '../../src/host/tls-acceptor.ts';
import { TlsContext } from '../../src/host/tls-context.ts';
import { connectTls } from '../../src/host/tls-dialler.ts';
import type { TlsSettings } from '../../src/host/tls-settings.ts';
import { KeptLog } from '../support/kept-log.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { crlPem, type Issued, TestAuthority, TlsDirectory } from '../support/test-certificates.ts';

/** A server that greets whoever gets through with the name it knows them by. */
interface Greeter {
  readonly port: number;
  readonly log: KeptLog;
  readonly clock: ManualClock;
}

const servers: Server[] = [];
const directories: TlsDirectory[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const directory of directories.splice(0)) directory[Symbol.dispose]();
});

function tlsDirectory(): TlsDirectory {
  const directory = new TlsDirectory();
  directories.push(directory);
  return directory;
}

function opened(settings: TlsSettings, clock = new ManualClock(), log = new KeptLog()): TlsContext {
  const context = TlsContext.open(settings, { clock, log });
  if (!context.ok) throw new Error(context.error);
  return context.value;
}

async function greet(settings: TlsSettings, alpnProtocols: string[] = []): Promise<Greeter> {
  const [clock, log] = [new ManualClock(), new KeptLog()];
  const acceptor = new TlsAcceptor({
    context: opened(settings, clock, log),
    clock,
    log,
    alpnProtocols,
    onSecure: (socket) => {
      socket.on('error', () => socket.destroy());
      socket.end(`hello ${commonNameOf(socket) ?? 'stranger'}`);
    },
  });
  const server = createServer((socket) => acceptor.accept(socket));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, log, clock };
}

/** All that the server says, or the word `refused`. */
async function said(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on('error', () => socket.destroy());
  await new Promise((resolve) => socket.on('close', resolve));
  return text === '' ? 'refused' : text;
}

function visit(port: number, options: ConnectionOptions): Promise<string> {
  return said(connect({ port, host: '127.0.0.1', ...options }));
}

function shown(issued: Issued): Pick<ConnectionOptions, 'cert' | 'key'> {
  return { cert: issued.cert, key: issued.key };
}

describe('TLS for who dials us', () => {
  test('without an authority anybody may come, and is nobody', async () => {
    const authority = new TestAuthority();
    const { port } = await greet(tlsDirectory().settings(authority.issue('s', ['127.0.0.1'])));
    expect(await visit(port, { ca: authority.cert })).toBe('hello stranger');
    const other = new TestAuthority();
    expect(await visit(port, { ca: other.cert })).toBe('refused');
  });

  test('with one, only its certificates are let in, by their common name', async () => {
    const [authority, other] = [new TestAuthority(), new TestAuthority()];
    const directory = tlsDirectory();
    const trustedCaFile = directory.write('ca.pem', authority.cert);
    const settings = directory.settings(authority.issue('s', ['127.0.0.1']), {
      trustedCaFile,
      requireClientCert: true,
    });
    const { port, log } = await greet(settings);
    const ca = authority.cert;
    expect(await visit(port, { ca, ...shown(authority.issue('alice')) })).toBe('hello alice');
    expect(await visit(port, { ca })).toBe('refused');
    expect(await visit(port, { ca, ...shown(other.issue('alice')) })).toBe('refused');
    expect(await visit(port, { ca, ...shown(authority.issue('old', [], -0.01)) })).toBe('refused');
    expect(log.lines).toContain('refused a TLS connection');
  });

  test('a dialler must come from an address that its certificate has, if it has any', async () => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const strict = directory.settings(authority.issue('s', ['127.0.0.1']), {
      trustedCaFile: directory.write('ca.pem', authority.cert),
      requireClientCert: true,
    });
    const ca = authority.cert;
    const [here, elsewhere] = [
      shown(authority.issue('here', ['localhost', '10.0.0.9'])),
      shown(authority.issue('elsewhere', ['10.0.0.9'])),
    ];
    const { port } = await greet(strict);
    expect(await visit(port, { ca, ...here })).toBe('hello here');
    expect(await visit(port, { ca, ...elsewhere })).toBe('refused');
    const lenient = await greet({ ...strict, skipClientSanVerification: true });
    expect(await visit(lenient.port, { ca, ...elsewhere })).toBe('hello elsewhere');
  });

  test('common names and host names may be restricted', async () => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const settings = directory.settings(authority.issue('s', ['127.0.0.1']), {
      trustedCaFile: directory.write('ca.pem', authority.cert),
      requireClientCert: true,
      skipClientSanVerification: true,
    });
    const ca = authority.cert;
    const byName = await greet({ ...settings, allowedCns: ['alice', 'carol'] });
    expect(await visit(byName.port, { ca, ...shown(authority.issue('carol')) })).toBe(
      'hello carol',
    );
    expect(await visit(byName.port, { ca, ...shown(authority.issue('bob')) })).toBe('refused');
    const byHost = await greet({
      ...settings,
      allowedHostnames: ['a.example.org', 'b.example.org'],
    });
    const good = authority.issue('good', ['*.example.org']);
    const bad = authority.issue('bad', ['example.org']);
    expect(await visit(byHost.port, { ca, ...shown(good) })).toBe('hello good');
    expect(await visit(byHost.port, { ca, ...shown(bad) })).toBe('refused');
  });

  test.each([
    ['DER', (list: Buffer) => list],
    ['PEM', (list: Buffer) => crlPem(list)],
  ])('a revoked certificate is refused (%s), also one revoked later', async (_, encode) => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const [alice, bob] = [authority.issue('alice'), authority.issue('bob')];
    const settings = directory.settings(authority.issue('s', ['127.0.0.1']), {
      trustedCaFile: directory.write('ca.pem', authority.cert),
      crlFile: directory.write('crl', encode(authority.revoke(bob.cert))),
      requireClientCert: true,
    });
    const { port, clock } = await greet(settings);
    const ca = authority.cert;
    expect(await visit(port, { ca, ...shown(alice) })).toBe('hello alice');
    expect(await visit(port, { ca, ...shown(bob) })).toBe('refused');
    directory.write('crl', encode(authority.revoke(alice.cert)));
    await clock.pass(1_000);
    expect(await visit(port, { ca, ...shown(alice) })).toBe('refused');
    expect(await visit(port, { ca, ...shown(bob) })).toBe('hello bob');
  });

  test('protocols are agreed on in the order of the server', async () => {
    const authority = new TestAuthority();
    const settings = tlsDirectory().settings(authority.issue('s', ['127.0.0.1']));
    const { port } = await greet(settings, ['h2', 'http/1.1']);
    const agreed = async (ALPNProtocols: string[]): Promise<unknown> => {
      const host = '127.0.0.1';
      const socket: TLSSocket = connect({ port, host, ca: authority.cert, ALPNProtocols });
      await once(socket, 'secureConnect');
      socket.destroy();
      return socket.alpnProtocol;
    };
    expect(await agreed(['http/1.1', 'h2'])).toBe('h2');
    expect(await agreed(['http/1.1'])).toBe('http/1.1');
  });

  test('versions and suites outside the settings are refused', async () => {
    const authority = new TestAuthority();
    const ca = authority.cert;
    const directory = tlsDirectory();
    const issued = authority.issue('s', ['127.0.0.1']);
    const old = await greet(directory.settings(issued, { maxVersion: 'TLSv1.2' }));
    expect(await visit(old.port, { ca, minVersion: 'TLSv1.3' })).toBe('refused');
    expect(await visit(old.port, { ca })).toBe('hello stranger');
    const suite = 'ECDHE-ECDSA-AES256-GCM-SHA384';
    const strict = await greet(directory.settings(issued, { cipherSuites: suite }));
    const offer = (ciphers: string): Promise<string> =>
      visit(strict.port, { ca, ciphers, maxVersion: 'TLSv1.2' });
    expect(await offer('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('refused');
    expect(await offer(suite)).toBe('hello stranger');
  });

  test('who hangs up or sends nonsense in the handshake harms nobody', async () => {
    const authority = new TestAuthority();
    const { port, log } = await greet(tlsDirectory().settings(authority.issue('s', ['127.0.0.1'])));
    const silent = connectPlain(port, '127.0.0.1');
    await once(silent, 'connect');
    silent.destroy();
    const nonsense = connectPlain(port, '127.0.0.1');
    nonsense.write(Buffer.from('16030100ff0000', 'hex'));
    nonsense.end();
    expect(await said(nonsense)).toBe('refused');
    expect(await visit(port, { ca: authority.cert })).toBe('hello stranger');
    expect(log.lines.length).toBeLessThanOrEqual(1);
  });
});

describe('files that change', () => {
  test('certificate and authority count from the next handshake on', async () => {
    const [before, after] = [new TestAuthority('before'), new TestAuthority('after')];
    const directory = tlsDirectory();
    const settings = directory.settings(before.issue('s', ['127.0.0.1']), {
      trustedCaFile: directory.write('ca.pem', before.cert),
      requireClientCert: true,
    });
    const { port, clock, log } = await greet(settings);
    const [alice, bob] = [shown(before.issue('alice')), shown(after.issue('bob'))];
    expect(await visit(port, { ca: before.cert, ...alice })).toBe('hello alice');
    expect(await visit(port, { ca: before.cert, ...bob })).toBe('refused');
    directory.write('ca.pem', after.cert);
    directory.settings(after.issue('s', ['127.0.0.1']));
    // Not looked at twice within a second.
    expect(await visit(port, { ca: before.cert, ...alice })).toBe('hello alice');
    await clock.pass(1_000);
    expect(await visit(port, { ca: after.cert, ...bob })).toBe('hello bob');
    expect(await visit(port, { ca: after.cert, ...alice })).toBe('refused');
    expect(log.lines).toContain('TLS files were read again');
  });

  test('a session from before an authority was replaced is not resumed', async () => {
    const [before, after] = [new TestAuthority('before'), new TestAuthority('after')];
    const directory = tlsDirectory();
    const issued = before.issue('s', ['127.0.0.1']);
    const settings = directory.settings(issued, {
      trustedCaFile: directory.write('ca.pem', before.cert),
      requireClientCert: true,
    });
    const { port, clock } = await greet(settings);
    const alice = { ca: before.cert, ...shown(before.issue('alice')), port, host: '127.0.0.1' };
    const first = connect(alice);
    const session = once(first, 'session').then(([bytes]) => bytes as Buffer);
    expect(await said(first)).toBe('hello alice');
    const resumed = connect({ ...alice, session: await session });
    expect(await said(resumed)).toBe('hello alice');
    directory.write('ca.pem', after.cert);
    await clock.pass(1_000);
    expect(await said(connect({ ...alice, session: await session }))).toBe('refused');
  });

  test('files that cannot be used change nothing, and are told once', async () => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const { port, clock, log } = await greet(
      directory.settings(authority.issue('s', ['127.0.0.1'])),
    );
    const visitNow = async (): Promise<string> => {
      await clock.pass(1_000);
      return visit(port, { ca: authority.cert });
    };
    const next = authority.issue('s', ['127.0.0.1']);
    // The key is not there yet, as in the middle of a replacement.
    directory.write('cert.pem', next.cert);
    expect(await visitNow()).toBe('hello stranger');
    expect(await visitNow()).toBe('hello stranger');
    expect(log.lines).toEqual(['new TLS files cannot be used; the old ones stay']);
    directory.write('key.pem', next.key);
    expect(await visitNow()).toBe('hello stranger');
    expect(log.lines.at(-1)).toBe('TLS files were read again');
    directory.write('cert.pem', 'nonsense');
    expect(await visitNow()).toBe('hello stranger');
    expect(log.lines.at(-1)).toBe('new TLS files cannot be used; the old ones stay');
  });

  test('at the start they are refused, by name', () => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const [one, two] = [authority.issue('one'), authority.issue('two')];
    const reasonOf = (settings: TlsSettings): string => {
      const ports = { clock: new ManualClock(), log: new KeptLog() };
      const context = TlsContext.open(settings, ports);
      return context.ok ? 'fine' : context.error;
    };
    expect(reasonOf(directory.settings(one))).toBe('fine');
    expect(reasonOf(directory.settings({ cert: one.cert, key: two.key }))).toMatch(
      /cert\.pem, .*key\.pem cannot be used .*must be a pair/,
    );
    const missing = `${directory.path}/missing.pem`;
    expect(reasonOf(directory.settings(one, { trustedCaFile: missing }))).toBe(
      `${missing} cannot be read (ENOENT)`,
    );
    const empty = directory.write('empty.pem', '');
    expect(reasonOf(directory.settings(one, { trustedCaFile: empty }))).toBe(
      `${empty} has no certificate of an authority in it`,
    );
    expect(reasonOf(directory.settings(one, { crlFile: empty }))).toBe(
      `${empty} is no certificate revocation list`,
    );
  });
});

describe('TLS for whom we dial', () => {
  async function dialled(context: TlsContext, port: number, host = '127.0.0.1'): Promise<string> {
    return said(connectTls(context, { host, port }, () => undefined));
  }

  test('both show their certificates, and look at the other', async () => {
    const [authority, other] = [new TestAuthority(), new TestAuthority()];
    const directory = tlsDirectory();
    const settings = directory.settings(authority.issue('peer', ['127.0.0.1', 'localhost']), {
      trustedCaFile: directory.write('ca.pem', authority.cert),
      requireClientCert: true,
    });
    const { port } = await greet(settings);
    expect(await dialled(opened(settings), port)).toBe('hello peer');
    expect(await dialled(opened({ ...settings, allowedCns: ['peer'] }), port)).toBe('hello peer');
    expect(await dialled(opened({ ...settings, allowedCns: ['another'] }), port)).toBe('refused');
    const strangers = directory.write('strangers.pem', other.cert);
    expect(await dialled(opened({ ...settings, trustedCaFile: strangers }), port)).toBe('refused');
  });

  test('a certificate of another host is refused', async () => {
    const authority = new TestAuthority();
    const directory = tlsDirectory();
    const trustedCaFile = directory.write('ca.pem', authority.cert);
    const settings = directory.settings(authority.issue('peer', ['10.0.0.9']));
    const { port } = await greet(settings);
    expect(await dialled(opened({ ...settings, trustedCaFile }), port)).toBe('refused');
  });

  test('self-signed ones are not looked at', async () => {
    const settings = tlsDirectory().settings(new TestAuthority().issue('x'), { selfSigned: true });
    const { port } = await greet(settings);
    expect(await dialled(opened(settings), port)).toBe('hello stranger');
  });
});
