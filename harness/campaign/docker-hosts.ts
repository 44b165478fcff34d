/** The Docker daemons that a campaign's cells are spread over, one cell at a time on each. */
import { ClusterError } from '../cluster/cluster.ts';
import {
  ALLOWED_ADDRESSES,
  type DaemonAddress,
  daemonOfContext,
  isAddress,
} from '../cluster/docker/daemon-address.ts';
import { StormError } from '../exit-code.ts';
import { type Place, readTexts } from './read-values.ts';

export interface DockerHost {
  /** As the matrix file has it. */
  readonly name: string;
  /** For DOCKER_HOST. */
  readonly address: string;
  /** For DOCKER_CERT_PATH, where a context has certificates. */
  readonly tlsDirectory?: string;
}

/** Contexts are looked up where docker keeps them. Throws {@link StormError}. */
export function readHosts(place: Place, value: unknown): DockerHost[] {
  return readTexts(place, value).map((name) => {
    const context = /^context:(.+)$/.exec(name)?.[1];
    if (context !== undefined) return { name, ...ofContext(place, name, context) };
    if (isAddress(name)) return { name, address: name };
    throw new StormError(`${place}: ${name}: unknown; give ${ALLOWED_ADDRESSES} or context:NAME`);
  });
}

/** What leads the process of a cell to the host, beside what this process has. */
export function hostEnvironment({ address, tlsDirectory }: DockerHost): NodeJS.ProcessEnv {
  const tls = { DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: tlsDirectory };
  return { DOCKER_HOST: address, ...(tlsDirectory !== undefined && tls) };
}

/**
 * Rejects with {@link StormError} unless this process's containers run on the daemon of the host,
 * which its environment names.
 */
export async function requireDaemon({ name }: DockerHost): Promise<void> {
  const { connectDaemon } = await import('../cluster/docker/daemon.ts');
  try {
    await connectDaemon();
  } catch (cause) {
    if (!(cause instanceof ClusterError)) throw cause;
    throw new StormError(`hosts: ${name}: ${cause.message}`, { cause });
  }
}

function ofContext(place: Place, name: string, context: string): Omit<DockerHost, 'name'> {
  let found: DaemonAddress | undefined;
  try {
    found = daemonOfContext(context, `${place}: ${name}`);
  } catch (cause) {
    if (!(cause instanceof ClusterError)) throw cause;
    throw new StormError(cause.message, { cause });
  }
  if (found === undefined) throw new StormError(`${place}: ${name}: leave hosts out for that one`);
  const { url: address, tlsDirectory } = found;
  return tlsDirectory === undefined ? { address } : { address, tlsDirectory };
}
