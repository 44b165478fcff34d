/** The proxies in front of the members' peer ports. */

import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Links } from '../../cluster/process/links/links.ts';
import { choosePorts } from '../../cluster/process/ports.ts';
import { faultsThatNeed, inMs, no, type Probe, type ProbeResult, yes } from '../probe.ts';
import type { ProcessScratch } from './scratch.ts';

const SILENCE_MS = 300;
const ANSWER_MS_MAX = 10_000;
/** As a peer begins, from member 1 to member 2. */
const HELLO = 'STORMRAFT/1 c 1 2 log\n';

export const LINKS_PROBE: Probe<ProcessScratch> = {
  mechanism: 'TCP proxy links',
  backend: 'process',
  usedBy: faultsThatNeed(
    ...(['partition', 'link-delay', 'link-loss', 'link-rate'] as const),
    ...(['connection-reset', 'cable-pull'] as const),
  ),
  fallback: '--cluster docker, which cuts with a packet filter',
  async run(scratch) {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port: peerPort } = server.address() as AddressInfo;
    try {
      return await cutAndHeal(scratch, peerPort);
    } finally {
      server.close();
    }
  },
};

async function cutAndHeal(scratch: ProcessScratch, peerPort: number): Promise<ProbeResult> {
  const [unused, proxyPort] = await choosePorts(2, `${scratch.bench.runId}/links`);
  if (unused === undefined || proxyPort === undefined) return no('no free ports');
  const members = [
    { name: 'a', id: '1', proxyPort: unused, peerPort },
    { name: 'b', id: '2', proxyPort, peerPort },
  ];
  const logFd = openSync(join(scratch.directory, 'links.log'), 'w');
  const links = await Links.open(
    { protocol: 'stormraft', members },
    {
      runId: scratch.bench.runId,
      logFd,
      environment: scratch.environment,
      onSpawn: (pid) => scratch.adopt(pid),
    },
  ).finally(() => closeSync(logFd));
  const socket = connect(proxyPort, '127.0.0.1');
  socket.on('error', () => undefined);
  try {
    socket.write(HELLO);
    if (!(await hears(socket, ANSWER_MS_MAX))) return no('nothing passes an open link');
    await links.setCuts([{ from: 'a', to: 'b' }]);
    socket.write('held');
    if (await hears(socket, SILENCE_MS)) return no('bytes pass a cut link');
    const limit = AbortSignal.timeout(ANSWER_MS_MAX);
    // A reset is an error first; whether it came is read from the socket.
    const closed = once(socket, 'close', { signal: limit }).catch(() => undefined);
    const { clock } = scratch.bench;
    const startNs = clock.nowNs();
    await links.setCuts([]);
    await closed;
    if (!socket.destroyed) return no('the heal does not reset the connection');
    const healMs = (clock.nowNs() - startNs) / 1e6;
    return yes(`bytes stay on a cut link; the heal resets connections in ${inMs(healMs)}`);
  } finally {
    socket.destroy();
    await scratch.end(links.pid);
  }
}

async function hears(socket: Socket, limitMs: number): Promise<boolean> {
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(limitMs) });
    return true;
  } catch {
    return false;
  }
}
