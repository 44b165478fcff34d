/** Our image for a target: built when its contents are new, found by their hash otherwise. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type Dockerode from 'dockerode';
import { ClusterError, type Target } from '../cluster.ts';
import { ensureBaseImage, finished, hasImage, type OnProgress } from './base-image.ts';
import { contextFiles, hashContext, stageContext } from './build-context.ts';
import { tolerate } from './daemon.ts';

const REPOSITORY = 'stormraft-node';
const IMAGE_LABEL = 'stormraft.image';
/** Every edit of the source makes an image of a few MB: beyond this the oldest go. */
const IMAGES_KEPT_MAX = 20;

/** The repository that this file is part of: it holds the tools that run beside the server. */
const REPOSITORY_ROOT = join(import.meta.dirname, '..', '..', '..');

export interface NodeImage {
  readonly name: string;
  readonly base: string;
}

/**
 * An image with the target and the tools, there when this returns. The same sources give the same
 * image; an edited copy of the server gets its own. Throws ClusterError.
 */
export async function ensureImage(
  docker: Dockerode,
  target: Target,
  onProgress: OnProgress,
): Promise<NodeImage> {
  const files = await contextFiles(REPOSITORY_ROOT, target);
  const base = await ensureBaseImage(docker, onProgress);
  const { Id } = await docker.getImage(base).inspect();
  const name = `${REPOSITORY}:${await hashContext(Id, files)}`;
  if (await hasImage(docker, name)) return { name, base };

  onProgress(`building ${name} on ${base}`);
  const context = await mkdtemp(join(tmpdir(), `storm-image-${process.pid}-`));
  try {
    await stageContext(context, files);
    await build(docker, context, name, base);
  } finally {
    await rm(context, { recursive: true, force: true });
  }
  await prune(docker);
  return { name, base };
}

async function build(
  docker: Dockerode,
  context: string,
  name: string,
  base: string,
): Promise<void> {
  const stream = await docker.buildImage(
    { context, src: ['.'] },
    {
      t: name,
      buildargs: { BASE_IMAGE: base },
      labels: { [IMAGE_LABEL]: '1' },
      rm: true,
      forcerm: true,
    },
  );
  const output: string[] = [];
  try {
    await finished(docker, stream, (text) => output.push(text));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    const tail = output.join('').trim().split('\n').slice(-15).join('\n');
    throw new ClusterError(`building ${name}: ${reason}\n${tail}`, { cause });
  }
}

async function prune(docker: Dockerode): Promise<void> {
  const images = await docker.listImages({ filters: { label: [IMAGE_LABEL] } });
  const oldest = images.sort((a, b) => b.Created - a.Created).slice(IMAGES_KEPT_MAX);
  for (const { Id } of oldest) {
    // 404: gone meanwhile. 409: in use, or the base of another.
    await tolerate(`removing image ${Id}`, [404, 409], () => docker.getImage(Id).remove());
  }
}
