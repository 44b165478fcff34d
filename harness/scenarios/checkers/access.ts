/**
 * What a user was shown or could change lies within what was granted to them.
 *
 *   grant    ok {user, prefix}          the user may read and write keys that begin so
 *   access   invoke {user, keys}        asks to read or write all of these keys
 *            ok                         was answered; `fail`: was refused
 */
import type { Checker, CheckResult } from '../../../checkers/checker.ts';
import { unknownCheck } from '../../../checkers/compose.ts';
import { fieldsOf, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Op } from '../../../checkers/history/op.ts';
import { operationsOf } from '../../../checkers/history/pairing.ts';

const NAME = 'access';

export function accessChecker(): Checker {
  return { name: NAME, check };
}

function check(history: readonly Op[]): CheckResult {
  const operations = operationsOf(history, ['grant', 'access']);
  if (!operations.ok) {
    const { place, reason } = operations.error;
    return unknownCheck(NAME, `malformed history at ${place}: ${reason}`);
  }
  const grants: { readonly user: unknown; readonly prefix: string }[] = [];
  let granted = 0;
  let refused = 0;
  for (const { f, invoke, completion } of operations.value) {
    const { user, prefix, keys } = fieldsOf(invoke.value) ?? {};
    if (f === 'grant') grants.push({ user, prefix: String(prefix) });
    if (f !== 'access' || completion === undefined) continue;
    if (completion.type === 'fail') refused += 1;
    if (completion.type !== 'ok') continue;
    granted += 1;
    const asked = isJsonArray(keys) ? keys.map(String) : [];
    const mayTouch = (key: string): boolean =>
      grants.some((grant) => grant.user === user && key.startsWith(grant.prefix));
    const denied = asked.find((key) => !mayTouch(key));
    if (denied === undefined) continue;
    const sentence = `${String(user)} was answered about ${denied}, which nobody had granted to them`;
    const ops = [invoke, completion];
    const evidence = { sentence, ops, fromIndex: invoke.index, toIndex: completion.index };
    const details = { key: denied };
    return { name: NAME, validity: 'invalid', summary: sentence, details, evidence };
  }
  if (granted === 0 || refused === 0) {
    return unknownCheck(NAME, `${granted} requests were answered and ${refused} were refused`);
  }
  const summary = `${granted} requests answered within the grants, ${refused} others refused`;
  return { name: NAME, validity: 'valid', summary, details: { granted, refused } };
}
