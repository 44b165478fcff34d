/** A whole storm on local processes: its files, its verdict, its stages again, its leftovers. */
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, eventually } from './lab.ts';
import { occupy } from './real-members.ts';
import {
  complaints,
  killedMidFault,
  line,
  processesOf,
  StormLab,
  type StormRun,
  stormBegins,
} from './storm-lab.ts';

const STORM = ['run', '--cluster', 'process', '--seed', '7', '--time-limit', '15'] as const;

let storms: StormLab;

beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

describe('storm run', () => {
  let ended: Ended;
  let directory: string;
  let junitFile: string;

  beforeAll(async () => {
    junitFile = storms.lab.path('verdict.xml');
    ({ ended, directory } = await storms.run(...STORM, '--junit', junitFile));
  });

  const json = (name: string) => JSON.parse(readFileSync(join(directory, name), 'utf8'));

  test('is valid, and says how much it did', () => {
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(line(ended.stdout, 'verdict:')).toMatch(/^valid/);
    const operations = Number(/^(\d+) operations/.exec(line(ended.stdout, 'figures:') ?? '')?.[1]);
    expect(operations).toBeGreaterThan(0);
    expect(line(ended.stdout, 'report:')).toBe(join(directory, 'report.html'));
    expect(complaints(ended)).toEqual([]);
  });

  test('leaves every file of a run', () => {
    const files = ['plan.json', 'environment.json', 'history.jsonl', 'samples.jsonl'];
    files.push('faults.json', 'verdict.json', 'report.html', 'junit.xml');
    for (const file of files) expect(readFileSync(join(directory, file), 'utf8')).not.toBe('');
    expect(readdirSync(join(directory, 'logs')).sort()).toEqual(['n1.log', 'n2.log', 'n3.log']);
    expect(readdirSync(directory)).not.toContain('data');
  });

  test('injected faults that were seen to work', () => {
    const { faults, historyOps } = json('faults.json');
    expect(faults.length).toBeGreaterThan(3);
    const observed = faults.filter(({ effect }: { effect: string }) => effect === 'observed');
    expect(observed.length).toBeGreaterThan(0);
    const { length } = readFileSync(join(directory, 'history.jsonl'), 'utf8').trim().split('\n');
    expect(length).toBe(historyOps);
    expect(json('verdict.json')).toMatchObject({ validity: 'valid' });
  });

  test('wrote JUnit XML, in the run and where it was told to', () => {
    const xml = readFileSync(junitFile, 'utf8');
    expect(readFileSync(join(directory, 'junit.xml'), 'utf8')).toBe(xml);
    expectWellFormed(xml);
    const cases = xml.match(/<testcase /g)?.length ?? 0;
    expect(cases).toBeGreaterThan(4);
    expect(xml).toContain(`<testsuites tests="${cases}" failures="0" errors="0"`);
  });

  test('left nothing running', async () => {
    // Its pid is in the run's id, which nobody else has.
    const run = { directory, id: `storm-${basename(directory)}-` };
    expect(processesOf(run)).toEqual([]);
    expect(mountsBelow(directory)).toEqual([]);
  });

  test('storm check comes to the same verdict from the files alone', async () => {
    const copy = copied('checked');
    for (const made of ['verdict.json', 'report.html', 'junit.xml']) {
      writeFileSync(join(copy, made), 'old');
    }
    const again = await storms.storm('check', copy);
    expect(again, again.stderr).toMatchObject({ code: 0, stderr: '' });
    for (const figure of ['verdict:', 'figures:', 'check: register:', 'faults:']) {
      expect(line(again.stdout, figure)).toBe(line(ended.stdout, figure));
    }
    expect(JSON.parse(readFileSync(join(copy, 'verdict.json'), 'utf8'))).toEqual(
      json('verdict.json'),
    );
    expect(readFileSync(join(copy, 'report.html'), 'utf8')).toContain('<');
  });

  test('storm report writes the report again', async () => {
    const copy = copied('reported');
    writeFileSync(join(copy, 'report.html'), 'old');
    const again = await storms.storm('report', copy);
    expect(again, again.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(line(again.stdout, 'report:')).toBe(join(copy, 'report.html'));
    expect(readFileSync(join(copy, 'report.html'), 'utf8')).not.toBe('old');
  });

  test.each<[string, string, (text: string) => string, RegExp]>([
    [
      'short of its end',
      'history.jsonl',
      (text) => `${text.split('\n').slice(0, 100).join('\n')}\n`,
      /truncated, 100 ops where faults.json tells of \d+/,
    ],
    [
      'cut inside a line',
      'history.jsonl',
      (text) => text.slice(0, text.length / 2),
      /history.jsonl/,
    ],
    ['garbled', 'history.jsonl', (text) => text.replace('"f"', '"g"'), /history.jsonl/],
    [
      'of another format',
      'plan.json',
      (text) => text.replace('storm-plan/1', 'storm-plan/9'),
      /plan.json .*field format: not storm-plan\/1/,
    ],
    ['no JSON', 'faults.json', (text) => text.slice(0, 50), /faults.json/],
  ])('a file that is %s (%#: %s) is refused in one line', async (name, file, spoil, complaint) => {
    const copy = copied(`spoilt ${name}`);
    writeFileSync(join(copy, file), spoil(readFileSync(join(copy, file), 'utf8')));
    const refused = await storms.storm('check', copy);
    expect(refused.code).toBe(3);
    expect(complaints(refused)).toEqual([expect.stringMatching(complaint)]);
    expect(refused.stderr).toMatch(/; (restore|run)/);
  });

  function copied(name: string): string {
    const copy = storms.lab.path(name);
    cpSync(directory, copy, { recursive: true });
    return copy;
  }
});

describe.runIf(process.platform === 'linux')('a harness killed in the middle of a fault', () => {
  test('leaves processes to the next sweep, and nothing to the one after', async () => {
    const faults = ['--faults', 'partition-halves,slow-disk,pause'];
    const ports: number[] = [];
    const run: StormRun = await killedMidFault(storms, [...STORM, ...faults], async (living) => {
      // Another storm's sweep lets it live.
      expect((await storms.storm('sweep')).stdout).toContain('nothing left over');
      ports.push(...portsOf(processesOf(living)));
    });
    const left = processesOf(run);
    expect(left.length).toBeGreaterThanOrEqual(4);
    expect(ports.length).toBeGreaterThanOrEqual(6);

    const swept = await storms.storm('sweep');
    expect(swept, swept.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(swept.stdout).toMatch(/sweep: removed .*\d+ processes/);
    await eventually('they are gone', async () => processesOf(run).length === 0);
    expect(mountsBelow(run.directory)).toEqual([]);
    for (const port of ports) await (await occupy(port))[Symbol.asyncDispose]();
    expect((await storms.storm('sweep')).stdout).toContain('sweep: nothing left over');

    expect(existsSync(join(run.directory, 'history.jsonl'))).toBe(true);
    const unfinished = await storms.storm('check', run.directory);
    expect(unfinished.code).toBe(3);
    expect(complaints(unfinished)).toEqual([
      expect.stringMatching(/no faults.json, the storm was cut off; run it again/),
    ]);
  });

  test('SIGTERM heals, tears down and ends with the status of no verdict', async () => {
    const launched = storms.launch([...STORM, '--runs-dir', storms.runsDirectory]);
    const run = await stormBegins(launched);
    const { code, stderr } = await launched.end('SIGTERM');
    expect(code).toBe(3);
    expect(stderr).toMatch(/^storm: SIGTERM: healing and tearing down\nstorm: interrupted/);
    expect(processesOf(run)).toEqual([]);
    expect(mountsBelow(run.directory)).toEqual([]);
  });
});

/** Where the processes on these command lines listen. */
function portsOf(commandLines: readonly string[]): number[] {
  const found = commandLines.flatMap((text) => [
    ...text.matchAll(/--(?:listen-\w+-urls=http:\/\/|control=)127\.0\.0\.1:(\d+)/g),
  ]);
  return [...new Set(found.map(([, port]) => Number(port)))];
}

function mountsBelow(directory: string): string[] {
  if (process.platform !== 'linux') return [];
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return mounts.filter((mount) => mount.includes(`${directory}/`));
}

/** Every element is closed in its turn, and nothing but whitespace lies outside the root. */
function expectWellFormed(xml: string): void {
  const body = xml.replace(/^<\?xml[^>]*\?>/, '').replaceAll(/<!\[CDATA\[[\s\S]*?\]\]>/g, '');
  const open: string[] = [];
  for (const [, slash, name, empty] of body.matchAll(/<(\/?)([\w-]+)(?:\s[^<>]*?)?(\/?)>/g)) {
    if (slash === '/') expect(open.pop()).toBe(name);
    else if (empty !== '/') open.push(name!);
  }
  expect(open).toEqual([]);
  expect(body.replaceAll(/<\/?[\w-]+(?:\s[^<>]*?)?\/?>/g, '')).not.toMatch(/[<>]/);
}
