/** Orders to a member's disk, over its control port (`harness/disk/control.ts`). */

import { ClusterError, type DiskCounter } from '../cluster.ts';

/** The disk answers in well under a millisecond unless its process is stopped or starved. */
const ANSWER_MS_MAX = 5_000;

export async function setFsyncDelay(port: number, delayMs: number): Promise<void> {
  await ask(port, 'PUT', '/fsync-delay', JSON.stringify({ delayMs }));
}

export async function readDiskCounter(port: number): Promise<DiskCounter> {
  const answer: unknown = JSON.parse(await ask(port, 'GET', '/counters'));
  if (!isDiskCounter(answer)) throw new ClusterError('the disk answered something else');
  return answer;
}

async function ask(port: number, method: string, path: string, body?: string): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      // The port outlives the process behind it: no connection is worth keeping.
      headers: { connection: 'close' },
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
      body: body ?? null,
    });
    const text = await response.text();
    if (response.ok) return text;
    throw new ClusterError(`disk control: ${response.status} ${text.trim()}`);
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw new ClusterError(`the disk on port ${port} does not answer`, { cause: error });
  }
}

function isDiskCounter(value: unknown): value is DiskCounter {
  if (typeof value !== 'object' || value === null) return false;
  return ['syncs', 'delayedSyncs', 'delayedMeanMs'].every(
    (field) => field in value && typeof Reflect.get(value, field) === 'number',
  );
}
