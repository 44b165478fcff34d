import { connect, constants, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import { frameMessage } from '../../src/wire/grpc-frame.ts';

/** A gRPC exchange at the level of headers and chunks, for what proper clients never send. */

export interface RawAnswer {
  readonly headers: IncomingHttpHeaders;
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly rstCode: number;
}

export interface RawRequest {
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  /** Sent one DATA frame each, a turn of the loop apart. */
  readonly chunks: readonly Uint8Array[];
  /** false: the request's end never comes. Default true. */
  readonly end?: boolean;
}

export async function rawCall(endpoint: string, request: RawRequest): Promise<RawAnswer> {
  const session = connect(endpoint);
  const stream = session.request({
    ':method': 'POST',
    ':path': request.path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...request.headers,
  });
  let headers: IncomingHttpHeaders = {};
  let trailers: IncomingHttpHeaders = {};
  const body: Buffer[] = [];
  stream.on('response', (received) => {
    headers = received;
  });
  stream.on('trailers', (received) => {
    trailers = received;
  });
  stream.on('data', (chunk: Buffer) => body.push(chunk));
  stream.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => stream.on('close', resolve));
  for (const chunk of request.chunks) {
    stream.write(chunk);
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (request.end ?? true) stream.end();
  await closed;
  session.destroy();
  const rstCode = stream.rstCode ?? constants.NGHTTP2_NO_ERROR;
  return { headers, trailers, body: Buffer.concat(body), rstCode };
}

export const RANGE = '/etcdserverpb.KV/Range';
/** Range of key "a". */
export const RANGE_FRAME: Uint8Array = frameMessage(Uint8Array.of(0x0a, 1, 97));
