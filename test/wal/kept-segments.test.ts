import { describe, expect, test } from 'vitest';
import { formatSegmentName, segmentNames } from '../../src/wal/segment-name.ts';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { DIRECTORY, entries, entry, METADATA, openWal, walOptions } from './wal-fixture.ts';

/** A few entries fill a segment. */
const SMALL = { segmentBytesMax: 512 };

async function writeLog(disk: MemoryDisk, segmentsKept: number | undefined): Promise<Wal> {
  const wal = await Wal.create(walOptions(disk, { ...SMALL, segmentsKept }), METADATA);
  for (const each of entries(1, 60)) await wal.append({ entries: [each], hardState: undefined });
  return wal;
}

describe('segments that nobody needs', () => {
  test.each([
    [undefined, 1],
    [1, 1],
    [3, 3],
    [1_000, undefined],
    [0, undefined],
  ])('of them %j leaves %j', async (segmentsKept, left) => {
    const disk = new MemoryDisk();
    const wal = await writeLog(disk, segmentsKept);
    const before = disk.names(DIRECTORY).sort();
    expect(before.length).toBeGreaterThan(5);
    await wal.release(60);
    const after = disk.names(DIRECTORY).sort();
    expect(after).toEqual(left === undefined ? before : before.slice(-left));
  });

  test('those that are needed stay, however few are to be kept', async () => {
    const disk = new MemoryDisk();
    const wal = await writeLog(disk, 2);
    const before = disk.names(DIRECTORY);
    await wal.release(1);
    expect(disk.names(DIRECTORY)).toEqual(before);
  });

  test('a log that keeps them is read as one that does not', async () => {
    for (const covered of [0, 1, 7, 20, 41, 60, 1_000]) {
      const [kept, released] = [new MemoryDisk(), new MemoryDisk()];
      await (await writeLog(kept, 0)).release(covered);
      await (await writeLog(released, undefined)).release(covered);
      const opened = await Wal.open(walOptions(kept, SMALL), () => undefined, covered);
      expect(opened).toMatchObject({ ok: true });
      if (!opened.ok) return;
      const { recovered } = await openWal(released, SMALL);
      expect(opened.value.recovered).toEqual(recovered);
      await opened.value.wal.append({ entries: [entry(61)], hardState: undefined });
      const again = await openWal(kept, SMALL);
      expect(again.recovered.entries).toEqual(entries(1, 61));
    }
  });

  test('damage in them keeps nobody from starting, and they go when fewer are kept', async () => {
    const disk = new MemoryDisk();
    await writeLog(disk, 0);
    const [first, second] = segmentNames(disk.names(DIRECTORY)).map(formatSegmentName);
    const file = await disk.open(`${DIRECTORY}/${first}`, 'existing');
    await file.writeAt(60, new Uint8Array(20).fill(0xff));
    expect(await Wal.open(walOptions(disk, SMALL))).toMatchObject({ ok: false });
    await disk.remove(`${DIRECTORY}/${second}`);
    const opened = await Wal.open(walOptions(disk, SMALL), () => undefined, 60);
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    expect(opened.value.recovered.entries.at(-1)).toEqual(entry(60));
    await opened.value.wal.release(60);
    expect(disk.names(DIRECTORY)).toHaveLength(1);
  });
});
