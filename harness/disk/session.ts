/** The conversation with the kernel: reads requests off the device until the disk is unmounted. */

import { read, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { answer, kindOf, WRITE_BYTES_MAX } from './dispatch.ts';
import type { Disk } from './operations/disk.ts';
import { REQUEST_HEADER_BYTES, WRITE_BODY_BYTES } from './protocol/format.ts';
import { decodeRequest, type Request } from './protocol/request.ts';

/**
 * Reads of the device under way at once, each with a buffer of its own. Each holds a thread of
 * the pool; with two, one request can be fetched while another is being answered.
 */
export const READERS = 2;

/** The kernel refuses to talk to a reader whose buffer is too small for the largest WRITE. */
const BUFFER_BYTES = Math.max(8192, REQUEST_HEADER_BYTES + WRITE_BODY_BYTES + WRITE_BYTES_MAX);

const readDevice = promisify(read);

/** What a read may fail with while the mount is fine: try again. */
const RETRIED = new Set(['EINTR', 'EAGAIN', 'ENOENT']);
/** A reply may be late: its caller was killed, or the disk unmounted. Nobody misses it. */
const LATE = new Set(['ENOENT', 'ENODEV']);

export interface Session {
  /** Resolves once the kernel has been answered for the first time: the mount works. */
  readonly ready: Promise<void>;
  /** Resolves when the disk is no longer mounted; rejects on a bug of this program. */
  readonly ended: Promise<void>;
}

/** Serves `disk` on `deviceFd`, an open of `/dev/fuse` that is mounted already. */
export function serve(deviceFd: number, disk: Disk): Session {
  const ready = Promise.withResolvers<void>();
  const failed = Promise.withResolvers<never>();
  const reader = async (): Promise<void> => {
    const buffer = Buffer.alloc(BUFFER_BYTES);
    for (;;) {
      const sizeBytes = await nextRequest(deviceFd, buffer);
      if (sizeBytes === 'unmounted') return;
      const request = decodeRequest(buffer.subarray(0, sizeBytes));
      const kind = kindOf(request.body);
      if (request.body.op === 'init') {
        await reply(deviceFd, disk, request);
        ready.resolve();
      } else if (kind === 'sync' || disk.powerFailed || disk.faults.mayWait(kind)) {
        // May take seconds, or for ever: on with the next request. The loop ends with its failure.
        reply(deviceFd, disk, lasting(request)).catch(failed.reject);
      } else {
        await reply(deviceFd, disk, request);
      }
    }
  };
  const readers = Array.from({ length: READERS }, reader);
  const ended = Promise.race([Promise.all(readers).then(() => undefined), failed.promise]);
  return { ready: ready.promise, ended };
}

/** The request without its view of the buffer that the next one is read into. */
function lasting(request: Request): Request {
  const { body } = request;
  if (body.op !== 'write') return request;
  return { ...request, body: { ...body, data: Buffer.from(body.data) } };
}

async function nextRequest(deviceFd: number, buffer: Buffer): Promise<number | 'unmounted'> {
  for (;;) {
    try {
      return (await readDevice(deviceFd, buffer, 0, buffer.length, null)).bytesRead;
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENODEV' || code === 'ECONNABORTED') return 'unmounted';
      if (!RETRIED.has(code)) throw error;
    }
  }
}

async function reply(deviceFd: number, disk: Disk, request: Request): Promise<void> {
  const bytes = await answer(disk, request);
  if (bytes === undefined) return;
  try {
    writeSync(deviceFd, bytes);
  } catch (error) {
    if (!LATE.has(codeOf(error))) throw error;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
