/** What is written down during a run, how much of it, and that it can be read again. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { readLines } from '../../harness/line-file.ts';
import { Recorder } from '../../harness/recorder.ts';
import { VirtualClock } from './virtual-clock.ts';

describe('the recorder', () => {
  test('hands on each op as a line', () => {
    const lines: string[] = [];
    const recorder = new Recorder(new VirtualClock(), (line) => lines.push(line));
    recorder.record({ process: 0, type: 'invoke', f: 'read', value: 'é' });
    expect(lines).toEqual([
      '{"index":0,"time":0,"process":0,"type":"invoke","f":"read","value":"é"}\n',
    ]);
    expect(recorder.isFull).toBe(false);
  });

  test('is full when its lines are, however few', () => {
    const recorder = new Recorder(new VirtualClock(), () => undefined, 1_000);
    const value = 'é'.repeat(250);
    recorder.record({ process: 0, type: 'ok', f: 'set-read', value });
    expect(recorder.isFull).toBe(false);
    recorder.record({ process: 0, type: 'ok', f: 'set-read', value });
    expect(recorder.isFull).toBe(true);
  });
});

describe('a file of lines', () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-lines-'));
  const path = join(directory, 'lines');
  afterAll(() => rmSync(directory, { recursive: true }));

  test.each([
    ['none', []],
    ['empty ones', ['', '', 'a', '']],
    ['longer than what is read at once', ['a', 'é€😀'.repeat(200_000), 'b']],
    ['many', Array.from({ length: 100_000 }, (_, n) => `line ${n} é`)],
  ])('is read line by line: %s', (_, lines) => {
    writeFileSync(path, lines.map((line) => `${line}\n`).join(''));
    expect([...readLines(path)]).toEqual(lines);
    writeFileSync(path, [...lines, 'cut off'].join('\n'));
    expect([...readLines(path)]).toEqual([...lines, 'cut off']);
  });

  test('may be left in the middle, and may not be there', () => {
    writeFileSync(path, 'a\nb\n');
    for (const line of readLines(path)) {
      expect(line).toBe('a');
      break;
    }
    expect(() => [...readLines(join(directory, 'none'))]).toThrow(/none: ENOENT.*; run it again/);
  });
});
