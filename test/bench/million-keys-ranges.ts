/**
 * A process of its own that asks one member for everything, many times at once, and throws the
 * answers away as they come: what many such answers take would hide what the server does.
 */
import { connect } from 'node:http2';
import { rangeRequest } from '../../src/client/requests.ts';
import { GRPC_PREFIX_BYTES, sealFrame } from '../../src/wire/grpc-frame.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import { writeRangeRequest } from '../../src/wire/range-messages.ts';

export interface RangesJob {
  readonly endpoint: string;
  readonly count: number;
}

export interface RangesResult {
  /** `grpc-status` of each, with how often it came; `none`: the stream ended without one. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly answeredBytes: number;
  readonly tookMs: number;
}

const WINDOW_BYTES = 16 * 1024 * 1024;

async function ask(job: RangesJob): Promise<RangesResult> {
  const start = performance.now();
  const answers = await Promise.all(Array.from({ length: job.count }, () => askOnce(job.endpoint)));
  const statuses: Record<string, number> = {};
  let answeredBytes = 0;
  for (const { status, sizeBytes } of answers) {
    statuses[status] = (statuses[status] ?? 0) + 1;
    answeredBytes += sizeBytes;
  }
  return { statuses, answeredBytes, tookMs: performance.now() - start };
}

function askOnce(endpoint: string): Promise<{ status: string; sizeBytes: number }> {
  const { promise, resolve } = Promise.withResolvers<{ status: string; sizeBytes: number }>();
  const session = connect(endpoint, { settings: { initialWindowSize: WINDOW_BYTES } });
  let [sizeBytes, status] = [0, 'none'];
  const end = (): void => {
    session.destroy();
    resolve({ status, sizeBytes });
  };
  session.on('error', end);
  session.on('connect', () => session.setLocalWindowSize(WINDOW_BYTES));
  const stream = session.request({
    ':method': 'POST',
    ':path': '/etcdserverpb.KV/Range',
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const noteStatus = (headers: { readonly [name: string]: unknown }): void => {
    if (headers['grpc-status'] !== undefined) status = String(headers['grpc-status']);
  };
  stream.on('response', noteStatus);
  stream.on('trailers', noteStatus);
  stream.on('data', (chunk: Uint8Array) => {
    sizeBytes += chunk.length;
  });
  stream.on('error', () => undefined);
  stream.on('close', end);
  const writer = new ProtoWriter(128, GRPC_PREFIX_BYTES);
  writeRangeRequest(writer, rangeRequest({ key: '\0', rangeEnd: '\0' }));
  stream.end(sealFrame(writer.finish()));
  return promise;
}

process.on('message', (job: RangesJob) => {
  void ask(job).then((result) => process.send?.(result));
});
