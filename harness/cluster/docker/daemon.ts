/** The one connection to the container runtime, and what its failures mean. */

import { lookup } from 'node:dns/promises';
import type Dockerode from 'dockerode';
import type { ContainerRuntimeClient } from 'testcontainers';
import { ClusterError } from '../cluster.ts';
import { type Connection, type DaemonAddress, isDaemonAt, namedDaemon } from './daemon-address.ts';

/** How long the daemon may take to say who it is. */
const PROBE_TIMEOUT_MS = 5_000;
/** Over ssh it takes a login first. */
const PROBE_SSH_TIMEOUT_MS = 20_000;

export interface Daemon {
  readonly client: ContainerRuntimeClient;
  /** The same connection for what testcontainers has no words for: kill, pause, logs. */
  readonly docker: Dockerode;
  readonly ports: PublishedPorts;
}

/** Where the ports that containers publish are: the daemon may be on another machine. */
export interface PublishedPorts {
  /** On the daemon's machine. */
  readonly bindIp: string;
  /** For URLs, from here. */
  readonly host: string;
  /** The numbers of published ports from here, once they are. Throws ClusterError. */
  reach(ports: readonly number[]): Promise<readonly number[]>;
}

const LOCAL_PORTS: PublishedPorts = {
  bindIp: '127.0.0.1',
  host: '127.0.0.1',
  reach: async (ports) => ports,
};

interface Prepared {
  readonly named: DaemonAddress | undefined;
  readonly ports: PublishedPorts;
}

/** The library remembers its first success for the life of the process, and so does this. */
let connection: Promise<Daemon> | undefined;
/** Apart from it, because a daemon may answer later, and a tunnel is not dug twice. */
let prepared: Prepared | undefined;

/**
 * Connects to the daemon that DOCKER_HOST, DOCKER_CONTEXT or docker's current context names, and
 * to no other then; else to the one that testcontainers finds. Throws ClusterError when it does
 * not answer.
 */
export async function connectDaemon(): Promise<Daemon> {
  connection ??= openConnection();
  try {
    return await connection;
  } catch (error) {
    connection = undefined;
    throw error;
  }
}

async function openConnection(): Promise<Daemon> {
  prepared ??= await prepare();
  const { named, ports } = prepared;
  // Its reaper is an image of a public registry; ours is the sweep by labels. Read at first use.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  // Where it finds itself in a container it takes the bridge's gateway for the ports' address;
  // but a daemon behind a socket publishes ours on the loopback, container or not.
  const { DOCKER_HOST: address = 'unix:' } = process.env;
  if (address.startsWith('unix:')) process.env.TESTCONTAINERS_HOST_OVERRIDE ??= 'localhost';
  // Loaded here because it costs every start of the program a quarter of a second otherwise.
  const { getContainerRuntimeClient } = await import('testcontainers');
  let client: ContainerRuntimeClient;
  try {
    client = await getContainerRuntimeClient();
  } catch (cause) {
    throw new ClusterError(whyNone(named), { cause });
  }
  const { dockerode: docker } = client.container;
  // The library takes another daemon where the named one does not answer.
  if (named !== undefined && !isDaemonAt(address, docker.modem as Connection)) {
    throw new ClusterError(whyNone(named));
  }
  return { client, docker, ports };
}

function whyNone(named: DaemonAddress | undefined): string {
  if (named === undefined) return 'no container daemon answers: start Docker or set DOCKER_HOST';
  return `no container daemon answers: ${named.source}: start Docker there, or name another`;
}

/** Leads the libraries to the named daemon: they read the environment. */
async function prepare(): Promise<Prepared> {
  const named = namedDaemon();
  if (named === undefined) return { named, ports: LOCAL_PORTS };
  const { url, tlsDirectory } = named;
  if (url.startsWith('ssh:')) {
    const { openSshTunnel } = await import('./ssh-tunnel.ts');
    const tunnel = await openSshTunnel(url);
    process.env.DOCKER_HOST = `unix://${tunnel.socketPath}`;
    return { named, ports: { ...LOCAL_PORTS, reach: (ports) => tunnel.reach(ports) } };
  }
  const isHere = url.startsWith('unix:') || url.startsWith('npipe:');
  // Published on the address by which we know the machine, and not on all that it has.
  const address = isHere ? '127.0.0.1' : await addressOf(named, new URL(url).hostname);
  if (tlsDirectory !== undefined) {
    Object.assign(process.env, { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: tlsDirectory });
  }
  process.env.DOCKER_HOST = url;
  return { named, ports: { ...LOCAL_PORTS, bindIp: address, host: address } };
}

async function addressOf({ source }: DaemonAddress, hostname: string): Promise<string> {
  try {
    return (await lookup(hostname, { family: 4 })).address;
  } catch (cause) {
    throw new ClusterError(`${source}: ${hostname} has no IPv4 address`, { cause });
  }
}

export interface DockerProbe {
  readonly available: boolean;
  /** The daemon's version and system, or in one line why there is none. */
  readonly detail: string;
  /** It may be there, and only slow: it has not answered in time. */
  readonly isSilent?: true;
}

class SilentDaemon extends ClusterError {}

/** Whether a usable daemon answers within 5 s, or 20 s over ssh. Never throws. */
export async function probeDocker(): Promise<DockerProbe> {
  let timer: NodeJS.Timeout | undefined;
  try {
    const isFar = prepared === undefined && namedDaemon()?.url.startsWith('ssh:') === true;
    const limitMs = isFar ? PROBE_SSH_TIMEOUT_MS : PROBE_TIMEOUT_MS;
    const late = new Promise<never>((_, reject) => {
      const silent = new SilentDaemon(`the container daemon is silent for ${limitMs} ms`);
      timer = setTimeout(() => reject(silent), limitMs);
    });
    const { client } = await Promise.race([connectDaemon(), late]);
    const { serverVersion, operatingSystem, cpus } = client.info.containerRuntime;
    return {
      available: true,
      detail: `Docker ${serverVersion} on ${operatingSystem}, ${cpus} CPUs`,
    };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { available: false, detail, ...(error instanceof SilentDaemon && { isSilent: true }) };
  } finally {
    clearTimeout(timer);
  }
}

/** The HTTP status of a daemon's refusal, undefined for any other error. */
export function statusOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  return typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/**
 * Runs a daemon call for which the listed statuses mean "already so". Any other refusal becomes a
 * ClusterError that says what was tried.
 */
export async function tolerate(
  what: string,
  statuses: readonly number[],
  call: () => Promise<unknown>,
): Promise<void> {
  try {
    await call();
  } catch (cause) {
    if (statuses.includes(statusOf(cause) ?? 0)) return;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError(`${what}: ${reason}`, { cause });
  }
}
