/**
 * At one revision all members hold the same: their HashKV is one.
 *
 *   member-hash   ok {node, revision, hash}
 */
import type { Checker, CheckResult } from '../../../checkers/checker.ts';
import { unknownCheck } from '../../../checkers/compose.ts';
import { fieldsOf } from '../../../checkers/history/guards.ts';
import type { Op } from '../../../checkers/history/op.ts';

const NAME = 'member data';
export const MEMBER_HASH = 'member-hash';

export function memberDataChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const told = history.filter(({ f, type }) => f === MEMBER_HASH && type === 'ok');
  const [first] = told;
  if (first === undefined || told.length < 2) {
    return unknownCheck(NAME, `${told.length} members told a hash`);
  }
  const { revision, hash } = fieldsOf(first.value) ?? {};
  if (told.some(({ value }) => fieldsOf(value)?.revision !== revision)) {
    return unknownCheck(NAME, 'hashes of different revisions tell nothing');
  }
  const details = { members: told.length };
  const other = told.find(({ value }) => fieldsOf(value)?.hash !== hash);
  if (other === undefined) {
    const summary = `${told.length} members hold the same at revision ${String(revision)}`;
    return { name: NAME, validity: 'valid', summary, details };
  }
  const words = told.map(({ value }) => {
    const { node, hash: own } = fieldsOf(value) ?? {};
    return `${String(node)} ${String(own)}`;
  });
  const sentence =
    `members hold different data at revision ${String(revision)}:` + ` hashes ${words.join(', ')}`;
  const evidence = {
    sentence,
    ops: [first, other],
    fromIndex: first.index,
    toIndex: other.index,
  };
  return { name: NAME, validity: 'invalid', summary: sentence, details, evidence };
}
