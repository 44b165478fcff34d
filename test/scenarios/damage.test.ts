/** What scenarios do to files does what it says. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  bytesInLastSector,
  cutTo,
  flipBitInMiddle,
  segmentIn,
  zeroLastBytes,
} from '../../harness/scenarios/lab/damage.ts';
import { Undecided } from '../../harness/scenarios/scenario.ts';

let directory: string;
let file: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'stormraft-damage-'));
  mkdirSync(join(directory, 'member/wal'), { recursive: true });
  file = join(directory, 'member/wal/0000000000000001-0000000000000009.wal');
  writeFileSync(join(directory, 'member/wal/0000000000000000-0000000000000000.wal'), 'old');
  writeFileSync(join(directory, 'member/wal/0.tmp'), 'none');
  writeFileSync(file, Buffer.concat([Buffer.alloc(100, 7), Buffer.alloc(28)]));
});
afterEach(() => rmSync(directory, { recursive: true }));

test('the newest segment', () => {
  expect(segmentIn(directory)).toBe(file);
});

test('the last bytes that were written become zeros, the size stays', () => {
  zeroLastBytes(file, 20);
  expect(readFileSync(file)).toEqual(Buffer.concat([Buffer.alloc(80, 7), Buffer.alloc(48)]));
});

test('one bit of a text, nearest to the middle of what was written', () => {
  const text = (value: string): string => value.padEnd(20, '.');
  const written = Buffer.from(['set/1', 'set/2', 'set/3', '4'].map(text).join(''));
  writeFileSync(file, Buffer.concat([written, Buffer.alloc(28)]));
  expect(flipBitInMiddle(file, 'set/')).toBe(40);
  const bytes = readFileSync(file);
  expect(bytes[40]).toBe('s'.charCodeAt(0) ^ 0x10);
  bytes[40] = 's'.charCodeAt(0);
  expect(bytes).toEqual(Buffer.concat([written, Buffer.alloc(28)]));
});

test('a text that only stands beyond the middle', () => {
  writeFileSync(file, `${'.'.repeat(60)}set/1`);
  expect(flipBitInMiddle(file, 'set/')).toBe(60);
});

test('cut short', () => {
  cutTo(file, 10);
  expect(readFileSync(file)).toEqual(Buffer.alloc(10, 7));
});

test('of a file with nothing in it nothing is known', () => {
  writeFileSync(file, Buffer.alloc(64));
  expect(() => flipBitInMiddle(file, 'set/')).toThrow(Undecided);
  expect(() => zeroLastBytes(file, 20)).toThrow(Undecided);
});

test('how far into its last sector a file is written', () => {
  expect(bytesInLastSector(file)).toBe(100);
  writeFileSync(file, Buffer.concat([Buffer.alloc(512 + 9, 7), Buffer.alloc(28)]));
  expect(bytesInLastSector(file)).toBe(9);
});
