/**
 * How a member behaves that is started on a data directory with which something is wrong. Good are
 * two ways: it serves all that was acknowledged; or it serves nobody, and says in one line what
 * is wrong with which part of its data or settings, and what to do. Everything else leaves the operator alone
 * with a trace of the program: a panic, a bare error, or silence.
 */
import type { CheckResult } from '../../../checkers/checker.ts';
import { assertNever } from '../../../src/lib/assert.ts';

const NAME = 'start-up';

export type StartUp =
  /** It answers linearizable reads. */
  | { readonly type: 'serves'; readonly log: string }
  /** It has ended by itself. */
  | { readonly type: 'ended'; readonly log: string }
  /** It runs, and answers no linearizable read. */
  | { readonly type: 'serves nobody'; readonly log: string };

const CRASH = /\bpanic\b|goroutine \d+ \[|^\s+at .+:\d+:\d+\)?$|SIGSEGV/m;
const PLACE = /data-dir|data directory|\.wal\b|snap\/db|member\/(wal|snap)|--initial-cluster\b/i;
const REMEDY = /\b(restore|remove|delete|replace|member add|compare|etcdctl|move it|back ?up)\b/i;
const LINE_CHARACTERS_MAX = 400;

/** `set`: the verdict about what it serves, where it does. */
export function judgeStartUp(start: StartUp, set: CheckResult | undefined): CheckResult {
  const { log } = start;
  const helpful = log.split('\n').find((line) => PLACE.test(line) && REMEDY.test(line));
  switch (start.type) {
    case 'serves':
      if (set?.validity === 'valid') return valid(`it serves: ${set.summary}`);
      return { ...(set ?? invalid('it serves, and nobody looked at what')), name: NAME };
    case 'ended':
    case 'serves nobody':
      if (CRASH.test(log)) return invalid(`it crashed: ${lineOf(log, CRASH)}`);
      if (helpful !== undefined) return valid(`it ${verb(start.type)}: ${short(helpful)}`);
      return invalid(`it ${verb(start.type)} and says only: ${lastLine(log)}`);
    default:
      return assertNever(start);
  }
}

function verb(type: 'ended' | 'serves nobody'): string {
  return type === 'ended' ? 'refuses to start' : 'serves nobody';
}

function valid(summary: string): CheckResult {
  return { name: NAME, validity: 'valid', summary, details: {} };
}

function invalid(summary: string): CheckResult {
  return { name: NAME, validity: 'invalid', summary, details: {} };
}

function lineOf(log: string, pattern: RegExp): string {
  return short(log.split('\n').find((line) => pattern.test(line)) ?? '');
}

/** The last that is worth reading: of what was printed behind the end, nothing is. */
function lastLine(log: string): string {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  return short(
    lines.findLast((line) => /error|fail|mismatch|fatal|wrong/i.test(line)) ??
      lines.at(-1) ??
      'nothing',
  );
}

function short(line: string): string {
  const text = line.trim();
  return text.length <= LINE_CHARACTERS_MAX ? text : `${text.slice(0, LINE_CHARACTERS_MAX)}…`;
}
