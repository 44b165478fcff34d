import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { openGateway, until } from './gateway-fixture.ts';

/** Connections over HTTP/1.1 that are over for the server, and not for the client. */

const UPGRADE = [
  'GET /v3/no/such/stream HTTP/1.1',
  'host: a',
  'connection: upgrade',
  'upgrade: websocket',
  'sec-websocket-version: 13',
  'sec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==',
  '',
  'what is said before the answer',
].join('\r\n');

test('a web socket that is refused is closed, whatever the client does', async () => {
  await using gateway = await openGateway({ limits: { headerTimeoutMs: 100 } });
  const socket = connect({ port: gateway.port, host: '127.0.0.1', allowHalfOpen: true });
  let [reply, isClosed] = ['', false];
  socket.on('data', (chunk: Buffer) => {
    reply += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    isClosed = true;
  });
  socket.write(UPGRADE);
  await until(() => reply !== '');
  expect(reply).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/);
  await until(() => {
    // Only a connection that is closed at the other end answers this with a reset.
    if (!isClosed) socket.write('more');
    return isClosed;
  });
});
