import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StormError } from '../../harness/exit-code.ts';
import { CHECKER_MUTANTS, type CheckerMutant } from '../../harness/mutants/checker-catalogue.ts';
import {
  type CheckerHunt,
  type CheckerHuntOptions,
  huntCheckerMutants,
} from '../../harness/mutants/hunt-checkers.ts';
import { VirtualClock } from '../harness/virtual-clock.ts';

const ROOT = join(import.meta.dirname, '../..');
const TIMEOUT_MS = 300_000;

let parent = '';

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'storm-checker-hunt-'));
});

afterEach(async () => {
  await rm(parent, { recursive: true, force: true });
});

function hunt(options: Partial<CheckerHuntOptions>): Promise<readonly CheckerHunt[]> {
  return huntCheckerMutants({
    root: ROOT,
    mutants: [],
    parent,
    signal: new AbortController().signal,
    clock: new VirtualClock(),
    onProgress: () => undefined,
    ...options,
  });
}

/** A repository with one checker, whose test is `body`. */
async function tinyRoot(body: string): Promise<string> {
  const root = join(parent, 'root');
  for (const folder of ['checkers', 'src', 'workloads', 'test/checkers', 'test/support']) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await symlink(join(ROOT, 'node_modules'), join(root, 'node_modules'));
  await writeFile(join(root, 'package.json'), '{"type": "module"}\n');
  await writeFile(join(root, 'checkers/one.ts'), 'export const one: number = 1;\n');
  await writeFile(
    join(root, 'test/checkers/one.test.ts'),
    `import { expect, test } from 'vitest';
import { one } from '../../checkers/one.ts';
${body}
`,
  );
  return root;
}

function mutantOne(name: string, replace: string): CheckerMutant {
  const file = 'checkers/one.ts';
  return { name, story: '', edits: [{ file, find: 'one: number = 1;', replace }] };
}

async function left(): Promise<readonly string[]> {
  return (await readdir(parent)).filter((name) => name !== 'root');
}

describe('in the checkers of this repository', () => {
  test('a bug is killed by a test, and what changes nothing survives', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const bug = CHECKER_MUTANTS.find(({ name }) => name === 'register-absent-fits')!;
    const harmless: CheckerMutant = {
      name: 'harmless',
      story: 'a comment',
      edits: [
        {
          file: 'checkers/set.ts',
          find: `const NAME = 'set';`,
          replace: `const NAME = 'set'; // so`,
        },
      ],
    };
    const seen: string[] = [];
    const hunts = await hunt({
      mutants: [bug, harmless],
      onProgress: ({ mutant, result }) => seen.push(`${mutant.name} ${result.type}`),
    });
    expect(hunts).toMatchObject([
      { mutant: bug, result: { type: 'killed', by: expect.stringContaining('test/checkers/') } },
      { mutant: harmless, result: { type: 'survived' } },
    ]);
    expect(seen).toEqual(['register-absent-fits killed', 'harmless survived']);
    expect(await left()).toEqual([]);
  });
});

describe('in a tiny repository', { timeout: TIMEOUT_MS }, () => {
  const SOUND = `test('is one', () => expect(one).toBe(1));`;

  test('mutants do not see each other, and one that cannot be loaded is broken', async () => {
    const root = await tinyRoot(SOUND);
    const hunts = await hunt({
      root,
      mutants: [
        mutantOne('two', 'one: number = 2;'),
        mutantOne('unparsable', 'one: number = (;'),
        mutantOne('throwing', `one: number = 1; throw new Error('no');`),
        mutantOne('same', 'one: number = 2 - 1;'),
      ],
    });
    expect(hunts.map(({ result }) => result)).toEqual([
      { type: 'killed', by: 'test/checkers/one.test.ts: is one', seconds: 0 },
      { type: 'broken', reason: expect.stringContaining('PARSE_ERROR') },
      { type: 'broken', reason: expect.stringContaining('no') },
      { type: 'survived' },
    ]);
  });

  test('tests that fail without a mutant are an error, as is a repository without tests', async () => {
    const failing = await tinyRoot(`test('is two', () => expect(one).toBe(2));`);
    await expect(hunt({ root: failing })).rejects.toThrow(
      new StormError(
        'the tests of the checkers fail without any mutant: test/checkers/one.test.ts: is two',
      ),
    );
    await rm(join(failing, 'test/checkers/one.test.ts'));
    await expect(hunt({ root: failing })).rejects.toThrow(
      'fail without any mutant: no test was found',
    );
    expect(await left()).toEqual([]);
  });

  test('an edit that does not fit is an error', async () => {
    const root = await tinyRoot(SOUND);
    const [edit] = mutantOne('two', '').edits;
    const unfit = { name: 'unfit', story: '', edits: [{ ...edit!, find: 'three' }] };
    await expect(hunt({ root, mutants: [unfit] })).rejects.toThrow(
      'mutant unfit: its edit fits 0 places in checkers/one.ts, not 1',
    );
  });

  test('an abort ends a run that would never end, and leaves nothing', async () => {
    const root = await tinyRoot(`test('hangs', () => { while (one) expect(one).toBe(1); });`);
    const signal = AbortSignal.timeout(1_500);
    await expect(hunt({ root, signal })).rejects.toThrow(signal.reason);
    expect(await left()).toEqual([]);
  });
});
