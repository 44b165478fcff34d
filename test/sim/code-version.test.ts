import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { codeVersion } from '../../harness/sim/code-version.ts';

const OWN_ROOT = resolve(import.meta.dirname, '../..');

/** Everything that is loaded to draw and to simulate a plan. */
function loaded(): readonly string[] {
  const found = new Set<string>();
  const load = (path: string): void => {
    if (found.has(path)) return;
    found.add(path);
    const text = readFileSync(join(OWN_ROOT, path), 'utf8');
    const values = /^(?:import|export) (?!type )(?:[^;]*?from )?'(\.[^']+)'/gm;
    for (const [, target] of text.matchAll(values)) load(normalize(join(dirname(path), target!)));
  };
  load('harness/sim/simulate.ts');
  load('harness/sim/swarm.ts');
  return [...found].sort();
}

describe('the version of the code', () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'storm-code-'));
    for (const folder of ['src', 'workloads', 'checkers', 'harness']) {
      cpSync(join(OWN_ROOT, folder), join(root, folder), { recursive: true });
    }
  });
  afterEach(() => {
    rmSync(root, { recursive: true });
  });

  test('is the same for the same sources, wherever they are', () => {
    const version = codeVersion(root);
    expect(version).toMatch(/^[0-9a-f]{12}$/);
    expect(codeVersion(root)).toBe(version);
    expect(codeVersion()).toBe(version);
  });

  test('is another when anything changes that a simulation loads, or a file comes', () => {
    const versions = new Set([codeVersion(root)]);
    const paths = loaded();
    expect(paths).toContain('harness/seeded-random.ts');
    // Of the folders that count as a whole, some files will do.
    for (const path of paths.filter((each, at) => isBeside(each) || at % 20 === 0)) {
      const text = readFileSync(join(root, path), 'utf8');
      writeFileSync(join(root, path), `${text}\n// changed\n`);
      const version = codeVersion(root);
      expect(versions, path).not.toContain(version);
      versions.add(version);
    }
    writeFileSync(join(root, 'src/raft/more.ts'), 'export const more = 1;\n');
    expect(versions).not.toContain(codeVersion(root));
  });

  test('stays when only what surrounds a simulation changes', () => {
    const version = codeVersion(root);
    writeFileSync(join(root, 'harness/usage.ts'), 'export const usage = 1;\n');
    writeFileSync(join(root, 'src/notes.md'), 'notes\n');
    expect(codeVersion(root)).toBe(version);
  });
});

/** Not in a folder that counts as a whole. */
function isBeside(path: string): boolean {
  return !/^(src|workloads|checkers|harness\/(sim|nemesis|network|disk))\//.test(path);
}
