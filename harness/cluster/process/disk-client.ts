/** Orders to a member's disk, over its control port (`harness/disk/control.ts`). */

import {
  ClusterError,
  type DiskCounter,
  type DiskFault,
  type PowerLoss,
  type PowerLossReport,
} from '../cluster.ts';

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

export async function setDiskFault(port: number, fault: DiskFault): Promise<void> {
  await ask(port, 'PUT', '/fault', JSON.stringify(fault));
}

/** From then on the disk answers no operation: kill what uses it. */
export async function failPower(port: number, loss: PowerLoss): Promise<PowerLossReport> {
  const answer: unknown = JSON.parse(
    await ask(port, 'POST', '/power-failure', JSON.stringify(loss)),
  );
  if (!hasNumbers(answer, ['changes', 'bytes', 'torn', 'names'])) {
    throw new ClusterError('the disk answered something else');
  }
  return answer as PowerLossReport;
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
  return hasNumbers(value, ['syncs', 'delayedSyncs', 'delayedMeanMs']);
}

function hasNumbers(value: unknown, fields: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return fields.every((field) => typeof Reflect.get(value, field) === 'number');
}
