import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../../harness/seeded-random.ts';
import { damage } from '../../../harness/sim/disk/damage.ts';
import { Device } from '../../../harness/sim/disk/device.ts';
import { simpleConf } from '../../../src/raft/conf-state.ts';
import type { Entry } from '../../../src/raft/message.ts';
import { readFrame } from '../../../src/wal/frame.ts';
import { readLog } from '../../../src/wal/recover.ts';
import { Wal } from '../../../src/wal/wal.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { DIRECTORY, hardState, METADATA, walOptions } from '../../wal/wal-fixture.ts';

const WAYS = ['bit-rot', 'misdirected-write'] as const;
const SEGMENT = '0000-0000.wal';

describe('damage', () => {
  test('of bit rot is one bit of the written part, durably', () => {
    const bits = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const before = segment(3);
      const device = deviceWith(before);
      const said = damage(device, 'bit-rot', DIRECTORY, seededRandom(seed));
      const [, bit, at] = /^bit (\d) of byte (\d+) of 0000-0000\.wal$/
        .exec(said ?? '')!
        .map(Number);
      before[at!]! ^= 1 << bit!;
      expect(at).toBeLessThan(3);
      bits.add(`${bit} ${at}`);
      device.powerLoss({ below: () => 1 });
      expect(device.file(`${DIRECTORY}/${SEGMENT}`).read()).toEqual(before);
    }
    // Two of the three bytes have a bit without which they would be zero.
    expect(bits.size).toBe(22);
  });

  test('of a misdirected write is a sector in the place of another', () => {
    const pairs = new Set<string>();
    for (let seed = 0; seed < 300; seed++) {
      const before = segment(7 * 512 + 100);
      const device = deviceWith(before);
      const said = damage(device, 'misdirected-write', DIRECTORY, seededRandom(seed));
      const [, from, to] = /^sector (\d) written over sector (\d) of 0000-0000\.wal$/
        .exec(said ?? '')!
        .map(Number);
      before.copyWithin(to! * 512, from! * 512, (from! + 1) * 512);
      expect(from).not.toBe(to);
      pairs.add(`${from} ${to}`);
      expect(device.file(`${DIRECTORY}/${SEGMENT}`).durable()).toEqual(before);
    }
    // Any other sector over any but the last four.
    expect(pairs.size).toBe(28);
    expect([...pairs].every((pair) => /^\d [0-3]$/.test(pair))).toBe(true);
  });

  test('leaves the size of a segment alone that ends inside a sector', () => {
    const device = deviceWith(segment(2660).subarray(0, 2660));
    expect(damage(device, 'misdirected-write', DIRECTORY, seededRandom(1))).toBeDefined();
    expect(device.file(`${DIRECTORY}/${SEGMENT}`).durable().length).toBe(2660);
  });

  test('hits what is durable, and what is not synced stays over it', () => {
    const device = deviceWith(segment(3));
    const file = device.file(`${DIRECTORY}/${SEGMENT}`);
    file.write(0, Uint8Array.of(9, 9, 9));
    device.processKill();
    expect(damage(device, 'bit-rot', DIRECTORY, seededRandom(1))).toBeDefined();
    expect([...file.read(0, 3)]).toEqual([9, 9, 9]);
    expect([...file.durable().subarray(0, 3)]).not.toEqual([...segment(3).subarray(0, 3)]);
  });

  test.each(WAYS)('of %s needs something written in a segment', (how) => {
    const random = seededRandom(1);
    expect(damage(new Device(), how, DIRECTORY, random)).toBeUndefined();
    const device = deviceWith(new Uint8Array(4096));
    device.put(`${DIRECTORY}/segment.tmp`, segment(2000));
    device.create(`${DIRECTORY}/0001-0000.wal`).write(0, segment(2000));
    expect(damage(device, how, DIRECTORY, random)).toBeUndefined();
  });
});

/**
 * One case no reader can tell from a write that a crash cut short (src/wal/torn-tail.ts): the
 * very last record, if after the damage it ends in a zero byte. So much may be lost, no more.
 */
test.each(WAYS)('a log with damage of %s is refused, or nothing of it is lost', async (how) => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(fc.nat(2 ** 31), fc.array(batch, { maxLength: 25 }), async (seed, batches) => {
      const { disk, last } = await logOf(batches);
      const before = await readLog(disk, DIRECTORY);
      if (!before.ok) throw new Error(JSON.stringify(before.error));
      fc.pre(damage(disk.device, how, DIRECTORY, seededRandom(seed)) !== undefined);
      const opened = await Wal.open(walOptions(disk, SMALL));
      if (!opened.ok) {
        refused++;
        expect(['corrupt', 'unknownRecord', 'gap']).toContain(opened.error.kind);
        return;
      }
      const { recovered } = opened.value;
      const { entries, hardState, metadata } = before.value.replayed;
      expect(recovered.metadata).toEqual(metadata);
      if (isDeepStrictEqual([recovered.entries, recovered.hardState], [entries, hardState])) return;
      expect(recovered.repairedTornTailBytes).toBeGreaterThan(0);
      expect(recovered.repairedTornTailBytes).toBeLessThan(last.lengthBytes);
      expect(entries.slice(0, recovered.entries.length)).toEqual(recovered.entries);
    }),
    { seed: 20_260_801, numRuns: 1500 },
  );
  expect(refused).toBeGreaterThan(1200);
});

const SMALL = { segmentBytesMax: 4096 };

interface Batch {
  /** Sizes of the entries' data. */
  readonly sizes: readonly number[];
  readonly fill: number;
  readonly change: 'none' | 'vote' | 'commit' | 'checkpoint';
}

const batch: fc.Arbitrary<Batch> = fc.record({
  sizes: fc.array(fc.oneof(fc.nat(60), fc.nat(1200)), { maxLength: 3 }),
  fill: fc.nat(255),
  change: fc.constantFrom('none', 'vote', 'commit', 'checkpoint'),
});

/** A log as a member writes it; `last`: the last record that it holds, with its length word. */
async function logOf(batches: readonly Batch[]) {
  const disk = new MemoryDisk();
  const wal = await Wal.create(walOptions(disk, SMALL), METADATA);
  const log: Entry[] = [];
  let [term, commit] = [1, 0];
  for (const { sizes, fill, change } of batches) {
    if (change === 'vote') term++;
    if (change === 'commit') commit = Math.max(commit, log.length - 1);
    const entries = sizes.map((sizeBytes, i): Entry => {
      const data = new Uint8Array(sizeBytes).map((_, at) => 1 + ((fill + 7 * at) % 255));
      return { type: 'normal', term, index: log.length + i + 1, data };
    });
    log.push(...entries);
    const state = change === 'none' ? undefined : hardState(term, commit, METADATA.memberId);
    await wal.append({ entries, hardState: state });
    const covered = log[commit - 1];
    if (change === 'checkpoint' && covered !== undefined) {
      const confState = simpleConf([METADATA.memberId]);
      await wal.saveSnapshot({ index: covered.index, term: covered.term, confState });
    }
  }
  await wal.close();
  const name = disk.names(DIRECTORY).at(-1)!;
  return { disk, last: lastFrame(disk.peek(`${DIRECTORY}/${name}`)) };
}

function lastFrame(content: Uint8Array): { readonly lengthBytes: number } {
  let [offset, lengthBytes] = [0, 0];
  for (;;) {
    const frame = readFrame(content, offset);
    if (frame.type !== 'record') return { lengthBytes };
    lengthBytes = frame.recordEnd - offset;
    offset = frame.nextOffset;
  }
}

function deviceWith(content: Uint8Array): Device {
  const device = new Device();
  device.put(`${DIRECTORY}/${SEGMENT}`, content);
  return device;
}

/** Non-zero up to `writtenBytes`, then zeros; no two sectors are equal. */
function segment(writtenBytes: number): Uint8Array {
  const content = new Uint8Array(4096);
  for (let at = 0; at < writtenBytes; at++) content[at] = 1 + ((at + (at >> 9)) % 255);
  return content;
}
