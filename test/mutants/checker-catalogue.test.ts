import { readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { CHECKER_MUTANTS } from '../../harness/mutants/checker-catalogue.ts';

const ROOT = join(import.meta.dirname, '../..');

function textOf(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

describe('the bugs to plant in the checkers', () => {
  test('are many, have names of their own, and each says what it is', () => {
    const names = CHECKER_MUTANTS.map((mutant) => mutant.name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(24);
    expect(names.filter((name) => !/^[a-z]+(-[a-z]+)+$/.test(name))).toEqual([]);
    const stories = CHECKER_MUTANTS.map((mutant) => mutant.story);
    expect(stories.filter((story) => !/^\S[^\n]{19,}[^\s.]$/.test(story))).toEqual([]);
    expect(new Set(stories).size).toBe(stories.length);
  });

  test('are in every checker and in all that they stand on', () => {
    const files = new Set(CHECKER_MUTANTS.flatMap(({ edits }) => edits.map(({ file }) => file)));
    expect([...files].filter((file) => !file.startsWith('checkers/'))).toEqual([]);
    for (const part of ['register', 'set', 'statistics', 'revisions', 'compose', 'history/']) {
      expect([...files].filter((file) => file.startsWith(`checkers/${part}`))).not.toEqual([]);
    }
  });

  test.each(CHECKER_MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s: each edit fits once, changes something, and leaves a file that parses',
    (_, { edits }) => {
      expect(edits).not.toEqual([]);
      for (const { file, find, replace } of edits) {
        const text = textOf(file);
        expect(text.split(find).length - 1).toBe(1);
        const edited = text.replace(find, () => replace);
        expect(edited).not.toBe(text);
        // Throws where the text is no TypeScript.
        expect(stripTypeScriptTypes(edited)).not.toBe(stripTypeScriptTypes(text));
      }
    },
  );
});
