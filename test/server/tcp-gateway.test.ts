import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, describe, expect, test } from 'vitest';
import { RealClock } from '../../src/host/real-clock.ts';
import { type HostPort, readGatewaySettings } from '../../src/server/gateway-settings.ts';
import { TcpGateway } from '../../src/server/tcp-gateway.ts';

const HOST = '127.0.0.1';
const nothing = () => undefined;
const LOG = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  return address.port;
}

/** Says its name and what it was told, once the client has ended. */
async function member(name: string): Promise<HostPort> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk;
    });
    socket.on('end', () => socket.end(`${name} ${heard}`));
  });
  await new Promise<void>((resolve) => server.listen({ host: HOST, port: 0 }, resolve));
  closing.push(() => new Promise((resolve) => server.close(resolve)));
  return { host: HOST, port: portOf(server) };
}

/** An address where nobody listens any more. */
async function gone(): Promise<HostPort> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen({ host: HOST, port: 0 }, resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return { host: HOST, port };
}

async function gatewayTo(endpoints: readonly HostPort[], retryMs = 60_000): Promise<TcpGateway> {
  const settings = { endpoints, listen: { host: HOST, port: 0 }, retryMs };
  const gateway = new TcpGateway(settings, { clock: new RealClock(), log: LOG });
  await gateway.open();
  closing.push(() => gateway.close());
  return gateway;
}

function say({ port }: TcpGateway, words: string): Promise<string> {
  const socket = connect({ host: HOST, port, allowHalfOpen: true });
  socket.end(words);
  return text(socket);
}

describe('the TCP gateway', () => {
  test('hands connections on to the members in turn, both ways, with half-closed ends', async () => {
    const gateway = await gatewayTo([await member('a'), await member('b')]);
    const answers = [await say(gateway, '1'), await say(gateway, '2'), await say(gateway, '3')];
    expect(answers).toEqual(['a 1', 'b 2', 'a 3']);
  });

  test('passes over who cannot be reached', async () => {
    const gateway = await gatewayTo([await gone(), await member('b')]);
    expect([await say(gateway, '1'), await say(gateway, '2')]).toEqual(['b 1', 'b 2']);
  });

  test('hangs up when nobody can be reached', async () => {
    const gateway = await gatewayTo([await gone()]);
    const hungUp = await say(gateway, '1').catch((error: NodeJS.ErrnoException) => error.code);
    expect(['', 'ECONNRESET']).toContain(hungUp);
  });

  test('a port in use is told in one line', async () => {
    const { port } = await member('a');
    const settings = {
      endpoints: [{ host: HOST, port }],
      listen: { host: HOST, port },
      retryMs: 0,
    };
    const gateway = new TcpGateway(settings, { clock: new RealClock(), log: LOG });
    await expect(gateway.open()).rejects.toThrow(`cannot listen on ${HOST}:${port} (EADDRINUSE)`);
  });
});

describe('its settings', () => {
  test('addresses may be URLs, and `start` may come anywhere', () => {
    const endpoints = '--endpoints=http://localhost:80,10.0.0.1:2379,https://[::1]:2379';
    expect(readGatewaySettings([endpoints, 'start', '--retry-delay', '1.5s'])).toEqual({
      endpoints: [
        { host: 'localhost', port: 80 },
        { host: '10.0.0.1', port: 2379 },
        { host: '::1', port: 2379 },
      ],
      listen: { host: '127.0.0.1', port: 23790 },
      retryMs: 1_500,
    });
  });

  test.each([
    [[], 'gateway: write gateway start'],
    [['start', '--endpoints', 'localhost'], 'endpoints: "localhost" is not HOST:PORT'],
    [['start', '--listen-addr', 'a:70000'], 'listen-addr: "a:70000" is not HOST:PORT'],
    [['start', '--retry-delay', 'soon'], 'retry-delay: "soon" is not a duration'],
    [['start', '--unheard-of'], 'gateway: Unknown option'],
  ])('%j is refused', (argv, words) => {
    expect(() => readGatewaySettings(argv)).toThrowError(words);
  });
});
