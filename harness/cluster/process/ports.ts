/** Free ports on 127.0.0.1, to keep for a whole run. */

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { ClusterError } from '../cluster.ts';

/** Below are the ports of well-known services. */
const PORT_MIN = 10_240;

/**
 * `count` ports, free right now. They lie below the range from which the kernel takes the source
 * ports of outgoing connections, so that no connection can occupy the port of a killed member. The
 * search starts at a place that depends on `seed`: concurrent runs look elsewhere.
 */
export async function choosePorts(count: number, seed: string): Promise<readonly number[]> {
  const limit = ephemeralStart();
  const span = limit - PORT_MIN;
  const offset = createHash('sha1').update(seed).digest().readUInt32BE(0);
  const chosen: number[] = [];
  for (let i = 0; i < span && chosen.length < count; i++) {
    const port = PORT_MIN + ((offset + i) % span);
    if (await isFree(port)) chosen.push(port);
  }
  if (chosen.length < count) throw new ClusterError(`no ${count} free ports on 127.0.0.1`);
  return chosen;
}

function ephemeralStart(): number {
  const usual = 32_768;
  try {
    const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
    const start = Number.parseInt(range, 10);
    return start > PORT_MIN + 1000 ? start : usual;
  } catch {
    // Not Linux: IANA's range starts higher still.
    return usual;
  }
}

function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const server = createServer();
  server.once('error', () => resolve(false));
  server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
    server.close(() => resolve(true));
  });
  return promise;
}
