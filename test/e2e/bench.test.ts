/** `storm bench etcd` on the command line, against one member of ours: no figure is judged. */
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { Measurement } from '../../harness/bench/measurement.ts';

const CLI = resolve(import.meta.dirname, '../../harness/cli.ts');
const run = promisify(execFile);
const directory = mkdtempSync(join(tmpdir(), 'bench-test-'));

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('a put and a range are measured, without errors, and nothing is left', async () => {
  const json = join(directory, 'figures.json');
  const options = ['--only', 'stormraft', '--members', '1', '--rounds', '1', '--seconds', '1'];
  const load = ['--warm-up', '0', '--keys', '300', '--cells', 'put:4,range:2x3'];
  const places = ['--dir', directory, '--json', json];
  const { stdout } = await run(process.execPath, [
    ...[CLI, 'bench', 'etcd', ...options],
    ...[...load, ...places],
  ]);
  const stages = stdout.split('\n').filter((line) => line.startsWith('bench: round 1: stormraft'));
  expect(stages).toHaveLength(2);
  const { measurements } = JSON.parse(readFileSync(json, 'utf8')) as {
    measurements: readonly Measurement[];
  };
  expect(measurements.map(({ cell }) => cell)).toEqual(['put:4', 'range:2x3']);
  for (const { load: result } of measurements) {
    expect(result.ok).toBeGreaterThan(0);
    expect(result.problems).toEqual({});
    expect(result.latency.p99Ns).toBeGreaterThanOrEqual(result.latency.p50Ns);
  }
  // The file of figures is all there is: no data directory, and so no member writing to one.
  expect(readdirSync(directory)).toEqual(['figures.json']);
});
