/** A storm of an administrator's making, on local processes. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { complaints, line, StormLab } from './storm-lab.ts';

const KINDS = ['compact', 'defragment', 'leader-move', 'learner-promote'] as const;

let storms: StormLab;

beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

test('a storm in which members are replaced and looked after is valid, and all was done', async () => {
  const timing = ['--time-limit', '15', '--election-timeout', '500', '--heartbeat-interval', '50'];
  // Of this seed's plan each kind is once, and the longest comes last.
  const where = ['--cluster', 'process', '--seed', '41', '--rate', '150'];
  const { ended, directory } = await storms.run(
    'run',
    ...where,
    ...timing,
    `--faults=${KINDS.join(',')}`,
    ...KINDS.map((kind) => `--require=${kind}`),
  );
  expect(ended, ended.stdout + ended.stderr).toMatchObject({ code: 0 });
  expect(line(ended.stdout, 'verdict:')).toMatch(/^valid/);
  expect(complaints(ended)).toEqual([]);
  const { faults, recovery } = JSON.parse(readFileSync(join(directory, 'faults.json'), 'utf8'));
  const effects = faults.map(({ kind, effect }: { kind: string; effect: string }) => [
    kind,
    effect,
  ]);
  expect(effects.sort()).toEqual(KINDS.map((kind) => [kind, 'observed']));
  expect(recovery).toMatchObject({ diedAlone: [], givenUp: [], unreadable: [] });
});
