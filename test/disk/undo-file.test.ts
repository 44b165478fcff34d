/** What a power failure takes from a file, on one in memory, against the simulator's. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Content, SECTOR_BYTES, UndoFile } from '../../harness/disk/undo/undo-file.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { StoredFile } from '../../harness/sim/disk/stored-file.ts';

class MemoryContent implements Content {
  bytes: Uint8Array = new Uint8Array(0);

  get sizeBytes(): number {
    return this.bytes.length;
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    return this.bytes.slice(offset, offset + lengthBytes);
  }

  write(offset: number, bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    if (offset + bytes.length > this.bytes.length) this.resize(offset + bytes.length);
    this.bytes.set(bytes, offset);
  }

  resize(sizeBytes: number): void {
    const resized = new Uint8Array(sizeBytes);
    resized.set(this.bytes.subarray(0, sizeBytes));
    this.bytes = resized;
  }
}

/** Both files, changed together. */
class Pair {
  readonly content = new MemoryContent();
  readonly undo = new UndoFile(this.content);
  readonly model = new StoredFile();
  order = 0;

  write(offset: number, bytes: Uint8Array): void {
    this.undo.beforeWrite(offset, bytes.length, { atMs: this.order, order: ++this.order });
    this.content.write(offset, bytes);
    this.model.write(offset, bytes);
  }

  resize(sizeBytes: number): void {
    this.undo.beforeResize(sizeBytes, { atMs: this.order, order: ++this.order });
    this.content.resize(sizeBytes);
    this.model.truncate(sizeBytes);
  }

  sync(upTo: number): void {
    this.undo.sync(upTo);
    this.model.sync(upTo);
  }
}

const change = fc.oneof(
  fc.record({
    type: fc.constant('write' as const),
    offset: fc.integer({ min: 0, max: 3000 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 2000 }),
  }),
  fc.record({ type: fc.constant('resize' as const), size: fc.integer({ min: 0, max: 4000 }) }),
  fc.record({ type: fc.constant('sync' as const), back: fc.integer({ min: 0, max: 3 }) }),
);

type Change = typeof change extends fc.Arbitrary<infer Value> ? Value : never;

function perform(changes: readonly Change[]): Pair {
  const pair = new Pair();
  for (const one of changes) {
    if (one.type === 'write') pair.write(one.offset, one.bytes);
    else if (one.type === 'resize') pair.resize(one.size);
    else pair.sync(pair.undo.changes - one.back);
  }
  return pair;
}

const changes = fc.array(change, { maxLength: 12 });
const seeds = fc.integer({ min: 0, max: 2 ** 32 - 1 });

describe('a power failure', () => {
  test('that keeps nothing leaves what was synced', () => {
    fc.assert(
      fc.property(changes, (all) => {
        const { undo, content, model } = perform(all);
        undo.powerLoss('nothing', true, seededRandom(1));
        expect(content.bytes).toEqual(model.durable());
        expect(undo.isClean).toBe(true);
        expect(undo.heldBytes).toBe(0);
      }),
    );
  });

  test('that keeps some leaves in every sector old or new bytes', () => {
    fc.assert(
      fc.property(changes, seeds, (all, seed) => {
        const { undo, content, model } = perform(all);
        const [now, durable] = [content.bytes.slice(), model.durable()];
        const hasResize = all.some(({ type }) => type === 'resize');
        const loss = undo.powerLoss('some', true, seededRandom(seed));
        fc.pre(!hasResize);
        for (const [at, byte] of content.bytes.entries()) {
          const known = [now[at], durable[at] ?? 0, ...writtenTo(all, at)];
          expect(known).toContain(byte);
        }
        if (loss.changes === 0) expect(content.bytes).toEqual(now);
      }),
    );
  });

  test('does the same again for the same seed', () => {
    fc.assert(
      fc.property(changes, seeds, (all, seed) => {
        const [one, other] = [perform(all), perform(all)];
        one.undo.powerLoss('some', true, seededRandom(seed));
        other.undo.powerLoss('some', true, seededRandom(seed));
        expect(one.content.bytes).toEqual(other.content.bytes);
      }),
      { numRuns: 30 },
    );
  });

  test('that tears cuts the last write at the edge of a sector and keeps all others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 6000 }),
        fc.integer({ min: 0, max: 1500 }),
        seeds,
        (length, offset, seed) => {
          const pair = new Pair();
          pair.write(0, new Uint8Array(800).fill(1));
          pair.write(offset, new Uint8Array(length).fill(2));
          const loss = pair.undo.powerLoss('torn', true, seededRandom(seed));
          const kept = pair.content.bytes.filter((byte) => byte === 2).length;
          expect(loss).toEqual({ changes: 1, bytes: length - kept, torn: kept > 0 ? 1 : 0 });
          expect(kept).toBeLessThan(length);
          if (kept > 0) expect((offset + kept) % SECTOR_BYTES).toBe(0);
          expect(pair.content.bytes.subarray(0, Math.min(offset, 800))).toEqual(
            new Uint8Array(Math.min(offset, 800)).fill(1),
          );
        },
      ),
    );
  });

  test('that tears elsewhere keeps everything here', () => {
    const pair = perform([
      { type: 'write', offset: 0, bytes: new Uint8Array(3000).fill(7) },
      { type: 'resize', size: 900 },
    ]);
    expect(pair.undo.powerLoss('torn', false, seededRandom(1)).changes).toBe(0);
    expect(pair.content.bytes).toEqual(new Uint8Array(900).fill(7));
  });
});

describe('time and failure', () => {
  test('what is old is durable', () => {
    const pair = new Pair();
    for (const byte of [1, 2, 3]) pair.write(byte, Uint8Array.of(byte));
    pair.undo.expire(2);
    pair.undo.powerLoss('nothing', true, seededRandom(1));
    expect([...pair.content.bytes]).toEqual([0, 1, 2]);
  });

  test('a write that was refused is not undone', () => {
    const pair = new Pair();
    pair.write(0, Uint8Array.of(1, 2, 3));
    pair.sync(pair.undo.changes);
    pair.undo.beforeWrite(1, 50, { atMs: 9, order: 9 });
    pair.undo.takeBack();
    expect(pair.undo.isClean).toBe(true);
    expect(pair.undo.powerLoss('nothing', true, seededRandom(1)).changes).toBe(0);
    expect([...pair.content.bytes]).toEqual([1, 2, 3]);
  });

  test('zeros that a truncation cuts off take no memory', () => {
    const pair = new Pair();
    pair.write(0, Uint8Array.of(1, 2, 3));
    pair.resize(1_000_000);
    pair.sync(pair.undo.changes);
    pair.resize(2);
    expect(pair.undo.heldBytes).toBe(1);
    pair.undo.powerLoss('nothing', true, seededRandom(1));
    expect(pair.content.bytes).toEqual(pair.model.durable());
  });
});

function writtenTo(all: readonly Change[], at: number): number[] {
  return all.flatMap((one) =>
    one.type === 'write' && at >= one.offset && at < one.offset + one.bytes.length
      ? [one.bytes[at - one.offset]!]
      : [],
  );
}
