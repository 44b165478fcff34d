import { describe, expect, test } from 'vitest';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { FrameWriter, RECORD_TYPE, readFrame } from '../../src/wal/frame.ts';
import { encodeSnapshotRecord, encodeWalMetadata } from '../../src/wire/raft-records.ts';

/** The head of a log that etcd 3.4.23 wrote for member 6933016e7fbdcaef. */
const ETCD_HEAD = [
  '04000000000000840804100000000000',
  '1e00000000000082',
  '08011088bd9cb7041a1408ef95f7fde7adc0996910d9bf99e5aaf487c13c0000',
  '0e00000000000082',
  '080510cfd5a0d50d1a04080010000000',
].join('');

describe('FrameWriter', () => {
  test('writes what etcd writes, byte for byte', () => {
    const frames = new FrameWriter(0);
    frames.addChainValue();
    const metadata = { memberId: 0x6933_016e_7fbd_caefn, clusterId: 0x3c82_1fa2_aca6_5fd9n };
    frames.add(RECORD_TYPE.metadata, encodeWalMetadata(metadata));
    const start = { index: 0, term: 0, confState: undefined };
    frames.add(RECORD_TYPE.snapshot, encodeSnapshotRecord(start));
    expect(Buffer.from(frames.bytes()).toString('hex')).toBe(ETCD_HEAD);
  });

  test('gives back its records, chained from one write to the next', () => {
    const frames = new FrameWriter(0x1234_5678);
    frames.addChainValue();
    const texts = ['a', 'bc', 'def', 'a longer one', 'x'.repeat(300)];
    for (const text of texts) frames.add(RECORD_TYPE.entry, utf8Encode(text));
    const bytes = frames.bytes().slice();
    const read: string[] = [];
    let offset = 0;
    for (;;) {
      const frame = readFrame(bytes, offset);
      if (frame.type !== 'record') {
        expect(frame.type).toBe('end');
        break;
      }
      read.push(Buffer.from(frame.record.data).toString());
      if (offset === 0) expect(frame.record).toMatchObject({ type: 4, crc: 0x1234_5678 });
      offset = frame.nextOffset;
    }
    expect(read).toEqual(['', ...texts]);
    expect(offset).toBe(bytes.length);
  });

  test('refuses a record that etcd would not read back', () => {
    const frames = new FrameWriter(0);
    expect(() => frames.add(RECORD_TYPE.entry, new Uint8Array(10_000_001))).toThrow('too large');
  });
});

describe('readFrame', () => {
  test('ends at a length word of zero and at the end of the file', () => {
    expect(readFrame(new Uint8Array(16), 8)).toEqual({ type: 'end' });
    expect(readFrame(new Uint8Array(16), 16)).toEqual({ type: 'end' });
  });

  test('names what is wrong with a frame', () => {
    const word = (...bytes: number[]): Uint8Array => {
      const file = new Uint8Array(32);
      file.set(bytes);
      return file;
    };
    expect(readFrame(new Uint8Array(12), 8)).toMatchObject({ type: 'bad', recordEnd: 16 });
    expect(readFrame(word(7), 0)).toMatchObject({ type: 'bad', recordEnd: 15 });
    expect(readFrame(word(64), 0)).toMatchObject({ type: 'bad', recordEnd: 72 });
    expect(readFrame(word(8), 0)).toMatchObject({ reason: 'no record in the frame' });
  });
});
