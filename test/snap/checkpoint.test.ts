import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckpointImage, RevisionRecord } from '../../src/snap/checkpoint-image.ts';
import { type Checkpoint, readCheckpoint } from '../../src/snap/read-checkpoint.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { smallRandom } from '../support/small-random.ts';
import { DIRECTORY, image, put, puts, tombstone } from './checkpoint-fixture.ts';

const PATH = `${DIRECTORY}/db`;

describe('a checkpoint', () => {
  test.each<[string, RevisionRecord[]]>([
    ['nothing', []],
    ['one key', puts(1)],
    ['10,000 keys', puts(10_000)],
    [
      '200,000 bytes in one value',
      [put(2, 'a', 'x'), put(3, 'b', new Uint8Array(200_000).fill(7))],
    ],
    [
      'values of a page, and a byte around it',
      [3990, 4000, 4010].map((n, i) => put(i + 2, 'k', 'x'.repeat(n))),
    ],
    [
      'transactions and tombstones',
      [put(2, 'a', ''), put(3, 'b', '', 0), tombstone(3, 'a', 1), tombstone(4, 'b')],
    ],
  ])('of %s comes back as it was', async (_, records) => {
    const disk = await diskWith(image(records));
    expect(recordsOf(await read(disk))).toEqual(records);
  });

  test('keeps what is not a key, 64-bit ids exactly', async () => {
    const written = image(puts(3), { compactRevision: 3 });
    const found = await read(await diskWith(written));
    const { revisions: _, takeRevisions: _taken, ...checkpoint } = found;
    const { revisions: __, ...state } = written;
    expect(checkpoint).toEqual({ ...state, sizeBytes: checkpoint.sizeBytes });
    expect(checkpoint.sizeBytes % 4096).toBe(0);
  });

  test('gives its revisions away once, and then has none', async () => {
    const records = puts(2_000);
    const found = await read(await diskWith(image(records)));
    expect([...found.takeRevisions()]).toEqual(records);
    expect([...found.revisions()]).toEqual([]);
  });

  test('is taken out of memory once', async () => {
    const written = puts(3);
    const checkpoint = await read(await diskWith(image(written)));
    expect(recordsOf(checkpoint)).toEqual(written);
    expect([...checkpoint.takeRevisions()]).toHaveLength(3);
    expect([...checkpoint.takeRevisions()]).toHaveLength(0);
    expect(recordsOf(checkpoint)).toEqual([]);
  });

  test('of random contents comes back as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(recordArbitrary, { maxLength: 300 }), async (shapes) => {
        const records = shapes.map((shape, i): RevisionRecord => {
          const key = `k${shape.key}`;
          if (shape.isTombstone) return tombstone(2 + 3 * i, key);
          const record = put(2 + 3 * i, key, shape.value, i % 3);
          return {
            ...record,
            keyValue: { ...record.keyValue, lease: shape.lease, version: i + 1 },
          };
        });
        expect(recordsOf(await read(await diskWith(image(records))))).toEqual(records);
      }),
      { seed: 20_260_802, numRuns: 60 },
    );
  });

  test('is missing, not wrong, where none was written', async () => {
    const disk = new MemoryDisk();
    expect(await readCheckpoint(disk, DIRECTORY)).toEqual({ ok: true, value: undefined });
  });

  test('may carry a trailer, as saved snapshots do', async () => {
    const disk = await diskWith(image(puts(5)));
    disk.poke(PATH, Uint8Array.of(...disk.peek(PATH), ...new Uint8Array(32).fill(1)));
    expect(recordsOf(await read(disk))).toEqual(puts(5));
  });
});

describe('writing', () => {
  test('takes bounded steps and lets others have their turn between them', async () => {
    const disk = new MemoryDisk();
    await disk.makeDirectory(DIRECTORY);
    let made = 0;
    let turns = 0;
    let madeInTurnMax = 0;
    let madeBefore = 0;
    const records = puts(4000, 1000);
    const counted = image([], {
      *revisions() {
        for (const record of records) {
          made++;
          yield record;
        }
      },
    });
    await writeCheckpoint(disk, DIRECTORY, counted, {
      yieldEvery: async () => {
        turns++;
        madeInTurnMax = Math.max(madeInTurnMax, made - madeBefore);
        madeBefore = made;
      },
    });
    expect(turns).toBeGreaterThan(10);
    expect(madeInTurnMax).toBeLessThan(400);
  });

  test('is written in pieces as small as one asks for', async () => {
    const disk = new MemoryDisk();
    await disk.makeDirectory(DIRECTORY);
    let turns = 0;
    const yieldEvery = async (): Promise<void> => {
      turns += 1;
    };
    const options = { yieldEvery, chunkBytes: 4_096 };
    const { sizeBytes } = await writeCheckpoint(disk, DIRECTORY, image(puts(200, 100)), options);
    // Meta pages and the last pages of each bucket are not worth a turn.
    expect(turns).toBeGreaterThan(sizeBytes / 4_096 / 2);
    await writeCheckpoint(disk, DIRECTORY, image(puts(200, 100)), { yieldEvery });
    expect(turns).toBeLessThan(sizeBytes / 4_096);
    expect((await readCheckpoint(disk, DIRECTORY)).ok).toBe(true);
  });

  test('interrupted anywhere leaves the old checkpoint or the new one, whole', async () => {
    const older = puts(30);
    const newer = puts(600, 300);
    let isDone = false;
    let oldSeen = 0;
    for (let count = 0; !isDone; count++) {
      const disk = await diskWith(image(older, { index: 10 }));
      disk.powerOffAfter(count);
      const write = writeCheckpoint(disk, DIRECTORY, image(newer, { index: 20 }));
      isDone = await write.then(
        () => true,
        () => false,
      );
      const survivor = disk.afterPowerLoss(smallRandom(count));
      const checkpoint = await read(survivor);
      if (checkpoint.index === 10) oldSeen++;
      expect(isDone && checkpoint.index === 10).toBe(false);
      expect(recordsOf(checkpoint)).toEqual(checkpoint.index === 10 ? older : newer);
      // What was left over is no obstacle to the next attempt.
      await writeCheckpoint(survivor, DIRECTORY, image(newer, { index: 21 }));
      expect((await read(survivor)).index).toBe(21);
    }
    expect(oldSeen).toBeGreaterThan(4);
  });

  test.each(['writeAt', 'datasync', 'rename'] as const)(
    'on a disk that fails in %s rejects',
    async (kind) => {
      const disk = await diskWith(image(puts(3), { index: 10 }));
      disk.failNth(kind, 1, 'ENOSPC');
      const write = writeCheckpoint(disk, DIRECTORY, image(puts(900, 500)));
      await expect(write).rejects.toMatchObject({ code: 'ENOSPC' });
      expect((await read(disk)).index).toBe(10);
    },
  );
});

describe('a damaged file', () => {
  test('of any length is refused', async () => {
    const whole = (await diskWith(image(puts(200)))).peek(PATH);
    for (let length = 0; length < whole.length; length += 1024) {
      await expectRefused(whole.slice(0, length));
    }
  });

  test('with one meta page intact is read, with none refused', async () => {
    const whole = (await diskWith(image(puts(20)))).peek(PATH);
    for (const page of [0, 1]) {
      const file = whole.slice();
      file[page * 4096 + 40]! ^= 1;
      const disk = new MemoryDisk();
      disk.poke(PATH, file);
      expect((await read(disk)).index).toBe(77);
    }
    const file = whole.slice();
    file[40]! ^= 1;
    file[4096 + 40]! ^= 1;
    await expectRefused(file, 'neither meta page is intact');
  });

  test('in its structure is refused, or reads the same; it never throws', async () => {
    const records = puts(300);
    const whole = (await diskWith(image(records))).peek(PATH);
    const random = smallRandom(4);
    let refused = 0;
    for (let run = 0; run < 400; run++) {
      const file = whole.slice();
      // Headers and element tables; no checksum covers the data itself.
      const page = 2 + random.below(whole.length / 4096 - 2);
      file[page * 4096 + random.below(64)]! ^= 1 << random.below(8);
      const disk = new MemoryDisk();
      disk.poke(PATH, file);
      const result = await readCheckpoint(disk, DIRECTORY);
      if (!result.ok) refused++;
      else if (result.value !== undefined) recordsOf(result.value);
    }
    expect(refused).toBeGreaterThan(200);
  });

  test('whose keys do not ascend is refused', async () => {
    const whole = (await diskWith(image(puts(8)))).peek(PATH);
    const leaf = pagesWithFlags(whole, 2).find((at) => whole[at + 10] === 8)!;
    const element = leaf + 16;
    const firstKey = element + whole[element + 4]!;
    // Lowest byte of the first revision: it now comes after the second.
    whole[firstKey + 7] = 0xff;
    await expectRefused(whole, /do not ascend/);
  });

  test('with a page linked twice is refused', async () => {
    const whole = (await diskWith(image(puts(300)))).peek(PATH);
    const branch = pagesWithFlags(whole, 1)[0]!;
    // The second child becomes the first once more.
    whole.copyWithin(branch + 16 + 16 + 8, branch + 16 + 8, branch + 16 + 16);
    await expectRefused(whole, /used twice|do not ascend/);
  });
});

const recordArbitrary = fc.record({
  key: fc.nat(50),
  value: fc.uint8Array({ maxLength: 600 }),
  isTombstone: fc.boolean(),
  lease: fc.bigInt({ min: 0n, max: 0x7fff_ffff_ffff_ffffn }),
});

async function diskWith(written: CheckpointImage): Promise<MemoryDisk> {
  const disk = new MemoryDisk();
  await disk.makeDirectory(DIRECTORY);
  await writeCheckpoint(disk, DIRECTORY, written);
  return disk;
}

async function read(disk: MemoryDisk): Promise<Checkpoint> {
  const result = await readCheckpoint(disk, DIRECTORY);
  if (!result.ok) throw new Error(result.error.reason);
  if (result.value === undefined) throw new Error('there is no checkpoint');
  return result.value;
}

/** Copies, so that they compare as arrays of their own. */
function recordsOf(checkpoint: Checkpoint): RevisionRecord[] {
  return [...checkpoint.revisions()].map((record) => ({
    ...record,
    keyValue: {
      ...record.keyValue,
      key: record.keyValue.key.slice(),
      value: record.keyValue.value.slice(),
    },
  }));
}

async function expectRefused(file: Uint8Array, reason?: string | RegExp): Promise<void> {
  const disk = new MemoryDisk();
  disk.poke(PATH, file);
  const result = await readCheckpoint(disk, DIRECTORY);
  expect(result).toMatchObject({ ok: false, error: { kind: 'corrupt', file: PATH } });
  if (reason !== undefined && !result.ok) expect(result.error.reason).toMatch(reason);
}

/** Offsets of the pages that have these flags. */
function pagesWithFlags(file: Uint8Array, flags: number): number[] {
  const offsets: number[] = [];
  for (let at = 2 * 4096; at < file.length; at += 4096)
    if (file[at + 8] === flags) offsets.push(at);
  return offsets;
}
