/** Whether a container here may mount FUSE, found out by trying. */

import type Dockerode from 'dockerode';
import { tolerate } from './daemon.ts';
import { demuxLogs } from './log-frames.ts';
import type { Labels } from './owner.ts';
import { FUSE_HOST_CONFIG } from './pod.ts';
import { DISK_PROBE_COMMAND } from './server-command.ts';

const PROBE_TIMEOUT_MS = 20_000;

export interface DiskProbe {
  readonly available: boolean;
  /** Why not, in one line; empty when available. */
  readonly reason: string;
}

/** Answers by image: neither the kernel nor the daemon's rights change under a running program. */
const answers = new Map<string, Promise<DiskProbe>>();

/** Tries in a scratch container, once per image and process. Never throws. */
export function probeDisk(docker: Dockerode, image: string, labels: Labels): Promise<DiskProbe> {
  const answer = answers.get(image) ?? probe(docker, image, labels);
  answers.set(image, answer);
  return answer;
}

async function probe(docker: Dockerode, image: string, labels: Labels): Promise<DiskProbe> {
  try {
    const container = await docker.createContainer({
      Image: image,
      Cmd: [...DISK_PROBE_COMMAND],
      Labels: labels,
      HostConfig: { ...FUSE_HOST_CONFIG, Init: true, NetworkMode: 'none' },
    });
    try {
      await container.start();
      const { StatusCode } = (await container.wait({
        abortSignal: AbortSignal.timeout(PROBE_TIMEOUT_MS),
      })) as { readonly StatusCode: number };
      if (StatusCode === 0) return { available: true, reason: '' };
      const words = demuxLogs(await container.logs({ stdout: true, stderr: true })).toString();
      return { available: false, reason: firstLine(words) ?? `the probe exits ${StatusCode}` };
    } finally {
      await tolerate('removing the probe', [404, 409], () => container.remove({ force: true }));
    }
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { available: false, reason: firstLine(text) ?? 'the probe failed' };
  }
}

function firstLine(text: string): string | undefined {
  return text.trim().split('\n')[0] || undefined;
}
