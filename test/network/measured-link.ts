/** Two echo ends with the links of a backend between them, for measuring what links do. */

import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { connectDaemon } from '../../harness/cluster/docker/daemon.ts';
import { ensureImage } from '../../harness/cluster/docker/image.ts';
import { createNetwork, networkName } from '../../harness/cluster/docker/network.ts';
import { NodeLinks } from '../../harness/cluster/docker/node-links.ts';
import { currentOwner, runLabels } from '../../harness/cluster/docker/owner.ts';
import { startHolder, startServer } from '../../harness/cluster/docker/pod.ts';
import { PORTS } from '../../harness/cluster/docker/server-command.ts';
import { removeRun } from '../../harness/cluster/docker/sweep.ts';
import { Links } from '../../harness/cluster/process/links/links.ts';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { childEnvironment } from '../../harness/cluster/process/programs.ts';
import type { LinkQuality } from '../../harness/network/link-quality.ts';
import type { LinkTally } from '../../harness/network/link-tally.ts';
import { ECHO_SCRIPT, type EchoResult, PROBE_SCRIPT } from './echo-pair.ts';

const execute = promisify(execFile);

/** From a to b; the other direction is always good. */
export interface MeasuredLink extends AsyncDisposable {
  readonly name: string;
  setQuality(quality: LinkQuality): Promise<void>;
  tally(): Promise<LinkTally>;
  /** `direct`: past whatever the backend has in the path; `proxied` may be the same. */
  probe(count: number, bulkBytes: number, path: 'direct' | 'proxied'): Promise<EchoResult>;
}

export async function openProcessLink(): Promise<MeasuredLink> {
  const [echo, proxy, otherProxy, otherPeer] = await choosePorts(4, `measure ${process.pid}`);
  const server = spawn(process.execPath, ['-e', ECHO_SCRIPT, String(echo)], { stdio: 'ignore' });
  const log = openSync(join(mkdtempSync(join(tmpdir(), 'storm-measure-')), 'links.log'), 'a');
  const members = [
    { name: 'a', id: '1', proxyPort: otherProxy!, peerPort: otherPeer! },
    { name: 'b', id: '2', proxyPort: proxy!, peerPort: echo! },
  ];
  const links = await Links.open(
    { protocol: 'stormraft', members },
    {
      runId: `measure-${process.pid}`,
      logFd: log,
      environment: childEnvironment(),
      onSpawn: () => undefined,
    },
  );
  await sleep(300);
  return {
    name: 'process',
    setQuality: (quality) => links.setQualities([{ from: 'a', to: 'b', quality }]),
    tally: async () => (await links.readings()).tally,
    async probe(count, bulkBytes, path) {
      const port = path === 'direct' ? echo : proxy;
      const script = [PROBE_SCRIPT, '127.0.0.1', port, count, bulkBytes].map(String);
      const { stdout } = await execute(process.execPath, ['-e', ...script]);
      return JSON.parse(stdout);
    },
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL');
      process.kill(links.pid, 'SIGKILL');
    },
  };
}

export async function openDockerLink(): Promise<MeasuredLink> {
  const { docker } = await connectDaemon();
  const runId = `measure-${process.pid}`;
  const labels = runLabels(runId, currentOwner());
  const root = resolve(import.meta.dirname, '../..');
  const image = await ensureImage(docker, { kind: 'stormraft', root }, () => undefined);
  const network = networkName(runId);
  await createNetwork(docker, network, labels);
  const part = (name: string): Parameters<typeof startServer>[0] => ({
    image: image.name,
    containerName: `storm-${runId}-${name}`,
    labels,
  });
  const open = async (name: string, command: readonly string[]): Promise<readonly string[]> => {
    const holder = await startHolder(part(`${name}-holder`), { hostname: name, network });
    const id = await startServer(part(name), { holderId: holder.id, command, fuse: false });
    if (name === 'b') links = new NodeLinks(holder, docker.getNetwork(network));
    return [holder.ip, id];
  };
  let links: NodeLinks | undefined;
  const [ip] = await open('b', ['node', '-e', ECHO_SCRIPT, String(PORTS.peer)]);
  const [aIp, client] = await open('a', ['node', '-e', 'setInterval(() => undefined, 60_000)']);
  await links!.filter();
  const good = { lossPercent: 0, duplicatePercent: 0, delayMs: 0, jitterMs: 0 } as const;
  const outgoing: LinkQuality = {
    ...good,
    distribution: 'uniform',
    reorders: false,
    rateBytesPerS: 0,
  };
  return {
    name: 'docker',
    setQuality: (quality) => links!.shape([{ ip: aIp!, incoming: quality, outgoing }]),
    tally: () => links!.tally(),
    async probe(count, bulkBytes) {
      const script = [PROBE_SCRIPT, ip, PORTS.peer, count, bulkBytes].map(String);
      const { stdout } = await execute('docker', ['exec', client!, 'node', '-e', ...script]);
      return JSON.parse(stdout);
    },
    async [Symbol.asyncDispose]() {
      await removeRun(runId);
    },
  };
}
