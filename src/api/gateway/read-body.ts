import type { Readable } from 'node:stream';
import { err, ok, type Result } from '../../lib/result.ts';

export interface BodyLimits {
  readonly bytesMax: number;
  /** Between two pieces of the body. */
  readonly idleTimeoutMs: number;
}

/** `gone`: the client hung up, or has been silent for too long. */
export type BodyError = 'tooLarge' | 'gone';

/** The whole body of a request that is answered only once it is there. */
export function readBody(body: Readable, limits: BodyLimits): Promise<Result<Buffer, BodyError>> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (result: Result<Buffer, BodyError>): void => {
      clearTimeout(silence);
      body.off('data', take).off('end', end).off('close', gone);
      resolve(result);
    };
    const gone = (): void => finish(err('gone'));
    const end = (): void => finish(ok(Buffer.concat(chunks)));
    const take = (chunk: Buffer): void => {
      silence.refresh();
      bytes += chunk.length;
      if (bytes > limits.bytesMax) return finish(err('tooLarge'));
      chunks.push(chunk);
    };
    const silence = setTimeout(gone, limits.idleTimeoutMs);
    body.on('data', take).on('end', end).on('close', gone);
  });
}

const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: false });

/** `undefined` if the bytes are no UTF-8. */
export function textOf(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    // The only reason it can have.
    return undefined;
  }
}
