import { expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { readFrame } from '../../src/wal/frame.ts';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { DIRECTORY, entries, entry, METADATA, walOptions } from './wal-fixture.ts';

/**
 * A snapshot mark ends in a zero byte. If it ends one byte into a sector, that byte is all that
 * the mark has there, and a changed bit before it is still no write that a crash cut short.
 */
test('a damaged record that ends in zeros is no torn tail', async () => {
  const disk = new MemoryDisk();
  const wal = await Wal.create(walOptions(disk), METADATA);
  const hardState = { term: 1, vote: METADATA.memberId, commit: 1 };
  await wal.append({ entries: [entry(1, 1, 'x'.repeat(MARK_OVER_THE_EDGE))], hardState });
  const confState = simpleConf(Array<bigint>(4).fill(METADATA.memberId));
  await wal.saveSnapshot({ index: 1, term: 1, confState });
  for (const each of entries(2, 20)) await wal.append({ entries: [each], hardState: undefined });
  await wal.close();
  const path = `${DIRECTORY}/${disk.names(DIRECTORY)[0]}`;
  const bytes = disk.peek(path);
  const mark = lastMark(bytes);
  expect(mark.end % 512).toBe(1);
  bytes[mark.at + 20]! ^= 1;
  disk.poke(path, bytes);
  expect(await Wal.open(walOptions(disk))).toMatchObject({
    ok: false,
    error: { kind: 'corrupt', offsetBytes: mark.at },
  });
});

test('bytes that never were a record are no torn tail', async () => {
  const disk = new MemoryDisk();
  const wal = await Wal.create(walOptions(disk), METADATA);
  await wal.append({ entries: entries(1, 3), hardState: undefined });
  await wal.close();
  const path = `${DIRECTORY}/${disk.names(DIRECTORY)[0]}`;
  const bytes = disk.peek(path);
  const end = bytes.findLastIndex((byte) => byte !== 0) + 1;
  const boundary = Math.ceil(end / FRAME_ALIGNMENT_BYTES) * FRAME_ALIGNMENT_BYTES;
  bytes.fill(0xff, boundary, boundary + 512);
  disk.poke(path, bytes);
  expect(await Wal.open(walOptions(disk))).toMatchObject({
    ok: false,
    error: { kind: 'corrupt', offsetBytes: boundary },
  });
});

const FRAME_ALIGNMENT_BYTES = 8;
const MARK_OVER_THE_EDGE = 304;
const SNAPSHOT_RECORD = 5;

function lastMark(bytes: Uint8Array): { readonly at: number; readonly end: number } {
  let found = { at: -1, end: -1 };
  for (let at = 0; ; ) {
    const frame = readFrame(bytes, at);
    if (frame.type !== 'record') return found;
    if (frame.record.type === SNAPSHOT_RECORD) found = { at, end: frame.recordEnd };
    at = frame.nextOffset;
  }
}
