import { unlink } from 'node:fs';
import { connect, createServer } from 'node:net';
import { StartError } from './exit-code.ts';
import type { Settings } from './settings.ts';
import type { ListenAddress } from './urls.ts';

export async function checkAllPorts(settings: Settings): Promise<void> {
  const { listenPeer, listenClient, listenClientHttp, listenMetrics, sockets } = settings;
  await checkPorts('listen-peer-urls', listenPeer, [], sockets.reusePort);
  const forClients = [...listenClient, ...listenClientHttp, ...listenMetrics];
  await checkPorts('listen-client-urls', forClients, listenPeer, sockets.reusePort);
}

/**
 * Refuses before anything is opened or written: the client port is opened for good only when
 * the member can answer on it, and a port in use should not cost a start's worth of work.
 */
async function checkPorts(
  field: 'listen-peer-urls' | 'listen-client-urls',
  addresses: readonly ListenAddress[],
  /** Free now, and about to be this process's own. */
  ours: readonly ListenAddress[] = [],
  reusePort = false,
): Promise<void> {
  for (const address of addresses) {
    const { host, port, path, url } = address;
    const free = path === undefined ? tryListen(host, port, reusePort) : freeSocket(path);
    const code = ours.some((own) => isSame(own, address)) ? 'EADDRINUSE' : await free;
    if (code === undefined) continue;
    throw new StartError(
      'port',
      `${field}: cannot listen on ${url} (${code}); free the port or choose another`,
    );
  }
}

function isSame(a: ListenAddress, b: ListenAddress): boolean {
  return a.host === b.host && a.port === b.port && a.path === b.path;
}

/** As {@link tryListen}. What a process that was killed left there goes. */
function freeSocket(path: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ path }, () => {
      socket.destroy();
      resolve('EADDRINUSE');
    });
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED') unlink(path, (error) => resolve(error?.code));
      else resolve(code === 'ENOENT' ? undefined : code);
    });
  });
}

/** The system's error code, or undefined if the port is free. */
function tryListen(host: string, port: number, reusePort: boolean): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port, reusePort }, () => server.close(() => resolve(undefined)));
  });
}
