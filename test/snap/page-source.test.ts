import { expect, test } from 'vitest';
import { MemoryPages } from '../../src/snap/page-source.ts';
import { chooseMeta } from '../../src/snap/tree-reader.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { image, put } from './checkpoint-fixture.ts';

const PAGE_BYTES = 4096;

test('pages are the same however the file is cut into pieces', async () => {
  const disk = new MemoryDisk();
  await disk.makeDirectory('/snap');
  const rows = Array.from({ length: 40 }, (_, at) =>
    put(2 + at, `key${at}`, 'v'.repeat(at % 4 === 0 ? 9_000 : 700)),
  );
  await writeCheckpoint(disk, '/snap', image(rows));
  const file = await disk.read('/snap/db');
  const meta = chooseMeta(file)!;
  const whole = new MemoryPages([file], meta);
  for (const pieceBytes of [1_000, PAGE_BYTES, 5_001, 3 * PAGE_BYTES, 20_000]) {
    const pieces: Uint8Array[] = [];
    for (let at = 0; at < file.length; at += pieceBytes) {
      pieces.push(file.subarray(at, at + pieceBytes));
    }
    const cut = new MemoryPages(pieces, meta);
    for (let id = 0; id <= file.length / PAGE_BYTES; id++) {
      expect(cut.page(id)).toEqual(whole.page(id));
    }
  }
});
