/** What `--target` may be, and what is said of a program that is no etcd. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseRunRequest } from '../../harness/options.ts';
import { nameTargets, worstOf } from '../../harness/side-by-side/side-by-side.ts';
import { etcdVersion, unknownFlagIn } from '../../harness/targets/etcd-version.ts';
import { isImageName } from '../../harness/targets/image-name.ts';
import { firstFile } from '../../harness/targets/tar.ts';

const directory = mkdtempSync(join(tmpdir(), 'storm-targets-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** A program with this text. */
function program(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  chmodSync(path, 0o755);
  return path;
}

const parse = (target: string, others = {}) =>
  parseRunRequest({ seed: '1', target, ...others }, () => 0);

describe('--target', () => {
  const node = `etcd:${process.execPath}`;

  test('one target is no list', () => {
    const { options, targets } = parse(node);
    expect(options.target).toEqual({ kind: 'etcd', path: process.execPath });
    expect(targets).toBeUndefined();
  });

  test('several, in their order; --server is for those of them that are stormraft', () => {
    const { options, targets } = parse(`${node},stormraft`, { server: '.' });
    expect(targets?.map(({ kind }) => kind)).toEqual(['etcd', 'stormraft']);
    expect(options.target).toEqual(targets?.[0]);
    expect(nameTargets(targets!)).toEqual(['etcd', 'stormraft']);
  });

  test('an image is asked for later; a file of that name goes first', () => {
    expect(parse('etcd:example.org/me/etcd:v3.5.9').options.target).toEqual({
      kind: 'etcd',
      path: '',
      image: 'example.org/me/etcd:v3.5.9',
    });
    const both = parse('etcd:etcd:a,etcd:etcd:b').targets!;
    expect(nameTargets(both)).toEqual(['etcd etcd:a', 'etcd etcd:b']);
  });

  test.each<[string, RegExp]>([
    ['stormraft,stormraft', /--target stormraft,stormraft: stormraft is given twice/],
    ['stormraft,mysql', /--target mysql: unknown; use stormraft, etcd or etcd:PATH/],
    ['stormraft,etcd:/nonexistent', /--target etcd:\/nonexistent: no executable at/],
    ['etcd:', /no executable/],
  ])('%s is refused', (target, message) => {
    expect(() => parse(target)).toThrow(message);
  });

  test('names of images, and what is none', () => {
    const names = [
      'etcd',
      'a/b:1',
      'localhost:5000/etcd',
      'host.io/x/y@sha256:'.concat('0'.repeat(64)),
    ];
    expect(names.filter((name) => !isImageName(name))).toEqual([]);
    expect(['/bin/etcd', './etcd', '.', 'Etcd', 'a b', ''].filter(isImageName)).toEqual([]);
  });
});

describe('an etcd', () => {
  test('says which it is', async () => {
    const path = program('good', '#!/bin/sh\necho "etcd Version: 3.9.1"\necho "Git SHA: 1"\n');
    expect(await etcdVersion(path)).toBe('etcd Version: 3.9.1');
  });

  test.each<[string, string, RegExp]>([
    ['silent', '#!/bin/sh\n', /silent: is no etcd: --version says nothing; give etcd's full path/],
    ['talker', '#!/bin/sh\necho hello\n', /is no etcd: --version says "hello"; give/],
    ['failing', '#!/bin/sh\nexit 7\n', /cannot be run: --version ends with status 7; give/],
    ['text', 'just words\n', /cannot be run: --version .*; give etcd's full path/],
    ['old', '#!/bin/sh\necho "etcd Version: 2.3.8"\n', /is too old: .*2\.3\.8; give etcd 3\.0/],
  ])('that is none: %s', async (name, text, message) => {
    const refusal = await etcdVersion(program(name, text)).catch((error) => error);
    expect(refusal.name).toBe('ClusterError');
    expect(refusal.message).toMatch(message);
    expect(refusal.message).toMatch(/^--target etcd:\S+: [^\n]*$/);
  });

  test('the flag that it does not know', () => {
    expect(unknownFlagIn('flag provided but not defined: -pre-vote\nUsage:')).toBe('pre-vote');
    expect(unknownFlagIn('error: unknown flag: --pre-vote')).toBe('pre-vote');
    expect(unknownFlagIn('listening')).toBeUndefined();
  });
});

test('the worst verdict of several', () => {
  expect(worstOf(['valid', 'valid'])).toBe('valid');
  expect(worstOf(['unknown', 'valid'])).toBe('unknown');
  expect(worstOf(['unknown', 'invalid', 'valid'])).toBe('invalid');
});

describe('a tar archive of one path', () => {
  const header = (type: string, sizeBytes: number, link = ''): Buffer => {
    const block = Buffer.alloc(512);
    block.write('etcd', 0);
    block.write(sizeBytes.toString(8).padStart(11, '0'), 124);
    block.write(type, 156);
    block.write(link, 157);
    return block;
  };
  const file = Buffer.concat([header('0', 5), Buffer.from('hello'), Buffer.alloc(507)]);

  test('holds the file, also behind an extended header', () => {
    const extended = Buffer.concat([header('x', 3), Buffer.alloc(512), file]);
    for (const archive of [file, extended]) {
      expect(firstFile(archive)).toEqual({ type: 'file', content: Buffer.from('hello') });
    }
  });

  test('or a link, or nothing', () => {
    const link = header('2', 0, '../lib/etcd');
    expect(firstFile(link)).toEqual({ type: 'link', target: '../lib/etcd' });
    expect(firstFile(header('5', 0))).toBeUndefined();
    expect(firstFile(file.subarray(0, 515))).toBeUndefined();
    expect(firstFile(Buffer.alloc(0))).toBeUndefined();
  });
});
