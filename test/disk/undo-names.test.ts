/** What a power failure takes from the names of a tree, on a real one. */

import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type DirectoryAt, UndoNames } from '../../harness/disk/undo/undo-names.ts';

let place = '';
let root = '';
let names: UndoNames;

beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'stormdisk-names-'));
  root = join(place, 'tree');
  mkdirSync(root);
  names = new UndoNames(join(place, 'kept'));
});
afterEach(() => rmSync(place, { recursive: true }));

function at(directory = ''): DirectoryAt {
  const path = join(root, directory);
  const { dev, ino } = lstatSync(path, { bigint: true });
  return { key: `${dev}:${ino}`, path };
}

const split = (path: string): { directory: DirectoryAt; name: Buffer } => {
  const slash = path.lastIndexOf('/');
  const directory = at(slash < 0 ? '' : path.slice(0, slash));
  return { directory, name: Buffer.from(path.slice(slash + 1)) };
};

const acts = {
  create(path: string): void {
    const { directory, name } = split(path);
    writeFileSync(join(root, path), path, { flag: 'wx' });
    names.made(directory, name, 0);
  },
  mkdir(path: string): void {
    const { directory, name } = split(path);
    mkdirSync(join(root, path));
    names.made(directory, name, 0);
  },
  remove(path: string): void {
    const { directory, name } = split(path);
    names.remove(directory, name, 0);
  },
  rmdir(path: string): void {
    const { directory, name } = split(path);
    names.removeDirectory(directory, name, 0);
  },
  move(from: string, to: string): void {
    names.move(split(from), split(to), 0);
  },
  link(from: string, to: string): void {
    const { directory, name } = split(to);
    linkSync(join(root, from), join(root, to));
    names.made(directory, name, 0);
  },
};

/** Every path with what is there. */
function tree(): Record<string, string> {
  const paths = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
  return Object.fromEntries(
    paths.map((path) => {
      const isDirectory = lstatSync(join(root, path)).isDirectory();
      return [path, isDirectory ? 'directory' : readFileSync(join(root, path), 'utf8')];
    }),
  );
}

const sync = (directory = ''): void => names.sync(at(directory).key, names.order);

describe('a power failure', () => {
  test('undoes what was made, removed and moved since the directory was synced', () => {
    for (const name of ['kept', 'old', 'replaced']) acts.create(name);
    acts.mkdir('d');
    sync();
    const before = tree();
    acts.create('new');
    acts.remove('kept');
    acts.move('old', 'replaced');
    acts.rmdir('d');
    acts.mkdir('d');
    acts.create('d/inside');
    expect(names.powerLoss(0)).toBe(6);
    expect(tree()).toEqual(before);
    expect(readdirSync(join(place, 'kept'))).toEqual([]);
  });

  test('keeps what a sync of the directory has covered, and that alone', () => {
    acts.mkdir('d');
    acts.create('d/a');
    acts.create('b');
    sync('d');
    acts.create('d/late');
    expect(names.powerLoss(0)).toBe(3);
    // The name of the directory itself is in the one above, and that was not synced.
    expect(tree()).toEqual({});
  });

  test('a sync covers what came before it started, not what came meanwhile', () => {
    acts.create('a');
    const upTo = names.order;
    acts.create('b');
    names.sync(at().key, upTo);
    names.powerLoss(0);
    expect(Object.keys(tree())).toEqual(['a']);
  });

  test('a move between directories is durable with either, whole', () => {
    acts.mkdir('d');
    acts.mkdir('e');
    sync();
    acts.create('d/a');
    acts.create('e/b');
    acts.move('d/a', 'e/b');
    sync('d');
    names.powerLoss(0);
    expect(tree()).toEqual({ d: 'directory', e: 'directory', 'e/b': 'd/a' });
  });

  test('the oldest changes may survive', () => {
    for (const name of ['a', 'b', 'c']) acts.create(name);
    expect(names.powerLoss(2)).toBe(1);
    expect(Object.keys(tree())).toEqual(['a', 'b']);
  });

  test('leaves the tree as it was synced, whatever was done', () => {
    const paths = ['a', 'b', 'd', 'e', 'd/a', 'd/b', 'e/a'] as const;
    const path = fc.constantFrom(...paths);
    const step = fc.oneof(
      fc.tuple(fc.constantFrom('create', 'mkdir', 'remove', 'rmdir'), path),
      fc.tuple(fc.constantFrom('move', 'link'), path, path),
    );
    const perform = (steps: readonly (readonly string[])[]): void => {
      for (const [what, ...parameters] of steps) {
        try {
          (Reflect.get(acts, what!) as (...paths: string[]) => void)(...parameters);
        } catch (error) {
          if (!(error instanceof Error && 'code' in error)) throw error;
        }
      }
    };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 15 }), fc.array(step), (durable, lost) => {
        perform(durable);
        names.expire(1);
        const before = tree();
        perform(lost);
        names.powerLoss(0);
        expect(tree()).toEqual(before);
        expect(names.size).toBe(0);
        expect(readdirSync(join(place, 'kept'))).toEqual([]);
        renameSync(root, `${root}.old`);
        rmSync(`${root}.old`, { recursive: true });
        mkdirSync(root);
      }),
      { numRuns: 60 },
    );
  });
});

describe('what is kept for the way back', () => {
  test('is told apart from links of the tree, and goes when the removal is durable', () => {
    acts.create('a');
    const { dev, ino } = lstatSync(join(root, 'a'), { bigint: true });
    const key = `${dev}:${ino}`;
    expect(names.keptLinks(key)).toBe(0);
    acts.link('a', 'b');
    acts.remove('a');
    expect(names.keptLinks(key)).toBe(1);
    expect(lstatSync(join(root, 'b')).nlink).toBe(2);
    sync();
    expect(names.keptLinks(key)).toBe(0);
    expect(lstatSync(join(root, 'b')).nlink).toBe(1);
    expect(readdirSync(join(place, 'kept'))).toEqual([]);
  });

  test('a refused removal keeps nothing', () => {
    acts.mkdir('d');
    acts.create('d/a');
    expect(() => acts.rmdir('d')).toThrow('ENOTEMPTY');
    expect(() => acts.remove('absent')).toThrow('ENOENT');
    expect(() => acts.move('d/a', 'd/a/b')).toThrow();
    expect(readdirSync(join(place, 'kept'))).toEqual([]);
    expect(tree()).toEqual({ d: 'directory', 'd/a': 'd/a' });
  });
});
