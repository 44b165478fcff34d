/**
 * A client that has read a key and then watches it must be told of every later change.
 *
 *   read       ok {at}                    the revision at which the client read
 *   write      ok {at}                    a change of the key
 *   watch-all  ok {watcher, told: [at…]}  the revisions that a watcher was told of, until now
 */
import type { Checker, CheckResult } from '../../../checkers/checker.ts';
import { unknownCheck } from '../../../checkers/compose.ts';
import { fieldsOf, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Op } from '../../../checkers/history/op.ts';

const NAME = 'watch completeness';

export function watchCompletenessChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const done = history.filter(({ type }) => type === 'ok');
  const atOf = ({ value }: Op): number => Number(fieldsOf(value)?.at);
  const read = done.find(({ f }) => f === 'read');
  const watches = done.filter(({ f }) => f === 'watch-all');
  if (read === undefined || watches.length === 0) {
    return unknownCheck(NAME, 'nobody read and watched');
  }
  const wanted = done.filter(({ f }) => f === 'write').filter((op) => atOf(op) > atOf(read));
  if (wanted.length === 0) return unknownCheck(NAME, 'nothing was written after the read');
  for (const watch of watches) {
    const { watcher, told } = fieldsOf(watch.value) ?? {};
    const known = new Set(isJsonArray(told) ? told.map(Number) : []);
    const missed = wanted.filter((op) => !known.has(atOf(op)));
    if (missed.length === 0) continue;
    const at = missed.map(atOf).join(', ');
    const sentence = `${String(watcher)} was not told of the write at revision ${at}, made after it had read at ${atOf(read)}`;
    const ops = [read, watch];
    const evidence = { sentence, ops, fromIndex: read.index, toIndex: watch.index };
    const details = { missed: missed.length };
    return { name: NAME, validity: 'invalid', summary: sentence, details, evidence };
  }
  const summary = `${watches.length} watchers were told of all ${wanted.length} writes after the read`;
  return { name: NAME, validity: 'valid', summary, details: { writes: wanted.length } };
}
