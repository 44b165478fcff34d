/**
 * Tries of many modes, kept one JSON object a line, so that a series that was interrupted goes on,
 * and the table that comes of them.
 */
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';
import { StormError } from '../exit-code.ts';
import { readLines } from '../line-file.ts';
import { medianOf } from '../median.ts';
import type { Outcome, Scenario, TargetKind } from './scenario.ts';
import { seconds, type Try, verdictOf } from './tally.ts';

/** One line of the file. */
export interface SeriesTry {
  readonly mode: string;
  readonly target: TargetKind;
  readonly outcome: Outcome;
  readonly tookMs: number;
}

export function appendTry(path: string, done: SeriesTry): void {
  appendFileSync(path, `${JSON.stringify(done)}\n`);
}

/**
 * None where there is no file; throws StormError for a line that is no try. A torn last one is
 * dropped, from the file too: the next line must not end up behind it.
 */
export function readTries(path: string): readonly SeriesTry[] {
  if (!existsSync(path)) return [];
  const lines = [...readLines(path)].filter((line) => line !== '');
  const tries = lines.flatMap((line, at) => {
    const done = parseTry(line);
    if (done !== undefined) return [done];
    if (at === lines.length - 1) return [];
    throw new StormError(`--out ${path}: line ${at + 1} is no try of a series; give another file`);
  });
  writeFileSync(path, tries.map((done) => `${JSON.stringify(done)}\n`).join(''));
  return tries;
}

/** Of the tries of one mode on one target. */
export function triesOf(
  tries: readonly SeriesTry[],
  { name }: Scenario,
  target: TargetKind,
): readonly Try[] {
  return tries
    .filter((one) => one.mode === name && one.target === target)
    .map(({ outcome, tookMs }) => ({ outcome, tookMs, directories: [] }));
}

/** Markdown: a row for each mode and target that has tries. */
export function tableOf(scenarios: readonly Scenario[], tries: readonly SeriesTry[]): string {
  const targets = ['stormraft', 'etcd'] as const;
  const rows = scenarios.flatMap((scenario) =>
    targets.flatMap((target) => {
      const of = triesOf(tries, scenario, target);
      return of.length === 0 ? [] : [rowOf(scenario, target, of)];
    }),
  );
  const head = ['mode', 'target', 'expected', 'hit', 'undecided', 'median', 'slowest'];
  const all = [head, head.map((_, at) => (at < 3 ? '---' : '---:')), ...rows];
  return `${all.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}\n`;
}

function rowOf(scenario: Scenario, target: TargetKind, tries: readonly Try[]): readonly string[] {
  const expected = scenario.expected[target];
  const verdicts = tries.map(({ outcome }) => verdictOf(outcome, expected));
  const hits = verdicts.filter((verdict) => verdict === 'as expected').length;
  const undecided = verdicts.filter((verdict) => verdict === 'undecided').length;
  const times = tries.filter((_, at) => verdicts[at] !== 'undecided').map(({ tookMs }) => tookMs);
  const [median, slowest] =
    times.length === 0 ? ['', ''] : [seconds(medianOf(times)), seconds(Math.max(...times))];
  return [
    ...[`\`${scenario.name}\``, target, expected.outcome],
    ...[`${hits} of ${tries.length}`, String(undecided), median, slowest],
  ];
}

function parseTry(line: string): SeriesTry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isTry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isTry(value: unknown): value is SeriesTry {
  if (typeof value !== 'object' || value === null) return false;
  if (!('mode' in value && 'target' in value && 'outcome' in value && 'tookMs' in value)) {
    return false;
  }
  const { mode, target, outcome, tookMs } = value;
  const isKnown = target === 'stormraft' || target === 'etcd';
  return typeof mode === 'string' && isKnown && typeof tookMs === 'number' && isOutcome(outcome);
}

function isOutcome(value: unknown): value is Outcome {
  if (typeof value !== 'object' || value === null || !('type' in value)) return false;
  if (value.type === 'undecided') return 'reason' in value && typeof value.reason === 'string';
  const isDecided = value.type === 'reproduced' || value.type === 'sound';
  return isDecided && 'evidence' in value && typeof value.evidence === 'string';
}
