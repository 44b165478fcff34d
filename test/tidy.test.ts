import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { IMPORT_TABLE } from './import-table.ts';

/** Taste as a test: what the reviewer would otherwise have to say every time. */

const ROOT = join(import.meta.dirname, '..');
const LINES_MAX = 600;
const MEDIAN_LINES_MAX = 180;

interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const files: readonly SourceFile[] = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', '*.ts'],
  { cwd: ROOT, encoding: 'utf8' },
)
  .trim()
  .split('\n')
  .filter((path) => !path.startsWith('src/wire/gen/') && existsSync(join(ROOT, path)))
  .map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') }));

const product = files.filter(({ path }) => !path.startsWith('test/') && path.includes('/'));

/** What must not be written, where, and why. */
const BANS: readonly {
  readonly pattern: RegExp;
  readonly why: string;
  readonly allowed?: RegExp;
  readonly only?: RegExp;
}[] = [
  { pattern: /\bMath\.random\b/, why: 'use the Random port' },
  { pattern: /\brandomUUID\b/, why: 'ids come from the Random port' },
  {
    pattern: /\bDate\.now\b|\bnew Date\(\)|\bperformance\.now\b|\bprocess\.hrtime\b/,
    why: 'time comes from the Clock port',
    allowed:
      /^src\/host\/|^harness\/(cluster|disk|commands|doctor\/inside)\/|^harness\/(cli|timing|services|monotonic)\.ts/,
  },
  {
    pattern: /(?<![.\w])set(Timeout|Interval)\(/,
    why: 'timers come from the Clock port',
    // Front ends and clients live on real sockets only; a simulator calls the services.
    only: /^src\/(?!host\/|api\/|client\/)|^checkers\/|^workloads\/|^reports\//,
  },
  {
    pattern: /\bconsole\./,
    why: 'the server logs through the Log port',
    only: /^src\/|^checkers\//,
  },
  { pattern: /^\s*(export )?(const )?enum /m, why: 'unions instead of enums' },
  { pattern: /^export default/m, why: 'named exports only', allowed: /^vitest/ },
  { pattern: /^export \* /m, why: 'no barrels' },
  { pattern: /\bas any\b|: any\b|<any>/, why: 'no any' },
  { pattern: /@ts-(ignore|expect-error|nocheck)/, why: 'no hidden type errors' },
  { pattern: /\bTODO\b|\bFIXME\b|\bXXX\b|\bHACK\b/, why: 'an issue, not a note' },
  { pattern: /\b(it|test|describe)\.(only|todo)\(/, why: 'every test runs', only: /^test\// },
  {
    pattern: /\basync\b|\bawait\b|\bPromise\b/,
    why: 'the core is synchronous',
    only: /^src\/(raft|mvcc|lease|auth)\/|^src\/member\/(member|apply)\.ts|^checkers\//,
  },
  { pattern: /from 'node:/, why: 'pure folders know no platform', only: PURE() },
  { pattern: /\bBuffer\b/, why: 'pure folders know no platform', only: PURE() },
];

function PURE(): RegExp {
  return /^src\/(lib|ports|raft|mvcc|lease|auth|wire|wal|snap|member|service|http2)\/|^checkers\//;
}

function folderOf(path: string): string {
  return (
    Object.keys(IMPORT_TABLE).find((folder) => path === folder || path.startsWith(`${folder}/`)) ??
    ''
  );
}

function importsOf({ path, text }: SourceFile): string[] {
  const found = text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g);
  return [...found].map(([, target]) => relative('.', normalize(join(dirname(path), target!))));
}

describe('tidy', () => {
  test('imports run one way', () => {
    const wrong = product.flatMap((file) => {
      const from = folderOf(file.path);
      const allowed = [from, ...(IMPORT_TABLE[from] ?? [])];
      return importsOf(file)
        .filter((target) => target.endsWith('.ts') && !allowed.includes(folderOf(target)))
        .map((target) => `${file.path} -> ${target}`);
    });
    expect(wrong).toEqual([]);
  });

  test('every folder has a place in the import table', () => {
    expect(product.filter(({ path }) => folderOf(path) === '').map(({ path }) => path)).toEqual([]);
  });

  test('the import table in docs/ARCHITECTURE.md is this one', () => {
    const text = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8');
    const rows = [...text.matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].map(([, folder, may]) => {
      return [
        folder!,
        may!.trim() === '—' ? [] : may!.trim().replaceAll('`', '').split(' '),
      ] as const;
    });
    const documented = Object.fromEntries(rows.map(([folder, may]) => [folder, [...may].sort()]));
    const real = Object.fromEntries(
      Object.entries(IMPORT_TABLE).map(([folder, may]) => [
        folder,
        [...new Set(may)].filter((other) => other !== folder).sort(),
      ]),
    );
    expect(documented).toEqual(real);
  });

  test('files are small', () => {
    const lengths = files.map(({ path, text }) => ({ path, lines: text.split('\n').length }));
    expect(lengths.filter(({ lines }) => lines > LINES_MAX)).toEqual([]);
    const sorted = lengths.map(({ lines }) => lines).sort((a, b) => a - b);
    expect(sorted[Math.floor(sorted.length / 2)]).toBeLessThanOrEqual(MEDIAN_LINES_MAX);
  });

  test.each(BANS.map((ban) => [ban.why, ban] as const))('%s', (_, ban) => {
    const scope = ban.only?.source.includes('test') ? files : product;
    const hits = scope
      .filter(
        ({ path }) => (ban.only === undefined || ban.only.test(path)) && !ban.allowed?.test(path),
      )
      .flatMap(({ path, text }) =>
        text
          .split('\n')
          .filter((line) => ban.pattern.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line))
          .map((line) => `${path}: ${line.trim()}`),
      );
    expect(hits).toEqual([]);
  });

  test('names say what a file is about', () => {
    const bad = files.filter(({ path }) =>
      /(^|\/)(utils?|helpers?|misc|common|index)\.ts$/.test(path),
    );
    expect(bad.map(({ path }) => path)).toEqual([]);
    const shape = files.filter(({ path }) => !/^[a-z0-9./-]+$/.test(path));
    expect(shape.map(({ path }) => path)).toEqual([]);
  });
});
