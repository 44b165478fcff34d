import { execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';

/** The real etcd and its tool, for tests that our files are theirs and theirs are ours. */

const run = promisify(execFile);

/**
 * True if a test that needs the command must be skipped here: it is not installed. In CI it
 * never is, so that such a test fails there instead of passing unseen.
 */
export function isMissing(command: 'etcd' | 'etcdctl'): boolean {
  if (process.env.CI === 'true') return false;
  return !(process.env.PATH ?? '').split(path.delimiter).some((directory) => {
    try {
      accessSync(path.join(directory, command), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** What `etcdctl` printed. */
export async function etcdctl(...args: string[]): Promise<string> {
  const env = { ...process.env, ETCDCTL_API: '3' };
  return (await run('etcdctl', args, { env, timeout: 20_000 })).stdout.trim();
}

/** Runs one etcd on the directory, on loopback, until `use` has ended. */
export async function withEtcd(
  dataDirectory: string,
  use: (endpoint: string) => Promise<void>,
  extra: { readonly name?: string; readonly isRestored?: boolean } = {},
): Promise<void> {
  const [clientUrl, peerUrl] = (await freePorts(2)).map((port) => `http://127.0.0.1:${port}`);
  const name = extra.name ?? 'default';
  const flags = ['--name', name, '--data-dir', dataDirectory];
  flags.push('--listen-client-urls', clientUrl!, '--advertise-client-urls', clientUrl!);
  flags.push('--listen-peer-urls', peerUrl!);
  // A restored directory knows its cluster; a fresh one is told.
  if (extra.isRestored !== true) {
    flags.push(
      '--initial-advertise-peer-urls',
      peerUrl!,
      '--initial-cluster',
      `${name}=${peerUrl}`,
    );
  }
  const server = spawn('etcd', flags, { stdio: 'ignore' });
  const exited = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  try {
    await untilHealthy(clientUrl!);
    await use(clientUrl!);
  } finally {
    server.kill('SIGTERM');
    await exited;
  }
}

async function untilHealthy(endpoint: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await etcdctl('--endpoints', endpoint, 'endpoint', 'health');
      return;
    } catch (error) {
      if (attempt === 10) throw error;
    }
  }
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
