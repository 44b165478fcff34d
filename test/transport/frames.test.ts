import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrames, FRAME_BYTES_MAX, FrameReader } from '../../src/transport/frames.ts';
import { decodeHandshake, encodeHandshake, LANES } from '../../src/transport/handshake.ts';

test('frames come back whole however the stream is cut', () => {
  const payload = fc.uint8Array({ maxLength: 50 });
  fc.assert(
    fc.property(fc.array(payload), fc.integer({ min: 1, max: 20 }), (payloads, chunkBytes) => {
      const stream = encodeFrames(payloads);
      const reader = new FrameReader();
      const frames: number[][] = [];
      for (let at = 0; at < stream.length; at += chunkBytes) {
        reader.push(stream.subarray(at, at + chunkBytes));
        for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
          if (frame !== 'too-long') frames.push([...frame]);
        }
      }
      expect(frames).toEqual(payloads.map((bytes) => [...bytes]));
      expect(reader.takeRest().length).toBe(0);
    }),
    { seed: 1 },
  );
});

test('a length beyond the limit gives the stream up', () => {
  const reader = new FrameReader();
  const header = Buffer.alloc(4);
  header.writeUInt32LE(FRAME_BYTES_MAX + 1);
  reader.push(header);
  expect(reader.next()).toBe('too-long');
});

test('handshakes come back as they were, and anything else is refused with a reason', () => {
  const id = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
  const url = fc.constantFrom('http://127.0.0.1:2380', 'https://[::1]:1', 'http://n1:2380');
  const handshake = fc.record({
    ...{ clusterId: id, from: id, to: id, lane: fc.constantFrom(...LANES) },
    peerUrls: fc.array(url, { maxLength: 3 }),
  });
  fc.assert(
    fc.property(handshake, (sent) => {
      expect(decodeHandshake(encodeHandshake(sent).trimEnd())).toEqual({ ok: true, value: sent });
    }),
    { seed: 1 },
  );
  for (const line of [
    '',
    'GET / HTTP/1.1',
    'STORMRAFT/2 1 2 3 bulk',
    'STORMRAFT/1 1 2 x bulk',
    'STORMRAFT/1 1 2 3 fast',
  ]) {
    expect(decodeHandshake(line).ok).toBe(false);
  }
});
