/**
 * The image below ours: Node 26 on Debian. From a registry where one answers; else made here out
 * of Debian packages and the Node that runs this program.
 */

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type Dockerode from 'dockerode';
import { ClusterError } from '../cluster.ts';
import { statusOf } from './daemon.ts';

/** Told one line of text at every step that may take long. */
export type OnProgress = (line: string) => void;

/** Names an image to use as the base instead of all others. */
const BASE_IMAGE_VARIABLE = 'STORM_BASE_IMAGE';
const OFFICIAL_IMAGE = 'node:26-slim';
const OWN_REPOSITORY = 'stormraft-base';

/** A registry that has not said a word by then is taken for absent. */
const PULL_FIRST_WORD_MS = 10_000;
const PULL_MS_MAX = 300_000;
const BOOTSTRAP_MS_MAX = 600_000;

/**
 * iptables and nft: cuts; tc: bandwidth; mount: FUSE; faketime: clocks; the libraries: Node's.
 * minbase has the rest.
 */
const PACKAGES = [
  'iptables',
  'nftables',
  'iproute2',
  'mount',
  'faketime',
  'libatomic1',
  'libstdc++6',
] as const;
/** Raised when the recipe below changes in a way that the tag does not show. */
const RECIPE = 2;
const FALLBACK_SUITE = 'bookworm';

/**
 * The name of a base image that is there when this returns: $STORM_BASE_IMAGE, else a local
 * node:26-slim, else one made earlier, else pulled, else made now (about half a minute).
 * Throws ClusterError with what would help.
 */
export async function ensureBaseImage(docker: Dockerode, onProgress: OnProgress): Promise<string> {
  const given = process.env[BASE_IMAGE_VARIABLE];
  if (given !== undefined && given !== '') {
    if (await hasImage(docker, given)) return given;
    onProgress(`pulling ${given}`);
    const failure = await pull(docker, given);
    if (failure === undefined) return given;
    throw new ClusterError(`${BASE_IMAGE_VARIABLE}=${given} cannot be had: ${failure}`);
  }
  if (await hasImage(docker, OFFICIAL_IMAGE)) return OFFICIAL_IMAGE;
  const own = ownImage();
  if (await hasImage(docker, own.name)) return own.name;
  onProgress(`pulling ${OFFICIAL_IMAGE}`);
  const failure = await pull(docker, OFFICIAL_IMAGE);
  if (failure === undefined) return OFFICIAL_IMAGE;
  onProgress(`no registry (${failure}): making ${own.name} from Debian packages`);
  await bootstrap(docker, own);
  return own.name;
}

export async function hasImage(docker: Dockerode, name: string): Promise<boolean> {
  try {
    await docker.getImage(name).inspect();
    return true;
  } catch (error) {
    if (statusOf(error) === 404) return false;
    throw error;
  }
}

/** Undefined when pulled, else one line of why not. */
async function pull(docker: Dockerode, name: string): Promise<string | undefined> {
  const abort = new AbortController();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  abort.signal.addEventListener('abort', () => reject(abort.signal.reason));
  // Nobody may be racing against it when it rejects.
  aborted.catch(() => undefined);
  const giveUp = (): void => abort.abort(new Error('the registry is silent'));
  let timer = setTimeout(giveUp, PULL_FIRST_WORD_MS);
  try {
    const stream = await docker.createImage({ fromImage: name, abortSignal: abort.signal });
    clearTimeout(timer);
    timer = setTimeout(giveUp, PULL_MS_MAX);
    // The daemon's connection may stay open after the abort, without an end and without an error.
    await Promise.race([finished(docker, stream), aborted]);
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  } finally {
    clearTimeout(timer);
  }
}

interface OwnImage {
  readonly name: string;
  readonly tag: string;
  readonly suite: string;
  readonly sources: readonly string[];
}

function ownImage(): OwnImage {
  const { suite, sources } = debianOfHost();
  const recipe = [RECIPE, suite, PACKAGES.join(), process.version, process.arch].join(' ');
  const tag = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  return { name: `${OWN_REPOSITORY}:${tag}`, tag, suite, sources };
}

/**
 * On Debian the image gets the release of this host (Node is copied from here, so the C library
 * must not be older) and its package sources; elsewhere mmdebstrap's own defaults.
 */
function debianOfHost(): { readonly suite: string; readonly sources: readonly string[] } {
  const release = existsSync('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '';
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(release)?.[1];
  if (!/^ID=debian$/m.test(release) || codename === undefined) {
    return { suite: FALLBACK_SUITE, sources: [] };
  }
  const files = ['/etc/apt/sources.list.d/debian.sources', '/etc/apt/sources.list'];
  const usable = files.filter((f) => existsSync(f) && readFileSync(f, 'utf8').includes(codename));
  return { suite: codename, sources: usable.slice(0, 1) };
}

/** Packs a minimal Debian with this program's own Node into an image. */
async function bootstrap(docker: Dockerode, { tag, suite, sources }: OwnImage): Promise<void> {
  if (process.platform !== 'linux') {
    throw new ClusterError(
      `no registry answers and a base image can only be made on Linux: set ${BASE_IMAGE_VARIABLE}`,
    );
  }
  const child = spawn(
    'mmdebstrap',
    [
      '--quiet',
      '--variant=minbase',
      `--include=${PACKAGES.join()}`,
      `--customize-hook=upload "${process.execPath}" /usr/local/bin/node`,
      '--customize-hook=chmod 755 "$1/usr/local/bin/node"',
      suite,
      '-',
      ...sources,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], timeout: BOOTSTRAP_MS_MAX },
  );
  let lastWords = '';
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = (lastWords + chunk.toString()).slice(-2_000);
  });
  const exited = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  try {
    const imported = docker
      .importImage(child.stdout)
      .then((stream) => finished(docker, stream))
      .then((events) => /sha256:\w+/.exec(JSON.stringify(events))?.[0]);
    const [code, id] = await Promise.all([exited, imported]);
    // Named only now: half an image must not be found by the next run.
    if (code !== 0 || id === undefined) throw new Error(`mmdebstrap: exit ${code}: ${lastWords}`);
    await docker.getImage(id).tag({ repo: OWN_REPOSITORY, tag });
  } catch (cause) {
    child.kill();
    const reason = cause instanceof Error ? cause.message : String(cause);
    const remedy = `install mmdebstrap, or name an image with Node 26 in ${BASE_IMAGE_VARIABLE}`;
    throw new ClusterError(`no base image: ${remedy} (${reason.trim()})`, { cause });
  }
}

/**
 * Waits for the end of the daemon's progress lines, whose plain output goes to `onOutput`; rejects
 * with the error that one of them carries.
 */
export function finished(
  docker: Dockerode,
  stream: NodeJS.ReadableStream,
  onOutput: (text: string) => void = () => undefined,
): Promise<readonly unknown[]> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error, events) => {
        if (error === null) resolve(events);
        else reject(error);
      },
      (event: { readonly stream?: string }) => onOutput(event.stream ?? ''),
    );
  });
}
