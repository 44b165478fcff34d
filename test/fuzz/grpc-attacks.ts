/** gRPC in proper HTTP/2, with everything wrong that a client library would never send. */

import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from 'node:http2';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DescMethod } from '@bufbuild/protobuf';
import { frameMessage, GRPC_PREFIX_BYTES } from '../../src/wire/grpc-frame.ts';
import { type Chance, mutate } from './chance.ts';
import { encode, isHarmful, METHODS, pathOf, validRequest } from './messages.ts';
import type { Count } from './tally.ts';
import type { Attack, Target, Tools } from './target.ts';

const REQUESTS_MAX = 40;
/** Calls that wait for something, and streams, are left after this. */
const PATIENCE_MS = 400;
/** Above what a member takes in one message. */
const TOO_LONG_BYTES = 2.2 * 1024 * 1024;
const TIMEOUTS = [
  '1n',
  '0m',
  '5S',
  '99999999H',
  '1x',
  '',
  '-5S',
  '123456789S',
  '1 m',
  '\u00ff',
  '10u',
];
const CONTENT_TYPES = [
  'application/grpc+proto',
  'application/grpc;x=y',
  'application/grpcx',
  'application/json',
  'text/plain',
  '',
  'application/grpc-web',
  'APPLICATION/GRPC',
];
const VERBS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'CONNECT', 'BREW'];

/** A connection with some tens of requests. */
export const grpcAttack: Attack = async (target, tools) => {
  const { chance, tally, sockets } = tools;
  const count = tally.of('client: grpc');
  const session = connect(`http://127.0.0.1:${target.clientPort}`);
  count.connections += 1;
  session.on('error', () => undefined);
  let socket: Socket | undefined;
  session.on('connect', (_, connected) => {
    socket = sockets.add(connected as Socket);
  });
  let byMember = true;
  session.on('close', () => {
    count.bytes += socket?.bytesWritten ?? 0;
    if (byMember) count.closedByMember += 1;
  });
  const calls: Promise<void>[] = [];
  for (let left = 1 + chance.below(REQUESTS_MAX); left > 0 && !session.destroyed; left--) {
    calls.push(call(session, target, tools, count));
    if (chance.oneIn(4)) await sleep(1);
  }
  await Promise.race([Promise.all(calls), sleep(PATIENCE_MS)]);
  byMember = session.destroyed || session.closed;
  if (chance.oneIn(4)) session.close();
  session.destroy();
};

/** Resolves when the call is over, or was left alone. */
function call(
  session: ClientHttp2Session,
  target: Target,
  { chance, tally }: Tools,
  count: Count,
): Promise<void> {
  const method = chance.pick(METHODS);
  const body = bodyOf(chance, method);
  if (body.kind !== 'noise' && isHarmful(method, firstMessage(body.bytes), target.members)) {
    count.withheld += 1;
    return Promise.resolve();
  }
  // Not of the connections' kind, too: each request counts once.
  tally.of(`client: grpc body ${body.kind}`).requests += 1;
  let stream: ClientHttp2Stream;
  try {
    stream = session.request(headersOf(chance, method), { endStream: false });
  } catch {
    // Not even a request: the session is gone, or the headers are beyond what can be written.
    return Promise.resolve();
  }
  stream.on('error', () => undefined);
  stream.on('response', (headers) => {
    tally.answered(`grpc ${headers['grpc-status'] ?? `http ${headers[':status']}`}`);
  });
  stream.on('trailers', (trailers) => tally.answered(`grpc ${trailers['grpc-status']}`));
  if (!chance.oneIn(20)) stream.resume();
  return new Promise((resolve) => {
    stream.on('close', resolve);
    void speak(chance, stream, body.bytes);
  });
}

async function speak(chance: Chance, stream: ClientHttp2Stream, body: Buffer): Promise<void> {
  const pieces = chance.oneIn(3) ? 1 + chance.below(4) : 1;
  const length = Math.ceil(body.length / pieces);
  for (let at = 0; at < body.length; at += length) {
    if (stream.destroyed || stream.closed) return;
    stream.write(body.subarray(at, at + length));
    if (pieces > 1) await sleep(chance.below(3));
  }
  if (stream.destroyed) return;
  if (chance.oneIn(10)) stream.close(chance.pick([constants.NGHTTP2_CANCEL, 0, 2, 11, 0x7fff]));
  // Some never end.
  else if (!chance.oneIn(10)) stream.end();
}

interface Body {
  readonly kind: 'valid' | 'mutated' | 'cut' | 'noise' | 'too long' | 'prefix';
  readonly bytes: Buffer;
}

function bodyOf(chance: Chance, method: DescMethod): Body {
  const valid = encode(method, validRequest(chance, method.input));
  const framed = (bytes: Uint8Array): Buffer => Buffer.from(frameMessage(bytes));
  switch (chance.below(chance.oneIn(60) ? 10 : 9)) {
    case 0:
      return { kind: 'valid', bytes: framed(valid) };
    case 1: {
      const frame = framed(valid);
      return { kind: 'cut', bytes: frame.subarray(0, chance.below(frame.length)) };
    }
    case 2:
      return { kind: 'noise', bytes: noise(chance) };
    case 3: {
      const frame = framed(valid);
      frame[chance.below(GRPC_PREFIX_BYTES)] = chance.below(256);
      return { kind: 'prefix', bytes: frame };
    }
    case 9:
      return { kind: 'too long', bytes: framed(Buffer.alloc(TOO_LONG_BYTES, 7)) };
    default:
      return { kind: 'mutated', bytes: framed(mutate(chance, valid)) };
  }
}

/** Never a message of a whole length, so nobody can take it for an order. */
function noise(chance: Chance): Buffer {
  const bytes = chance.bytes(GRPC_PREFIX_BYTES + chance.below(200));
  if (bytes[0] === 0) bytes.writeUInt32BE(bytes.length, 1);
  return bytes;
}

function firstMessage(body: Buffer): Buffer {
  if (body.length < GRPC_PREFIX_BYTES) return Buffer.alloc(0);
  const end = GRPC_PREFIX_BYTES + body.readUInt32BE(1);
  return body.subarray(GRPC_PREFIX_BYTES, end);
}

function headersOf(chance: Chance, method: DescMethod): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {
    ':method': chance.oneIn(40) ? chance.pick(VERBS) : 'POST',
    ':path': chance.oneIn(30) ? oddPath(chance, method) : pathOf(method),
    'content-type': chance.oneIn(20) ? chance.pick(CONTENT_TYPES) : 'application/grpc',
    te: 'trailers',
  };
  if (chance.oneIn(6)) headers['grpc-timeout'] = chance.pick(TIMEOUTS);
  if (chance.oneIn(12)) headers.token = chance.bytes(12).toString('hex');
  if (chance.oneIn(30)) headers['grpc-encoding'] = 'gzip';
  if (chance.oneIn(30)) headers.expect = '100-continue';
  if (chance.oneIn(30)) headers['content-length'] = String(chance.below(1000));
  if (chance.oneIn(50)) headers['x-long'] = 'x'.repeat(chance.below(90_000));
  if (chance.oneIn(12)) headers.hasleader = chance.pick(['true', 'yes', '']);
  return headers;
}

function oddPath(chance: Chance, method: DescMethod): string {
  return chance.pick([
    '/',
    '*',
    '//',
    pathOf(method).slice(0, -1),
    `${pathOf(method)}/x`,
    `/${chance.bytes(30).toString('latin1')}`,
    '/%00%ff',
    '/health',
    '/metrics',
    '/v3/kv/range',
    '/v3/watch',
    `/${'a'.repeat(3000)}`,
  ]);
}
