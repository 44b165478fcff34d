/** A short exploration, as users ask for it, on real members. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { complaints, line, StormLab } from './storm-lab.ts';

let storms: StormLab;
beforeEach(() => {
  storms = new StormLab();
});
afterEach(() => storms[Symbol.asyncDispose]());

test('one run of our server: nothing found, and a table that says so', async () => {
  const out = join(storms.runsDirectory, '..', 'table.json');
  const args = ['explore', '--seed', '3', '--runs', '1', '--storm-seconds', '3', '--out', out];
  const ended = await storms.storm(...args, '--runs-dir', storms.runsDirectory);
  expect(complaints(ended)).toEqual([]);
  expect(line(ended.stdout, 'run 1: ')).toMatch(/^(sound|unknown)/);
  expect(ended.stdout).toMatch(/^0 distinct failure modes.*; 1 runs/m);
  const table = JSON.parse(readFileSync(out, 'utf8'));
  expect(table).toMatchObject({ format: 'storm-explore/1', seed: 3, runs: 1, modes: [] });
  expect(readFileSync(out.replace('.json', '.md'), 'utf8')).toContain('0 distinct failure modes');
  expect([0, 2]).toContain(ended.code);
});

test('a number without a seed: one line, and status 3', async () => {
  const ended = await storms.storm('explore', '--only', '4');
  expect(ended.code).toBe(3);
  expect(complaints(ended)).toEqual([expect.stringMatching(/^storm: --only: .*; give --seed too/)]);
});
