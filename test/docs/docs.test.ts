/** What documents say exists must exist, and what users can type must be in the documents. */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EXIT_ENVIRONMENT, exitCodeOf } from '../../harness/exit-code.ts';
import { MUTANTS } from '../../harness/mutants/catalogue.ts';
import { CHECKER_MUTANTS } from '../../harness/mutants/checker-catalogue.ts';
import { FAULT_KINDS, familyOf } from '../../harness/nemesis/packages.ts';
import { EXIT_CODE } from '../../src/server/exit-code.ts';
import { FLAGS_OF_GATES, IGNORED_FLAGS, RENAMED_FLAGS } from '../../src/server/flags/old-flags.ts';
import { FLAGS } from '../../src/server/flags.ts';

const ROOT = join(import.meta.dirname, '../..');

const documents: readonly string[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .trim()
  .split('\n')
  .filter((path) => existsSync(join(ROOT, path)));

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** Cells of the first column of every table, without marks of code. */
function firstCells(text: string): string[] {
  return [...text.matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => cell!.replaceAll('`', ''));
}

/** What is in `code` somewhere in the document. */
function codeIn(path: string): Set<string> {
  return new Set([...read(path).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code!));
}

/** First groups of all matches of `pattern` in source files. */
function sourceMatches(pattern: RegExp, ...paths: readonly string[]): string[] {
  const found = paths.flatMap((path) => [...read(path).matchAll(pattern)]);
  return [...new Set(found.map(([, group]) => group!))];
}

function sourcesIn(folder: string): readonly string[] {
  const names = readdirSync(join(ROOT, folder), { encoding: 'utf8', recursive: true });
  return names.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`);
}

function missingFrom(known: ReadonlySet<string>, wanted: readonly string[]): string[] {
  return wanted.filter((each) => !known.has(each));
}

describe('every document', () => {
  test.each(documents)('%s: links lead somewhere', (path) => {
    const links = [...read(path).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !resolves(path, link));
    expect(broken).toEqual([]);
  });

  test.each(documents)('%s: npm scripts exist', (path) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const named = [...read(path).matchAll(/\bnpm (?:run (?:-s )?([\w:-]+)|(start|test)\b)/g)];
    const unknown = named.map(([, run, short]) => run ?? short!).filter((name) => !scripts[name]);
    expect(unknown).toEqual([]);
  });
});

function resolves(from: string, link: string): boolean {
  const [file = '', anchor] = link.split('#');
  const path = file === '' ? from : join(dirname(from), file);
  if (!existsSync(join(ROOT, path))) return false;
  return anchor === undefined || anchorsOf(path).includes(anchor);
}

/** Headings as GitHub makes anchors of them. */
function anchorsOf(path: string): string[] {
  return [...read(path).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    heading!
      .toLowerCase()
      .replaceAll(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

/** Where commands and options of storm are made. */
const COMMAND_LINE: readonly string[] = [
  'harness/cli.ts',
  ...readdirSync(join(ROOT, 'harness/cli')).map((name) => `harness/cli/${name}`),
];

describe('docs/runs.md', () => {
  test('has every command and option of storm', () => {
    const commands = sourceMatches(/\.command\('(\w+)/g, ...COMMAND_LINE);
    expect(commands.length).toBeGreaterThan(10);
    expect(commands.filter((name) => !read('docs/runs.md').includes(`storm ${name}`))).toEqual([]);
    const options = sourceMatches(/\.option\('(--[\w-]+)/g, ...COMMAND_LINE);
    expect(options.length).toBeGreaterThan(20);
    const known = new Set([...codeIn('docs/runs.md')].map((code) => code.split(' ')[0]!));
    expect(missingFrom(known, options)).toEqual([]);
  });

  test('has every exit code of storm', () => {
    const codes = [...(['valid', 'invalid', 'unknown'] as const).map(exitCodeOf), EXIT_ENVIRONMENT];
    expect(missingFrom(new Set(firstCells(read('docs/runs.md'))), codes.map(String))).toEqual([]);
  });

  test('has every file of a run directory and every part of the recovery', () => {
    const known = codeIn('docs/runs.md');
    const files = sourceMatches(/'([\w.-]+\.(?:json|jsonl|html|xml))'/g, 'harness/store.ts');
    expect(files.length).toBeGreaterThan(5);
    expect(missingFrom(known, files)).toEqual([]);
    const [, fields] = /interface Recovery \{(.+?)\n\}/s.exec(read('harness/recovery.ts'))!;
    const parts = [...fields!.matchAll(/readonly (\w+):/g)].map(([, name]) => name!);
    expect(parts).toContain('givenUp');
    expect(missingFrom(known, parts)).toEqual([]);
  });
});

describe('docs/simulation.md', () => {
  test('has every option of the commands that simulate', () => {
    const options = sourceMatches(/\.option\('(--[\w-]+)/g, 'harness/cli/sim.ts');
    expect(options.length).toBeGreaterThan(10);
    const known = new Set([...codeIn('docs/simulation.md')].map((code) => code.split(' ')[0]!));
    expect(missingFrom(known, options)).toEqual([]);
  });

  test('has every name that a failure may have', () => {
    const properties = sourceMatches(/new Broken\(\s*'([^']+)'/g, 'harness/sim/invariants.ts');
    const others = sourceMatches(
      /(?:\.fail\(\{ by: '\w+', name: |, name = )'([^']+)'/g,
      ...['harness/sim/world.ts', 'harness/sim/simulate.ts'],
    );
    expect(properties.length).toBeGreaterThan(8);
    expect(others.length).toBeGreaterThan(3);
    expect(missingFrom(codeIn('docs/simulation.md'), [...properties, ...others])).toEqual([]);
  });
});

describe('docs/bench.md', () => {
  test('has every option', () => {
    const options = sourceMatches(/\.option\('(--[\w-]+)/g, 'harness/cli/bench.ts');
    expect(options.length).toBeGreaterThan(10);
    const known = new Set([...codeIn('docs/bench.md')].map((code) => code.split(' ')[0]!));
    expect(missingFrom(known, options)).toEqual([]);
  });
});

describe('docs/mutants.md', () => {
  test('has every option of the hunt', () => {
    const options = sourceMatches(/\.option\('(--[\w-]+)/g, 'harness/cli/mutants.ts');
    expect(options.length).toBeGreaterThan(6);
    const known = new Set([...codeIn('docs/mutants.md')].map((code) => code.split(' ')[0]!));
    expect(missingFrom(known, options)).toEqual([]);
  });

  test('has every mutant of both catalogues once, and no other', () => {
    const [, tables] = read('docs/mutants.md').split('<!-- table -->');
    const told = firstCells(tables!).filter((cell) => cell !== 'mutant');
    const planted = [...MUTANTS, ...CHECKER_MUTANTS].map(({ name }) => name);
    expect(missingFrom(new Set(told), planted)).toEqual([]);
    expect(missingFrom(new Set(planted), told)).toEqual([]);
    expect(told).toHaveLength(planted.length);
  });
});

describe('docs/faults.md', () => {
  test('has every kind of fault, with its family', () => {
    const rows = read('docs/faults.md').matchAll(
      /^\| `([\w-]+)` \| (process|network|links|disk|clock|membership|upkeep) \|/gm,
    );
    const families = Object.fromEntries([...rows].map(([, kind, family]) => [kind!, family!]));
    expect(families).toEqual(Object.fromEntries(FAULT_KINDS.map((kind) => [kind, familyOf(kind)])));
  });
});

describe('docs/operations.md', () => {
  test('has every flag with its variable and its default', () => {
    const text = read('docs/operations.md');
    const wrong = Object.entries(FLAGS).filter(([name, { fallback }]) => {
      const variable = `ETCD_${name.toUpperCase().replaceAll('-', '_')}`;
      const row = text
        .split('\n')
        .find((line) => line.startsWith(`| \`--${name}\` | \`${variable}\``));
      return row === undefined || !row.includes(fallback);
    });
    expect(wrong.map(([name]) => name)).toEqual([]);
  });

  test('has every old name of a flag, and every one that is ignored', () => {
    const old = [RENAMED_FLAGS, FLAGS_OF_GATES, IGNORED_FLAGS].flatMap(Object.keys);
    expect(old.length).toBeGreaterThan(40);
    const known = codeIn('docs/operations.md');
    expect(
      missingFrom(
        known,
        old.map((name) => `--${name}`),
      ),
    ).toEqual([]);
  });

  test('has every exit code of the server', () => {
    const codes = Object.values(EXIT_CODE).map(String);
    expect(missingFrom(new Set(firstCells(read('docs/operations.md'))), codes)).toEqual([]);
  });

  test('has every call that is served, and every metric', () => {
    const known = codeIn('docs/operations.md');
    const methods = sourcesIn('src/api/methods');
    const calls = sourceMatches(/'\/(?:etcdserver|v3lock|v3election)pb\.(\w+\/\w+)'/g, ...methods);
    expect(calls.length).toBeGreaterThan(40);
    expect(missingFrom(known, calls)).toEqual([]);
    const sources = readdirSync(join(ROOT, 'src/api')).filter((name) => /^metrics/.test(name));
    const metrics = sourceMatches(/name: '(\w+)'/g, ...sources.map((name) => `src/api/${name}`));
    expect(metrics.length).toBeGreaterThan(60);
    expect(missingFrom(known, metrics)).toEqual([]);
  });

  test('explains every line of the log', () => {
    const logged = sourceMatches(
      /\blog\.(?:debug|info|warn|error)\(\s*'([^']+)'/g,
      ...['src/member', 'src/server', 'src/transport', 'src/api', 'src/host'].flatMap(sourcesIn),
    );
    expect(logged.length).toBeGreaterThan(50);
    expect(missingFrom(codeIn('docs/operations.md'), logged)).toEqual([]);
  });
});
