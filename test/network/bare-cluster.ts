/** Members as plain processes on plain disks, with the links' proxies between them or without. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClusterConfig } from '../../harness/cluster/cluster.ts';
import { Links } from '../../harness/cluster/process/links/links.ts';
import { memberId } from '../../harness/cluster/process/member-id.ts';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import {
  childEnvironment,
  clientUrl,
  peerUrl,
  serverCommand,
} from '../../harness/cluster/process/programs.ts';

export interface BareCluster extends AsyncDisposable {
  readonly clientUrls: readonly string[];
}

export async function openBareCluster(
  config: ClusterConfig,
  { isProxied }: { readonly isProxied: boolean },
): Promise<BareCluster> {
  const directory = mkdtempSync(join(tmpdir(), 'storm-bare-'));
  const log = openSync(join(directory, 'log'), 'a');
  const ports = await choosePorts(3 * config.memberCount, `bare ${isProxied} ${process.pid}`);
  const addresses = Array.from({ length: config.memberCount }, (_, at) => {
    const [client, peer, proxy] = ports.slice(3 * at);
    return {
      name: `n${at + 1}`,
      ports: { client: client!, peer: peer!, proxy: isProxied ? proxy! : peer!, diskControl: 0 },
    };
  });
  const members = addresses.map(({ name, ports: own }) => ({
    name,
    id: memberId(peerUrl(own), config.runId),
    proxyPort: own.proxy,
    peerPort: own.peer,
  }));
  const host = {
    runId: config.runId,
    logFd: log,
    environment: childEnvironment(),
    onSpawn: (): void => undefined,
  };
  const setup = { protocol: config.target.kind, members };
  const links = isProxied ? await Links.open(setup, host) : undefined;
  const children = addresses.map((address): ChildProcess => {
    const dataDirectory = join(directory, address.name);
    const [program, ...flags] = serverCommand(config, { ...address, dataDirectory }, addresses);
    return spawn(program, flags, { env: host.environment, stdio: ['ignore', log, log] });
  });
  return {
    clientUrls: addresses.map((address) => clientUrl(address.ports)),
    async [Symbol.asyncDispose]() {
      for (const child of children) child.kill('SIGKILL');
      if (links !== undefined) process.kill(links.pid, 'SIGKILL');
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
