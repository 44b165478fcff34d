import { describe, expect, test } from 'vitest';
import { Wal } from '../../src/wal/wal.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import {
  DIRECTORY,
  entries,
  entry,
  hardState,
  METADATA,
  openWal,
  walOptions,
} from './wal-fixture.ts';

/** As large as ids are: a hard state read as an entry must not look like one. */
const VOTE = 0x2e12_59d4_15f2_a040n;
const PATH = `${DIRECTORY}/0000000000000000-0000000000000000.wal`;

describe('a write that a crash cut short', () => {
  test.each(['zeros', 'end of file'])('at any byte, followed by %s, is dropped', async (after) => {
    const { before, whole } = await logWithLastRecord('the last record, seven sectors'.repeat(110));
    for (let cut = before + 1; cut < whole.length; cut += cut % 512 < 40 ? 1 : 37) {
      const torn = whole.slice(0, cut);
      const file = new Uint8Array(after === 'zeros' ? 16_384 : cut);
      file.set(torn);
      const disk = await diskWith(file);
      const { wal, recovered } = await openWal(disk);
      expect(recovered.entries).toEqual(entries(1, 3));
      expect(recovered.repairedTornTailBytes).toBe(endOfData(torn) - before);
      expect(endOfData(disk.peek(PATH))).toBeLessThanOrEqual(before);
      await wal.append({ entries: [entry(4)], hardState: undefined });
      expect((await openWal(disk)).recovered.entries).toEqual(entries(1, 4));
    }
  });

  test('with any one of its sectors missing is dropped', async () => {
    const { before, whole } = await logWithLastRecord('x'.repeat(4000));
    for (let sector = Math.floor(before / 512); sector * 512 < whole.length; sector++) {
      const file = new Uint8Array(16_384);
      file.set(whole);
      file.fill(0, Math.max(sector * 512, before), (sector + 1) * 512);
      const { recovered } = await openWal(await diskWith(file));
      expect(recovered.entries).toEqual(entries(1, 3));
      expect(recovered.repairedTornTailBytes).toBeGreaterThan(0);
    }
  });

  test('leaves nothing behind that could show up after the next write', async () => {
    const { before, whole } = await logWithLastRecord('x'.repeat(4000));
    const file = new Uint8Array(16_384);
    file.set(whole);
    // The length word's sector is lost, all later ones are there.
    file.fill(0, before, Math.ceil((before + 1) / 512) * 512);
    const disk = await diskWith(file);
    const { wal } = await openWal(disk);
    await wal.append({ entries: [entry(4)], hardState: undefined });
    const { recovered } = await openWal(disk);
    expect(recovered.entries).toEqual(entries(1, 4));
    expect(recovered.repairedTornTailBytes).toBe(0);
  });

  test('is no excuse in a segment that has a successor', async () => {
    const disk = new MemoryDisk();
    const wal = await Wal.create(walOptions(disk, { segmentBytesMax: 1024 }), METADATA);
    for (const each of entries(1, 40)) await wal.append({ entries: [each], hardState: undefined });
    expect(disk.names(DIRECTORY).length).toBeGreaterThan(2);
    const [first] = disk.names(DIRECTORY);
    const path = `${DIRECTORY}/${first}`;
    disk.poke(path, disk.peek(path).subarray(0, -20));
    expect(await Wal.open(walOptions(disk))).toMatchObject({
      ok: false,
      error: { kind: 'corrupt', file: first, reason: 'file ends inside a record' },
    });
    disk.poke(path, disk.peek(path).fill(0, 512));
    expect(await Wal.open(walOptions(disk))).toMatchObject({
      ok: false,
      error: { kind: 'corrupt', reason: expect.stringMatching(/^crc is/) },
    });
  });
});

describe('a changed bit', () => {
  test('in any place refuses or changes nothing: it never loses or alters a record', async () => {
    const { whole } = await logWithLastRecord('the last record');
    let refused = 0;
    for (let bit = 0; bit < whole.length * 8; bit++) {
      const file = new Uint8Array(2048);
      file.set(whole);
      file[bit >> 3]! ^= 1 << (bit & 7);
      const disk = await diskWith(file);
      const opened = await Wal.open(walOptions(disk));
      if (opened.ok) {
        const { recovered } = opened.value;
        expect(recovered).toMatchObject({ metadata: METADATA, hardState: hardState(1, 2, VOTE) });
        expect(recovered.entries).toEqual([...entries(1, 3), entry(4, 1, 'the last record')]);
        expect(recovered.repairedTornTailBytes).toBe(0);
      } else {
        refused++;
        expect(disk.peek(PATH)).toEqual(file);
      }
    }
    // The rest are padding, and bits of a length word that have no meaning.
    expect(refused / (whole.length * 8)).toBeGreaterThan(0.8);
  });

  test('is reported with the file and the record it is in', async () => {
    const { before, whole } = await logWithLastRecord('the last record');
    whole[before - 20]! ^= 1;
    const opened = await Wal.open(walOptions(await diskWith(whole)));
    expect(opened).toMatchObject({
      ok: false,
      error: { kind: 'corrupt', file: PATH.slice(DIRECTORY.length + 1) },
    });
    expect(!opened.ok && 'offsetBytes' in opened.error && opened.error.offsetBytes).toBeLessThan(
      before,
    );
  });

  test('of zeros behind the end refuses too', async () => {
    const { whole } = await logWithLastRecord('the last record');
    const file = new Uint8Array(2048);
    file.set(whole);
    file[whole.length + 9] = 1;
    expect(await Wal.open(walOptions(await diskWith(file)))).toMatchObject({
      ok: false,
      error: { kind: 'corrupt', offsetBytes: whole.length },
    });
  });
});

/** A log of entries 1 to 3, a hard state, and entry 4; `before`: where entry 4's frame begins. */
async function logWithLastRecord(text: string): Promise<{ before: number; whole: Uint8Array }> {
  const disk = new MemoryDisk();
  const wal = await Wal.create(walOptions(disk), METADATA);
  await wal.append({ entries: entries(1, 3), hardState: hardState(1, 2, VOTE) });
  const before = alignedEnd(disk.peek(PATH));
  await wal.append({ entries: [entry(4, 1, text)], hardState: undefined });
  const whole = disk.peek(PATH);
  await wal.close();
  return { before, whole: whole.slice(0, alignedEnd(whole)) };
}

async function diskWith(segment: Uint8Array): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  disk.poke(PATH, segment);
  return disk;
}

function endOfData(bytes: Uint8Array): number {
  return bytes.findLastIndex((byte) => byte !== 0) + 1;
}

function alignedEnd(bytes: Uint8Array): number {
  return Math.ceil(endOfData(bytes) / 8) * 8;
}
