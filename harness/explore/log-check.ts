/**
 * What members write when they end. A program that panics leaves its operator alone with a trace;
 * one that refuses to go on says what is wrong with which of its files, and what to do.
 */
import type { Finding } from './finding.ts';

/** The line that a crash begins with: of Go, of Node. */
const PANIC = /^.*\b(?:panic: |fatal error: |unexpected fault address|SIGSEGV).*$/gm;
const TRACE = /^goroutine \d+ \[|^\s+at .+:\d+:\d+\)?$/m;
const LINE_CHARACTERS_MAX = 300;

/** Every crash in a member's log, each kind once. */
export function crashesIn(node: string, log: string, deed: string): Finding[] {
  const lines = [...new Set([...log.matchAll(PANIC)].map(([line]) => line.trim()))];
  const found = lines.map((line) => crash(line));
  if (found.length > 0 || !TRACE.test(log)) return found.map((each) => each(node, deed));
  const all = log.split('\n');
  const at = all.findIndex((line) => TRACE.test(line));
  return [crash(all[Math.max(0, at - 1)] ?? '')(node, deed)];
}

function crash(line: string): (node: string, deed: string) => Finding {
  // What is in brackets behind it repeats it.
  const text = line.replace(/^\S*\d\d:\d\d:\d\d\S*\s*/, '').slice(0, LINE_CHARACTERS_MAX);
  return (node, deed) => ({ checker: 'crash', sentence: `${text} (${node}${deed})` });
}

/** What a program says last when it gives up by itself. */
const LAST_WORDS = / [CF] \| |\bfatal\b|"level":"(?:fatal|panic|error)"|^stormraft: /i;
const PLACE = /data-dir|data directory|\.wal\b|snap\/db|member\/(?:wal|snap)/i;
const REMEDY =
  /\b(?:restore|repair|remove|delete|replace|make room|free|member add|back ?up|start the member)\b/i;

/**
 * A member that has ended by itself, or does not start: `log` is what it wrote in that life. Good is
 * a line that names a part of its data and a way out. A crash is told by {@link crashesIn} already.
 */
export function endOf(node: string, log: string): Finding | undefined {
  if (crashesIn(node, log, '').length > 0) return undefined;
  const lines = log.split('\n');
  if (lines.some((line) => PLACE.test(line) && REMEDY.test(line))) return undefined;
  const words = lines.findLast((line) => LAST_WORDS.test(line));
  if (words === undefined) {
    return { checker: 'start-up', sentence: `it ended without a word about why (${node})` };
  }
  const text = words
    .replace(/^\S+ \S+ [A-Z] \| /, '')
    .trim()
    .slice(0, LINE_CHARACTERS_MAX);
  return { checker: 'start-up', sentence: `it ended and says only: ${text} (${node})` };
}
