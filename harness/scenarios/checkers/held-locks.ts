/**
 * Whoever is told that a lock is theirs is told a key. That key is there at the revision of the
 * answer: it is what keeps others out.
 *
 *   held-lock   ok {holder, name, key, at, isThere}   `isThere`: read back at revision `at`
 */
import type { Checker, CheckResult } from '../../../checkers/checker.ts';
import { unknownCheck } from '../../../checkers/compose.ts';
import { fieldsOf } from '../../../checkers/history/guards.ts';
import type { Op } from '../../../checkers/history/op.ts';

const NAME = 'held locks';
export const HELD_LOCK = 'held-lock';

export function heldLocksChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const answers = history.filter(({ f, type }) => f === HELD_LOCK && type === 'ok');
  if (answers.length === 0) return unknownCheck(NAME, 'nobody was told to hold a lock');
  const details = { answers: answers.length };
  const wrong = answers.find(({ value }) => fieldsOf(value)?.isThere === false);
  if (wrong === undefined) {
    const summary = `${answers.length} answers to holders, each with its key in the store`;
    return { name: NAME, validity: 'valid', summary, details };
  }
  const { holder, name, key, at } = fieldsOf(wrong.value) ?? {};
  const sentence =
    `${String(holder)} was told to hold ${String(name)} by key ${String(key)},` +
    ` and at revision ${String(at)} there is no such key`;
  const others = answers.filter((other) => other.index > wrong.index).map(holderOf);
  const both = others.length === 0 ? '' : `; ${others.join(', ')} holds it too`;
  const evidence = { sentence, ops: [wrong], fromIndex: wrong.index, toIndex: wrong.index };
  return { name: NAME, validity: 'invalid', summary: sentence + both, details, evidence };
}

function holderOf({ value }: Op): string {
  return String(fieldsOf(value)?.holder);
}
