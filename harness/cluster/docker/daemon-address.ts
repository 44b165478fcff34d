/** Which container daemon was asked for by name: DOCKER_HOST, or a context of docker's. */

import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { ClusterError } from '../cluster.ts';

export interface DaemonAddress {
  /** As for DOCKER_HOST. */
  readonly url: string;
  /** Who asked for it, for messages: `DOCKER_HOST=tcp://…`, `DOCKER_CONTEXT=far (ssh://…)`. */
  readonly source: string;
  /** The directory of ca.pem, cert.pem and key.pem, where a context has them. */
  readonly tlsDirectory?: string;
}

/** What DOCKER_HOST may be. */
export const ALLOWED_ADDRESSES = 'unix:///PATH, tcp://HOST:PORT or ssh://[USER@]HOST[:PORT]';

const ADDRESS =
  /^(?:unix:\/\/\/.|npipe:\/\/.|(?:tcp|https?):\/\/[^/@\s]+:\d+\/?$|ssh:\/\/[^/-][^/\s]*)/;

/** Whether docker's programs would know what to do with it. */
export function isAddress(text: string): boolean {
  return ADDRESS.test(text) && URL.canParse(text);
}

/**
 * In docker's order: DOCKER_HOST, DOCKER_CONTEXT, the current context; undefined: none is named,
 * and the usual places are searched. Throws ClusterError for one that cannot be an address.
 */
export function namedDaemon(
  environment: NodeJS.ProcessEnv = process.env,
): DaemonAddress | undefined {
  const { DOCKER_HOST: host = '', DOCKER_CONTEXT: context = '' } = environment;
  if (host !== '') {
    const source = `DOCKER_HOST=${host}`;
    if (!isAddress(host)) throw new ClusterError(`${source}: give ${ALLOWED_ADDRESSES}`);
    return { url: host, source };
  }
  if (context !== '') return daemonOfContext(context, `DOCKER_CONTEXT=${context}`, environment);
  const current = currentContext(environment);
  if (current === undefined) return undefined;
  return daemonOfContext(current, `docker context ${current}`, environment);
}

/** Whether a certain daemon is wanted, be it a usable one or not: then no other will do. */
export function isDaemonNamed(environment: NodeJS.ProcessEnv = process.env): boolean {
  try {
    return namedDaemon(environment) !== undefined;
  } catch {
    return true;
  }
}

/**
 * Docker keeps what it knows of a context in a directory named by the digest of its name. The
 * context `default` is where docker looks without one: undefined. Throws ClusterError.
 */
export function daemonOfContext(
  context: string,
  source: string,
  environment: NodeJS.ProcessEnv = process.env,
): DaemonAddress | undefined {
  if (context === 'default') return undefined;
  const contexts = join(configurationDirectory(environment), 'contexts');
  const digest = createHash('sha256').update(context).digest('hex');
  let url: unknown;
  try {
    const file = join(contexts, 'meta', digest, 'meta.json');
    const { Endpoints } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly Endpoints: { readonly docker: { readonly Host: unknown } };
    };
    url = Endpoints.docker.Host;
  } catch (cause) {
    throw new ClusterError(`${source}: docker has no such context; see docker context ls`, {
      cause,
    });
  }
  if (typeof url !== 'string' || !isAddress(url)) {
    throw new ClusterError(`${source}: its address is ${url}, not ${ALLOWED_ADDRESSES}`);
  }
  const tlsDirectory = join(contexts, 'tls', digest, 'docker');
  const named = { url, source: `${source} (${url})` };
  return existsSync(join(tlsDirectory, 'cert.pem')) ? { ...named, tlsDirectory } : named;
}

function currentContext(environment: NodeJS.ProcessEnv): string | undefined {
  try {
    const file = join(configurationDirectory(environment), 'config.json');
    const { currentContext: name } = JSON.parse(readFileSync(file, 'utf8')) as {
      readonly currentContext?: unknown;
    };
    return typeof name === 'string' && name !== '' ? name : undefined;
  } catch {
    // Most machines have no such file, and what else is wrong with it is docker's to tell.
    return undefined;
  }
}

function configurationDirectory({ DOCKER_CONFIG }: NodeJS.ProcessEnv): string {
  return DOCKER_CONFIG === undefined || DOCKER_CONFIG === ''
    ? join(homedir(), '.docker')
    : DOCKER_CONFIG;
}

/** Where a connection to a daemon leads. */
export interface Connection {
  readonly socketPath?: unknown;
  readonly host?: string;
  readonly port?: number | string;
}

export function isDaemonAt(address: string, { socketPath, host, port }: Connection): boolean {
  const url = new URL(address);
  if (url.protocol === 'unix:' || url.protocol === 'npipe:') return socketPath === url.pathname;
  return socketPath === undefined && host === url.hostname && String(port) === url.port;
}
