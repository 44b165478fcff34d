/** The one connection to the container runtime, and what its failures mean. */

import type Dockerode from 'dockerode';
import type { ContainerRuntimeClient } from 'testcontainers';
import { ClusterError } from '../cluster.ts';

/** How long the daemon may take to say who it is. */
const PROBE_TIMEOUT_MS = 5_000;

export interface Daemon {
  readonly client: ContainerRuntimeClient;
  /** The same connection for what testcontainers has no words for: kill, pause, logs. */
  readonly docker: Dockerode;
}

/**
 * Connects to the daemon that testcontainers finds (DOCKER_HOST, its own properties file, the
 * usual sockets). Throws ClusterError when none answers or when its ports are not on this host.
 */
export async function connectDaemon(): Promise<Daemon> {
  // Its reaper is an image of a public registry; ours is the sweep by labels. Read at first use.
  process.env.TESTCONTAINERS_RYUK_DISABLED = 'true';
  // Where it finds itself in a container it takes the bridge's gateway for the ports' address;
  // but a daemon behind a socket publishes ours on the loopback, container or not.
  const { DOCKER_HOST: daemon = 'unix:' } = process.env;
  if (daemon.startsWith('unix:')) process.env.TESTCONTAINERS_HOST_OVERRIDE ??= 'localhost';
  // Loaded here because it costs every start of the program a quarter of a second otherwise.
  const { getContainerRuntimeClient } = await import('testcontainers');
  let client: ContainerRuntimeClient;
  try {
    client = await getContainerRuntimeClient();
  } catch (cause) {
    throw new ClusterError('no container daemon answers: start Docker or set DOCKER_HOST', {
      cause,
    });
  }
  const { host } = client.info.containerRuntime;
  if (host !== 'localhost' && host !== '127.0.0.1') {
    throw new ClusterError(`the container daemon's ports are on ${host}: it must be local`);
  }
  return { client, docker: client.container.dockerode };
}

export interface DockerProbe {
  readonly available: boolean;
  /** The daemon's version and system, or in one line why there is none. */
  readonly detail: string;
}

/** Whether a usable daemon answers within 5 s. Never throws. */
export async function probeDocker(): Promise<DockerProbe> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new ClusterError(`the container daemon is silent for ${PROBE_TIMEOUT_MS} ms`)),
      PROBE_TIMEOUT_MS,
    );
  });
  try {
    const { client } = await Promise.race([connectDaemon(), late]);
    const { serverVersion, operatingSystem, cpus } = client.info.containerRuntime;
    return {
      available: true,
      detail: `Docker ${serverVersion} on ${operatingSystem}, ${cpus} CPUs`,
    };
  } catch (error) {
    return { available: false, detail: error instanceof Error ? error.message : String(error) };
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
