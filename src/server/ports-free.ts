import { createServer } from 'node:net';
import { StartError } from './exit-code.ts';
import type { ListenAddress } from './urls.ts';

/**
 * Refuses before anything is opened or written: the client port is opened for good only when
 * the member can answer on it, and a port in use should not cost a start's worth of work.
 */
export async function checkPorts(addresses: readonly ListenAddress[]): Promise<void> {
  for (const { host, port, url } of addresses) {
    const code = await tryListen(host, port);
    if (code === undefined) continue;
    throw new StartError(
      'port',
      `listen-client-urls: cannot listen on ${url} (${code}); free the port or choose another`,
    );
  }
}

/** The system's error code, or undefined if the port is free. */
function tryListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen({ host, port }, () => server.close(() => resolve(undefined)));
  });
}
