/** The published table tells each mutant as the catalogue does, hunted or not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { MUTANTS } from '../../harness/mutants/catalogue.ts';
import type { Mutant } from '../../harness/mutants/mutant.ts';
import { notHuntedRows, serverTable } from '../../harness/mutants/table.ts';

const PUBLISHED = readFileSync(join(import.meta.dirname, '../../docs/mutants.md'), 'utf8').split(
  '\n',
);

const MUTANT: Mutant = {
  name: 'some',
  area: 'raft',
  story: 'a | b',
  expected: 'invariant: one',
  edits: [],
};

describe('rows of mutants that were not hunted', () => {
  test('say so, and what is expected', () => {
    const row = '| `some` | raft | a \\| b | not hunted yet; expected: invariant: one | – | – |';
    expect(notHuntedRows([MUTANT])).toBe(row);
    const { expected: _, ...plain } = MUTANT;
    expect(notHuntedRows([plain])).toBe('| `some` | raft | a \\| b | not hunted yet | – | – |');
  });

  test('have as many cells as those of the others', () => {
    const hunt = { mutant: MUTANT, result: { type: 'survived' }, seeds: 1, cpuS: 1 } as const;
    const cells = (row: string): number => row.split(/(?<!\\)\|/).length;
    expect(cells(notHuntedRows([MUTANT]))).toBe(cells(serverTable([hunt]).split('\n').at(-1)!));
  });
});

describe('docs/mutants.md', () => {
  test('tells area and story as the catalogue does', () => {
    const wrong = MUTANTS.filter((mutant) => {
      const [cells] = /^\| `[^`]+` \|(?:\\\||[^|])+\|(?:\\\||[^|])+\|/.exec(
        notHuntedRows([mutant]),
      )!;
      return !PUBLISHED.some((line) => line.startsWith(cells));
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  test('says of a mutant that was not hunted what the catalogue expects', () => {
    const rows = new Set(MUTANTS.map((mutant) => notHuntedRows([mutant])));
    const told = PUBLISHED.filter((line) => line.includes('| not hunted yet'));
    expect(told.filter((line) => !rows.has(line))).toEqual([]);
  });
});
