/**
 * `--target etcd:IMAGE`: the etcd of a container image, copied out of it once and run as any other
 * binary, on processes or in the nodes' own image. The image must be there: nothing is pulled.
 */
import { createHash } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix } from 'node:path';
import type Dockerode from 'dockerode';
import { ClusterError, type Target } from '../cluster/cluster.ts';
import { isProgram } from '../options.ts';
import { firstFile } from './tar.ts';

/** Where images have it, besides what they run by themselves. */
const PLACES = ['/usr/local/bin/etcd', '/usr/bin/etcd', '/opt/bitnami/etcd/bin/etcd', '/etcd'];
const BINARY_BYTES_MAX = 512 * 1024 * 1024;
const LINKS_MAX = 4;

/** The target with the path of a binary on this machine. Throws {@link ClusterError}. */
export async function withBinary(target: Target): Promise<Target> {
  if (target.kind !== 'etcd' || target.image === undefined || target.path !== '') return target;
  const { image } = target;
  const { connectDaemon, statusOf } = await import('../cluster/docker/daemon.ts');
  const field = `--target etcd:${image}`;
  let docker: Dockerode;
  try {
    ({ docker } = await connectDaemon());
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const fix = "give etcd's full path";
    throw new ClusterError(`${field}: no such file, and for an image ${reason}; ${fix}`, { cause });
  }
  let details: Dockerode.ImageInspectInfo;
  try {
    details = await docker.getImage(image).inspect();
  } catch (cause) {
    if (statusOf(cause) !== 404) throw cause;
    const fix = "give etcd's full path, or docker pull the image";
    throw new ClusterError(`${field}: no such file, and no such image; ${fix}`, { cause });
  }
  const directory = ownDirectory(details.Id);
  const path = join(directory, 'etcd');
  if (isProgram(path)) return { ...target, path };
  const binary = await copyOut(docker, image, placesIn(details));
  if (binary === undefined) {
    throw new ClusterError(`${field}: no etcd in the image; give one that has it in ${PLACES[0]}`);
  }
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, binary);
  chmodSync(temporary, 0o755);
  renameSync(temporary, path);
  return { ...target, path };
}

/** What the image runs by itself may be an etcd, too. */
function placesIn({ Config }: Dockerode.ImageInspectInfo): readonly string[] {
  const own = [...[Config.Entrypoint ?? []].flat(), ...(Config.Cmd ?? [])];
  const named = own.filter((word) => posix.isAbsolute(word) && posix.basename(word) === 'etcd');
  return [...named, ...PLACES];
}

/** Nobody else may put a program there. */
function ownDirectory(imageId: string): string {
  const root = join(tmpdir(), `stormraft-etcd-images-${process.getuid?.() ?? 0}`);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const { uid, mode } = lstatSync(root);
  if (process.getuid !== undefined && (uid !== process.getuid() || (mode & 0o022) !== 0)) {
    throw new ClusterError(`${root} belongs to others, or they may write to it; remove it`);
  }
  const name = createHash('sha256').update(imageId).digest('hex').slice(0, 16);
  const directory = join(root, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  return directory;
}

async function copyOut(
  docker: Dockerode,
  image: string,
  places: readonly string[],
): Promise<Buffer | undefined> {
  const { currentOwner, runLabels } = await import('../cluster/docker/owner.ts');
  // Never started; should this process be killed, a sweep removes it.
  const Labels = { ...runLabels('etcd-image', currentOwner()) };
  const container = await docker.createContainer({ Image: image, Cmd: ['etcd'], Labels });
  try {
    for (const place of places) {
      const file = await fileIn(container, place);
      if (file !== undefined) return file;
    }
    return undefined;
  } finally {
    await container.remove({ force: true, v: true });
  }
}

async function fileIn(container: Dockerode.Container, place: string): Promise<Buffer | undefined> {
  const { statusOf } = await import('../cluster/docker/daemon.ts');
  let path = place;
  for (let at = 0; at < LINKS_MAX; at++) {
    let archive: Buffer;
    try {
      archive = await wholeOf(await container.getArchive({ path }));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
    const entry = firstFile(archive);
    if (entry === undefined) return undefined;
    if (entry.type === 'file') return entry.content;
    path = posix.resolve(posix.dirname(path), entry.target);
  }
  return undefined;
}

async function wholeOf(stream: NodeJS.ReadableStream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk as Buffer);
    sizeBytes += bytes.length;
    if (sizeBytes > BINARY_BYTES_MAX) {
      throw new ClusterError(`an etcd of more than ${BINARY_BYTES_MAX} bytes`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
