import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Target } from '../../harness/cluster/cluster.ts';
import {
  contextFiles,
  hashContext,
  importsOf,
  stageContext,
} from '../../harness/cluster/docker/build-context.ts';

const repository = join(import.meta.dirname, '..', '..');
let root = '';
let target: Target = { kind: 'stormraft', root };

async function put(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(root, path)), { recursive: true });
  await writeFile(join(root, path), text);
}

/** A package as npm lays it out. */
async function putPackage(path: string, dependencies: Record<string, string>): Promise<void> {
  await put(`${path}/package.json`, JSON.stringify({ dependencies }));
  await put(`${path}/index.js`, '');
}

async function places(): Promise<readonly string[]> {
  return (await contextFiles(repository, target)).map(({ to }) => to);
}

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'storm-context-test-'));
  target = { kind: 'stormraft', root };
  await put('package.json', '{"type":"module"}');
  await put('src/main.ts', "import { a } from './lib/a.ts';\nimport used from 'used/deep';\n");
  await put('src/lib/a.ts', "import { b } from '@scope/b';\n");
});

afterEach(async () => {
  await rm(root, { recursive: true });
});

describe('the files of an image', () => {
  test('are the sources, the tools and the imported packages with what these need', async () => {
    await putPackage('node_modules/used', { nested: '1', shared: '1' });
    await putPackage('node_modules/used/node_modules/nested', { shared: '1' });
    await putPackage('node_modules/nested', {});
    await putPackage('node_modules/shared', {});
    await putPackage('node_modules/@scope/b', {});
    await putPackage('node_modules/idle', {});
    await put('node_modules/used/types.d.ts', '');
    await put('node_modules/used/index.js.map', '');
    await put('src/.hidden', '');

    const all = await places();
    expect(all).toContain('Dockerfile');
    expect(all).toContain('tools/package.json');
    expect(all).toContain('tools/harness/cluster/docker/agent/rules.ts');
    expect(all).toContain('tools/harness/disk/main.ts');
    expect(all.filter((to) => to.startsWith('server/'))).toEqual([
      'server/package.json',
      'server/src/lib/a.ts',
      'server/src/main.ts',
    ]);
    expect(
      all.filter((to) => /^deps\/node_modules\/(@scope|idle|nested|shared|used)/.test(to)),
    ).toEqual([
      'deps/node_modules/@scope/b/index.js',
      'deps/node_modules/@scope/b/package.json',
      'deps/node_modules/shared/index.js',
      'deps/node_modules/shared/package.json',
      'deps/node_modules/used/index.js',
      'deps/node_modules/used/node_modules/nested/index.js',
      'deps/node_modules/used/node_modules/nested/package.json',
      'deps/node_modules/used/package.json',
    ]);
  });

  test('leave the harness out, whose dependencies no node needs', async () => {
    const all = await places();
    expect(all.filter((to) => to.includes('testcontainers') || to.includes('dockerode'))).toEqual(
      [],
    );
    expect(all).not.toContain('tools/harness/cluster/docker/docker-cluster.ts');
  });

  test('are the binary for a real etcd', async () => {
    await put('etcd', 'binary');
    target = { kind: 'etcd', path: join(root, 'etcd') };
    expect((await places()).filter((to) => to.startsWith('server/'))).toEqual(['server/etcd']);
  });

  test('must be there', async () => {
    await rm(join(root, 'src/main.ts'));
    await expect(places()).rejects.toThrow('no src/main.ts');
    target = { kind: 'etcd', path: join(root, 'no-etcd') };
    await expect(places()).rejects.toThrow('no etcd at');
  });

  test('can be staged as a context', async () => {
    const context = join(root, 'context');
    await stageContext(context, await contextFiles(repository, target));
    const staged = await contextFiles(repository, {
      kind: 'stormraft',
      root: join(context, 'server'),
    });
    expect(staged.map(({ to }) => to)).toEqual(await places());
  });
});

describe('the hash of an image', () => {
  const hash = async (base = 'base'): Promise<string> =>
    hashContext(base, await contextFiles(repository, target));

  test('is the same for the same files', async () => {
    expect(await hash()).toBe(await hash());
    expect(await hash()).toMatch(/^[0-9a-f]{16}$/);
  });

  test('changes with an edit, with a file and with the base', async () => {
    const before = await hash();
    expect(await hash('other base')).not.toBe(before);
    await put('src/lib/a.ts', 'edited');
    const edited = await hash();
    expect(edited).not.toBe(before);
    await put('src/lib/b.ts', '');
    expect(await hash()).not.toBe(edited);
  });
});

test('imports are found in every form', () => {
  const source = [
    "import a from 'a';",
    'import type { B } from "b";',
    "import {\n  c,\n} from './c.ts';",
    "export * from '../d.ts';",
    "import 'e';",
    "const f = await import('f');",
  ].join('\n');
  expect(importsOf(source)).toEqual(['a', 'b', './c.ts', '../d.ts', 'e', 'f']);
});
