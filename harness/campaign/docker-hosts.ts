/** The Docker daemons that a campaign's cells are spread over, one cell at a time on each. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { StormError } from '../exit-code.ts';
import { type Place, readTexts } from './read-values.ts';

export interface DockerHost {
  /** As the matrix file has it. */
  readonly name: string;
  /** For DOCKER_HOST. */
  readonly address: string;
}

const ALLOWED = 'give unix:///PATH, tcp://HOST:PORT or context:NAME';

/** Contexts are looked up where docker keeps them. Throws {@link StormError}. */
export function readHosts(place: Place, value: unknown): DockerHost[] {
  return readTexts(place, value).map((name) => {
    const context = /^context:(.+)$/.exec(name)?.[1];
    const address = context === undefined ? name : addressOfContext(place, context);
    if (/^unix:\/\/\/.|^tcp:\/\/[^/]+:\d+$/.test(address)) return { name, address };
    const isSsh = address.startsWith('ssh:');
    const why = isSsh ? 'the ports of members would be on that machine' : 'unknown';
    const fix = isSsh ? 'run a shard of the campaign there' : ALLOWED;
    throw new StormError(`${place}: ${name}: ${why}; ${fix}`);
  });
}

/**
 * Rejects with {@link StormError} unless this process's containers run on the daemon at the
 * address. The library that finds daemons takes the local one where it cannot reach DOCKER_HOST.
 */
export async function requireDaemon({ name, address }: DockerHost): Promise<void> {
  const { connectDaemon } = await import('../cluster/docker/daemon.ts');
  const { docker } = await connectDaemon();
  if (isDaemonAt(address, docker.modem as Connection)) return;
  throw new StormError(`hosts: ${name}: no Docker daemon answers there; start it`);
}

/** Where a connection to a daemon leads. */
export interface Connection {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number | string;
}

export function isDaemonAt(address: string, { socketPath, host, port }: Connection): boolean {
  const url = new URL(address);
  if (url.protocol === 'unix:') return socketPath === url.pathname;
  return socketPath === undefined && host === url.hostname && String(port) === url.port;
}

/** Docker keeps what it knows of a context in a directory named by the digest of its name. */
function addressOfContext(place: Place, context: string): string {
  const configuration = process.env.DOCKER_CONFIG ?? join(homedir(), '.docker');
  const digest = createHash('sha256').update(context).digest('hex');
  const file = join(configuration, 'contexts', 'meta', digest, 'meta.json');
  try {
    const { Endpoints } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly Endpoints: { readonly docker: { readonly Host: string } };
    };
    return Endpoints.docker.Host;
  } catch (cause) {
    throw new StormError(
      `${place}: context:${context}: docker has no such context; see docker context ls`,
      { cause },
    );
  }
}
