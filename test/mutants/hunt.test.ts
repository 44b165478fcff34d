/** The hunt is alive: it finds what is there, what is rare, and nothing where there is nothing. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CANARY } from '../../harness/mutants/catalogue/canary.ts';
import { MUTANTS } from '../../harness/mutants/catalogue.ts';
import { type Hunt, hunt } from '../../harness/mutants/hunt.ts';
import type { Mutant } from '../../harness/mutants/mutant.ts';
import { describeHunts, describeShrinking, serverTable } from '../../harness/mutants/table.ts';
import { RealClock } from '../../src/host/real-clock.ts';

const ROOT = join(import.meta.dirname, '../..');
/** One seed in a hundred or so meets the canary: in so many one does, but for a chance in 10,000. */
const CANARY_SEEDS_MAX = 1_000;
const HUNT_MS_MAX = 600_000;

let parent: string;
beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), 'storm-hunt-test-'));
});
afterAll(() => rm(parent, { recursive: true, force: true }));

function huntFor(
  mutant: Mutant,
  options: { readonly seedsMax: number; readonly shrinkRunsMax?: number },
): Promise<Hunt> {
  return hunt(mutant, {
    root: ROOT,
    parent,
    seedFrom: 1,
    cpuMinutesMax: 10,
    signal: new AbortController().signal,
    clock: new RealClock(),
    shrinkRunsMax: 0,
    ...options,
  });
}

function named(name: string): Mutant {
  return MUTANTS.find((mutant) => mutant.name === name)!;
}

const HARMLESS: Mutant = {
  name: 'harmless',
  area: 'raft',
  story: 'nothing is wrong',
  edits: [
    {
      file: 'src/raft/raw-node.ts',
      find: "assert(entries.length > 0, 'raw-node: empty proposal');",
      replace: "assert(entries.length !== 0, 'raw-node: empty proposal');",
    },
  ],
};

const UNREADABLE: Mutant = {
  ...HARMLESS,
  name: 'unreadable',
  edits: [{ file: 'src/raft/raw-node.ts', find: 'export class RawNode {', replace: 'class {' }],
};

test('a bug is found, and its failing simulation made smaller', {
  timeout: HUNT_MS_MAX,
}, async () => {
  const options = { seedsMax: 50, shrinkRunsMax: 200 };
  const found = await huntFor(named('compare-when-proposed'), options);
  expect(found.result).toMatchObject({ type: 'killed', by: 'oracle: answer' });
  const shrunk = found.result.type === 'killed' ? found.result.shrunk : undefined;
  expect(shrunk?.operations).toBeLessThan(60);
  expect(serverTable([found])).toContain('| `compare-when-proposed` |');
  expect(describeHunts([found])).toMatch(/^1 of 1 found \(100\.0 %\)/);
  expect(describeShrinking([found])).toMatch(/^1 made smaller: median \d+ operations/);
});

test('nothing is found where nothing is wrong', { timeout: HUNT_MS_MAX }, async () => {
  const found = await huntFor(HARMLESS, { seedsMax: 5 });
  expect(found).toMatchObject({ result: { type: 'survived' }, seeds: 5 });
  expect(describeHunts([found])).toBe('0 of 1 found (0.0 %)');
});

test('a copy that cannot run is not a find', { timeout: HUNT_MS_MAX }, async () => {
  const found = await huntFor(UNREADABLE, { seedsMax: 5 });
  expect(found.result).toMatchObject({
    type: 'broken',
    detail: expect.stringContaining('SyntaxError'),
  });
  expect(serverTable([found])).toContain('**not planted**');
});

test('the canary, which few seeds meet, is found', { timeout: HUNT_MS_MAX }, async () => {
  const found = await huntFor(CANARY, { seedsMax: CANARY_SEEDS_MAX });
  expect(found.result.type).toBe('killed');
});
