/** A campaign of real storms: killed, interrupted, and brought to its end. */
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { expandMatrix } from '../../harness/campaign/cell.ts';
import { readCampaign } from '../../harness/campaign/results.ts';
import { eventually, type Launched } from './lab.ts';
import { complaints, processesOf, StormLab, type StormRun } from './storm-lab.ts';

/** Six times the program starts, and four storms. */
const LONG = { timeout: 400_000 };

let storms: StormLab;

beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

function matrixFile(name: string, text: string): string {
  const path = storms.lab.path(name);
  writeFileSync(path, text);
  return path;
}

/** Resolves when clients are at work in the cell's cluster. */
function cellBegins(directory: string, id: string): Promise<StormRun> {
  const output = join(directory, 'cells', id, 'output.log');
  return eventually('a cell begins', async () => {
    if (!existsSync(output) || !/^storm: /m.test(readFileSync(output, 'utf8'))) return undefined;
    const run = realpathSync(join(directory, 'cells', id, 'latest'));
    return { directory: run, id: `storm-${basename(run)}-` };
  });
}

test('goes on after SIGKILL and SIGTERM, leaves nothing, can be merged', LONG, async () => {
  const text = '{cluster: process, members: 1, faults: none, durations: 5, rate: 50, seeds: 1..2}';
  const matrix = matrixFile('two.yaml', text);
  const directory = join(storms.runsDirectory, 'two');
  const launch = (): Launched =>
    storms.launch(['run', '--matrix', matrix, '--runs-dir', directory]);
  const idOf = (seed: number): Promise<string> =>
    eventually('the head is written', async () => {
      const saved = readCampaign(directory);
      return saved && expandMatrix(saved.head.matrix)[seed - 1]?.id;
    });

  const killed = launch();
  const first = await cellBegins(directory, await idOf(1));
  expect(processesOf(first)).not.toEqual([]);
  await killed.end('SIGKILL');
  await eventually('its members end too', async () => processesOf(first).length === 0);
  expect(readCampaign(directory)!.results.size).toBe(0);

  const interrupted = launch();
  await eventually('one cell is done', async () => interrupted.stdout.includes('campaign: 1/2 '));
  const second = await cellBegins(directory, await idOf(2));
  await interrupted.end('SIGTERM');
  const cut = await interrupted.ended;
  expect(cut.code).toBe(3);
  expect(processesOf(second)).toEqual([]);
  expect([...readCampaign(directory)!.results.keys()]).toEqual([await idOf(1)]);

  const done = await launch().ended;
  expect(done, done.stderr).toMatchObject({ code: 0 });
  expect(done.stdout).toContain('1 cells have a verdict already');
  expect(done.stdout).toMatch(/^campaign: 1\/1 stormraft-m1-none-s2-\w+: valid in/m);
  expect(done.stdout).toMatch(/^campaign: 2 cells: 2 valid$/m);
  const results = [...readCampaign(directory)!.results.values()];
  for (const { runDirectory, versions, again } of results) {
    expect(existsSync(join(directory, runDirectory!, 'report.html'))).toBe(true);
    expect(versions.code).toMatch(/^[0-9a-f]{12}$/);
    expect(again).toMatch(/^npm run storm -- run --seed \d --cluster process --time-limit 5 /);
  }

  const merged = await storms.storm('merge', directory, '--into', storms.lab.path('merged'));
  expect(merged, merged.stderr).toMatchObject({ code: 0 });
  expect(merged.stdout).toMatch(/^merge: 2 cells: 2 valid, in /m);
});

test('a simulated cell gets the verdict of storm run', LONG, async () => {
  const text = '{cluster: sim, faults: kill, durations: 5, seeds: 1}';
  const ended = await storms.storm(
    'run',
    '--matrix',
    matrixFile('sim.yaml', text),
    '--runs-dir',
    storms.lab.path('sim'),
  );
  const single = await storms.storm(
    'run',
    '--cluster',
    'sim',
    '--faults',
    'kill',
    '--time-limit',
    '5',
    '--seed',
    '1',
    '--runs-dir',
    storms.lab.path('single'),
  );
  expect(ended.code).toBe(single.code);
  expect(ended.stdout).toMatch(/^campaign: 1\/1 stormraft-m3-kill-s1-/m);
});

test('a host without a daemon has no verdict: no other daemon is taken in its place', async () => {
  const text = '{seeds: 1..2, hosts: "unix:///nonexistent/docker.sock"}';
  const directory = storms.lab.path('hosts');
  const matrix = matrixFile('hosts.yaml', text);
  const ended = await storms.storm('run', '--matrix', matrix, '--runs-dir', directory);
  expect(ended.code).toBe(3);
  expect(ended.stdout).toMatch(/no verdict in [\d.]+ s: .*no (Docker|container) daemon answers/);
  expect(readCampaign(directory)!.results.size).toBe(1);
});

test('a matrix with a slip is refused before anything runs', async () => {
  const matrix = matrixFile('slip.yaml', '{seeds: 1, membrs: 3}');
  const ended = await storms.storm('run', '--matrix', matrix);
  expect(ended.code).toBe(3);
  expect(complaints(ended)).toEqual([
    expect.stringMatching(/^storm: slip\.yaml: membrs: unknown field; use targets, members/),
  ]);
});
