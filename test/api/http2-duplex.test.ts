import { expect, test } from 'vitest';
import { Http2Duplex } from '../../src/api/http2-duplex.ts';
import { OK_HEADERS, openConnection, request } from '../http2/played-connection.ts';

test('who writes may use the bytes again when they are taken, though they have not left', async () => {
  const played = openConnection();
  played.send(request(1, { end: true }));
  const { stream } = played.requests[0]!;
  stream.respond(OK_HEADERS);
  played.take();
  const duplex = new Http2Duplex(stream);
  const room = new Uint8Array(10_000).fill(1);
  await new Promise((resolve) => duplex.write(room, resolve));
  room.fill(2);
  const [sent] = played.take();
  expect(sent?.payload.length).toBe(10_000);
  expect(sent?.payload.every((byte) => byte === 1)).toBe(true);
});
