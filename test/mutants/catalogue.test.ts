/** The catalogue of planted bugs is true to the source, and each bug is told as agreed. */
import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CANARY } from '../../harness/mutants/catalogue/canary.ts';
import { MUTANTS, parseMutants } from '../../harness/mutants/catalogue.ts';
import type { Area, Mutant } from '../../harness/mutants/mutant.ts';

const ROOT = join(import.meta.dirname, '../..');
const EVERY: readonly Mutant[] = [...MUTANTS, CANARY];
/** What a simulated member runs. */
const SIMULATED = /^src\/(raft|member|wal|snap|mvcc|lease|auth|service|wire)\//;
const STORY_LENGTH_MAX = 110;

const LEAST: { readonly [Name in Area]: number } = {
  raft: 24,
  wal: 10,
  snapshot: 15,
  mvcc: 18,
  compaction: 6,
  watch: 12,
  lease: 10,
  lock: 5,
  auth: 9,
  alarm: 4,
  'read-path': 6,
  member: 6,
  membership: 15,
};

/** The mutated files, by path; fails where an edit does not fit. */
function mutated(mutant: Mutant): Map<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of mutant.edits) {
    const text = files.get(file) ?? readFileSync(join(ROOT, file), 'utf8');
    const pieces = text.split(find);
    expect(pieces, `${mutant.name}: ${find}`).toHaveLength(2);
    files.set(file, pieces.join(replace));
  }
  return files;
}

describe.each(EVERY)('$name', (mutant) => {
  test('fits the source, changes it, and what comes out parses', () => {
    expect(mutant.edits.length).toBeGreaterThan(0);
    for (const [file, text] of mutated(mutant)) {
      expect(text).not.toBe(readFileSync(join(ROOT, file), 'utf8'));
      expect(() => stripTypeScriptTypes(text, { mode: 'strip' })).not.toThrow();
    }
  });

  test('is told in one short line', () => {
    expect(mutant.name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
    expect(mutant.story).toMatch(/^\S.*\S$/);
    expect(mutant.story.length).toBeLessThanOrEqual(STORY_LENGTH_MAX);
    expect(mutant.expected ?? 'told by the tables').toMatch(/^\S[^\n]*\S$/);
  });

  test('is in code that simulated members run', () => {
    expect(mutant.edits.filter(({ file }) => !SIMULATED.test(file))).toEqual([]);
  });
});

describe('the catalogue', () => {
  test('has every name and every change once', () => {
    const names = EVERY.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    const changes = EVERY.map(({ edits }) => JSON.stringify(edits));
    expect(new Set(changes).size).toBe(changes.length);
  });

  test('has mutants in every area, and enough of them', () => {
    expect(MUTANTS.length).toBeGreaterThan(125);
    for (const [area, least] of Object.entries(LEAST)) {
      const count = MUTANTS.filter((mutant) => mutant.area === area).length;
      expect(count, area).toBeGreaterThanOrEqual(least);
    }
  });

  test('does not hold the canary', () => {
    expect(MUTANTS).not.toContain(CANARY);
  });
});

describe('parseMutants', () => {
  test('takes names, and all without names', () => {
    expect(parseMutants('--only', undefined, MUTANTS)).toBe(MUTANTS);
    const two = parseMutants('--only', 'range-end-inclusive, commit-goes-back', MUTANTS);
    expect(two.map(({ name }) => name)).toEqual(['range-end-inclusive', 'commit-goes-back']);
  });

  test('names the field, the unknown name, and the known ones', () => {
    expect(() => parseMutants('--only', 'nonsense', MUTANTS)).toThrow(
      /^--only nonsense: no such mutant; use vote-twice-in-a-term, /,
    );
  });
});
