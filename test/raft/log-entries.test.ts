/** Packed or not, entries are what was pushed: compared with a plain array, action by action. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogEntries } from '../../src/raft/log-entries.ts';
import type { Entry, EntryType } from '../../src/raft/message.ts';

const FIRST = 7;

type Step =
  | { readonly type: 'push'; readonly count: number; readonly sizeBytes: number }
  | { readonly type: 'truncate' | 'drop' | 'pack'; readonly part: number }
  | { readonly type: 'restart' };

const part = fc.double({ min: 0, max: 1, noNaN: true });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      type: fc.constant('push' as const),
      count: fc.integer({ min: 1, max: 900 }),
      sizeBytes: fc.constantFrom(0, 1, 30, 4_096, 4_097),
    }),
  },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('truncate' as const), part }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('drop' as const), part }) },
  { weight: 4, arbitrary: fc.record({ type: fc.constant('pack' as const), part }) },
  { weight: 1, arbitrary: fc.constant({ type: 'restart' as const }) },
);

const TYPES: readonly EntryType[] = ['normal', 'normal', 'confChange', 'confChangeV2'];

function entryAt(index: number, sizeBytes: number): Entry {
  const data = new Uint8Array(sizeBytes).fill(index);
  return { type: TYPES[index % TYPES.length]!, term: 1 + (index >>> 6), index, data };
}

class Model {
  readonly entries = new LogEntries(FIRST);
  #firstIndex = FIRST;
  #packedEnd = FIRST;
  #known: Entry[] = [];

  get #endIndex(): number {
    return this.#firstIndex + this.#known.length;
  }

  take(given: Step): void {
    switch (given.type) {
      case 'push':
        for (let nth = 0; nth < given.count; nth++) this.#push(given.sizeBytes);
        return;
      case 'truncate': {
        const from = Math.max(this.#packedEnd, this.#firstIndex);
        const end = from + Math.floor(given.part * (this.#endIndex - from));
        this.entries.truncate(end);
        this.#known.length = end - this.#firstIndex;
        return;
      }
      case 'drop': {
        const first = this.#firstIndex + Math.floor(given.part * this.#known.length);
        this.entries.drop(first);
        this.#known.splice(0, first - this.#firstIndex);
        this.#firstIndex = first;
        return;
      }
      case 'pack': {
        const through = this.#firstIndex + Math.floor(given.part * this.#known.length) - 1;
        this.entries.pack(through);
        this.#packedEnd = Math.max(this.#packedEnd, through + 1);
        return;
      }
      case 'restart':
        this.#firstIndex = this.#endIndex + 3;
        this.#packedEnd = this.#firstIndex;
        this.#known = [];
        this.entries.restart(this.#firstIndex);
    }
  }

  #push(sizeBytes: number): void {
    const entry = entryAt(this.#endIndex, sizeBytes);
    this.#known.push(entry);
    this.entries.push(entry);
  }

  check(): void {
    const [first, end] = [this.#firstIndex, this.#endIndex];
    expect(this.entries.endIndex).toBe(end);
    expect(this.entries.lastTerm).toBe(this.#known.at(-1)?.term);
    const looked = [first - 1, first, first + 511, first + 512, (first + end) >>> 1, end - 1, end];
    for (const index of looked) {
      const known = this.#known[index - first];
      expect(this.entries.at(index)).toEqual(known);
      expect(this.entries.termAt(index)).toBe(known?.term);
      if (known !== undefined) {
        expect(this.entries.dataBytesAt(index)).toBe(known.data.length);
      }
    }
    const from = first + Math.floor(this.#known.length / 3);
    const until = first + Math.floor((this.#known.length * 2) / 3);
    for (const [a, b] of [
      [from, until],
      [first, end],
      [from, end],
    ] as const) {
      const [got, known] = [this.entries.slice(a, b), this.#known.slice(a - first, b - first)];
      expect(got.length).toBe(known.length);
      for (const [at, entry] of got.entries()) expect(sameEntry(entry, known[at]!)).toBe(true);
    }
  }
}

function sameEntry(a: Entry, b: Entry): boolean {
  const isSameHead = a.index === b.index && a.term === b.term && a.type === b.type;
  return isSameHead && Buffer.compare(a.data, b.data) === 0;
}

describe('entries of a log', () => {
  test('are what was pushed, packed or not', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const model = new Model();
        for (const given of steps) {
          model.take(given);
          model.check();
        }
      }),
      { numRuns: 60 },
    );
  });

  test('once packed do not depend on the buffer they came in', () => {
    const entries = new LogEntries(1);
    const buffer = new Uint8Array(1_024).fill(9);
    for (let index = 1; index <= 600; index++) {
      entries.push({ type: 'normal', term: 1, index, data: buffer.subarray(index, index + 2) });
    }
    entries.pack(599);
    buffer.fill(0);
    expect(entries.at(512)!.data).toEqual(Uint8Array.of(9, 9));
    expect(entries.at(513)!.data).toEqual(Uint8Array.of(0, 0));
  });

  test('are not packed in less than whole blocks', () => {
    const entries = new LogEntries(1);
    const pushed = Array.from({ length: 511 }, (_, at) => entryAt(at + 1, 1));
    for (const entry of pushed) entries.push(entry);
    entries.pack(511);
    expect(entries.at(1)).toBe(pushed[0]);
    entries.push(entryAt(512, 1));
    entries.pack(512);
    expect(entries.at(1)).not.toBe(pushed[0]);
    expect(entries.at(1)).toEqual(pushed[0]);
    expect(() => entries.truncate(512)).toThrow('never taken back');
  });
});
