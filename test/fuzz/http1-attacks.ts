/** Bytes on the client port that are HTTP/1.1, nearly so, or nothing at all. */
import { toJson } from '@bufbuild/protobuf';
import { GATEWAY_ROUTES } from '../../src/api/gateway/routes.ts';
import { type Chance, mutate } from './chance.ts';
import { isHarmfulJson, METHODS, pathOf, validRequest } from './messages.ts';
import { throwBytes } from './raw.ts';
import type { Attack, Target } from './target.ts';

const METHODS_BY_PATH = new Map(METHODS.map((method) => [pathOf(method), method]));
const PAGES = [
  '/health',
  '/livez',
  '/readyz',
  '/metrics',
  '/version',
  '/debug/vars',
  '/v2/members',
  '/',
];
const STREAMS = ['watch', 'lease/keepalive', 'maintenance/snapshot', 'election/observe'];

/** A ClientHello's beginning. */
const HELLO = Uint8Array.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3);

export const noiseAttack: Attack = async (target, { chance, tally, sockets }) => {
  const kind = chance.pick(['noise', 'nothing', 'tls hello', 'h1 noise']);
  const count = tally.of(`client: ${kind}`);
  count.requests += 1;
  const parts = noiseOf(chance, kind);
  await throwBytes({ port: target.clientPort, parts, count, sockets, chance });
};

function noiseOf(chance: Chance, kind: string): readonly Buffer[] {
  if (kind === 'nothing') return [];
  if (kind === 'noise') {
    return Array.from({ length: 1 + chance.below(5) }, () => chance.bytes(1 + chance.below(3000)));
  }
  if (kind === 'tls hello') return [Buffer.concat([HELLO, chance.bytes(chance.below(700))])];
  const lines = [
    `${chance.pick(['GET', 'POST', 'PRI', 'G\0T', 'OPTIONS', 'CONNECT'])} ${chance.pick(PAGES)} HTTP/1.1`,
    'host: localhost',
    chance.pick([
      'content-length: -1',
      'content-length: 99999999999999999999',
      'transfer-encoding: chunked, chunked',
      'expect: 100-continue',
      'expect: 200-ok',
      'upgrade: h2c',
      `x: ${'y'.repeat(chance.below(40_000))}`,
    ]),
    chance.pick(['content-length: 4', 'transfer-encoding: chunked', 'connection: close', 'a b: c']),
    '',
    chance.pick(['abcd', '4\r\nabcd\r\n0\r\n\r\n', 'ffffffffffff\r\n', '-1\r\n', '']),
  ];
  const text = Buffer.from(lines.join('\r\n'), 'latin1');
  return [chance.oneIn(2) ? text : mutate(chance, text)];
}

/** POSTs to all paths of the gateway, a few on each connection. */
export const gatewayAttack: Attack = async (target, { chance, tally, sockets }) => {
  const count = tally.of('client: gateway');
  const parts: Buffer[] = [];
  for (let left = 1 + chance.below(6); left > 0; left--) {
    const request = gatewayRequest(chance, target);
    if (request === undefined) count.withheld += 1;
    else parts.push(request);
  }
  count.requests += parts.length;
  const reply = await throwBytes({ port: target.clientPort, parts, count, sockets, chance });
  for (const [, status] of reply.toString('latin1').matchAll(/HTTP\/1\.1 (\d+) /g)) {
    tally.answered(`gateway ${status}`);
  }
};

function gatewayRequest(chance: Chance, target: Target): Buffer | undefined {
  const [route, path] = chance.pick([...GATEWAY_ROUTES]);
  const text = jsonOf(chance, path);
  // A stream's body may be several objects, none of which can spoil anything.
  const body = Buffer.from(text, 'latin1');
  const read = body.toString('utf8');
  if (isHarmfulJson(METHODS_BY_PATH.get(path)!, read, target.members)) return undefined;
  const length = chance.oneIn(20) ? chance.below(100_000) : body.length;
  const head = [
    `${chance.oneIn(30) ? 'GET' : 'POST'} /${chance.oneIn(30) ? 'v3beta' : 'v3'}/${route} HTTP/1.1`,
    'host: localhost',
    chance.oneIn(10) ? 'transfer-encoding: chunked' : `content-length: ${length}`,
    chance.oneIn(10) ? `grpc-timeout: ${chance.pick(['1n', 'x', '1S', '99999999999H'])}` : 'a: b',
    chance.oneIn(10) ? `authorization: ${chance.bytes(9).toString('hex')}` : 'c: d',
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]);
}

function jsonOf(chance: Chance, path: string): string {
  const method = METHODS_BY_PATH.get(path)!;
  const valid = jsonText(chance, method.input);
  switch (chance.below(6)) {
    case 0:
      return valid;
    case 1:
      return chance.pick(['', '[]', 'null', '{', '{}{}', '"', '1e999', '{"key":1}', '{"a":{"b":[']);
    case 2:
      return `${'['.repeat(2000)}${'{"a":'.repeat(chance.below(3000))}`;
    case 3:
      return valid.replace(/"[^"]*"/, () =>
        chance.pick(['"!!!"', '9e99', '-1', 'true', '[[]]', '{}']),
      );
    default:
      return mutate(chance, Buffer.from(valid, 'latin1')).toString('latin1');
  }
}

function jsonText(chance: Chance, input: (typeof METHODS)[number]['input']): string {
  try {
    return JSON.stringify(toJson(input, validRequest(chance, input)));
  } catch {
    // An enum beyond its names has no JSON.
    return '{}';
  }
}

/** Upgrades, proper ones and others, and then no proper frames. */
export const webSocketAttack: Attack = async (target, { chance, tally, sockets }) => {
  const count = tally.of('client: web socket');
  count.requests += 1;
  const route = chance.oneIn(5) ? chance.pick([...GATEWAY_ROUTES.keys()]) : chance.pick(STREAMS);
  const head = [
    `GET /v3/${route} HTTP/1.1`,
    'host: localhost',
    'connection: upgrade',
    'upgrade: websocket',
    `sec-websocket-version: ${chance.oneIn(8) ? chance.below(20) : 13}`,
    `sec-websocket-key: ${chance.oneIn(8) ? 'short' : chance.bytes(16).toString('base64')}`,
    chance.oneIn(8) ? `sec-websocket-protocol: ${chance.bytes(5).toString('latin1')}` : 'x: y',
  ];
  const upgrade = Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1');
  const frames = Array.from({ length: chance.below(12) }, () => webSocketFrame(chance));
  const first = chance.oneIn(8) ? mutate(chance, upgrade) : upgrade;
  const parts = [first, ...frames];
  await throwBytes({ port: target.clientPort, parts, count, sockets, chance });
};

function webSocketFrame(chance: Chance): Buffer {
  const text = chance.pick([
    '{"create_request":{"key":"Zg==","range_end":"ZzA="}}',
    '{"cancel_request":{"watch_id":"7"}}',
    '{"progress_request":{}}',
    '{"ID":"1"}',
    '{',
    '[]',
    '',
  ]);
  const payload = chance.oneIn(3) ? chance.bytes(chance.below(120)) : Buffer.from(text);
  const mask = chance.bytes(4);
  const head = Buffer.of(0x81, 0x80 | payload.length);
  const masked = payload.map((byte, at) => byte ^ mask[at % 4]!);
  const whole = Buffer.concat([head, mask, masked]);
  return chance.oneIn(2) ? whole : mutate(chance, whole);
}
