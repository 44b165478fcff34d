/**
 * A progress notification at revision R is a promise: all events up to R have been delivered on
 * this stream. A client that continues from R + 1 must not miss anything.
 *
 *   watch-told   ok {told: [{kind: 'progress' | 'event', at, key?}, …]}   in the order of arrival
 */
import type { Checker, CheckResult } from '../../../checkers/checker.ts';
import { unknownCheck } from '../../../checkers/compose.ts';
import { fieldsOf, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Json, Op } from '../../../checkers/history/op.ts';

const NAME = 'progress';
export const WATCH_TOLD = 'watch-told';

export function progressChecker(): Checker {
  return { name: NAME, check };
}

interface Seen {
  readonly kind: Json | undefined;
  readonly at: number;
}

function check(history: readonly Op[]): CheckResult {
  const streams = history.filter(({ f, type }) => f === WATCH_TOLD && type === 'ok');
  let promises = 0;
  let events = 0;
  for (const op of streams) {
    const told = toldIn(op.value);
    promises += told.filter(({ kind }) => kind === 'progress').length;
    events += told.filter(({ kind }) => kind === 'event').length;
    const broken = told.findIndex(({ kind, at }, position) => {
      return kind === 'progress' && told.slice(position + 1).some((one) => isLate(one, at));
    });
    if (broken < 0) continue;
    const { at } = told[broken]!;
    const late = told.slice(broken + 1).filter((one) => isLate(one, at));
    const sentence = `progress was told at revision ${at}, and ${late.length} events of revisions ${late[0]!.at} to ${late.at(-1)!.at} came after it`;
    return {
      name: NAME,
      validity: 'invalid',
      summary: sentence,
      details: { late: late.length, at },
      evidence: { sentence, ops: [op], fromIndex: op.index, toIndex: op.index },
    };
  }
  if (promises === 0 || events === 0) {
    return unknownCheck(NAME, `${promises} promises of progress and ${events} events`);
  }
  const summary = `${promises} promises of progress, none of ${events} events came too late`;
  return { name: NAME, validity: 'valid', summary, details: { promises, events } };
}

function isLate({ kind, at }: Seen, promised: number): boolean {
  return kind === 'event' && at <= promised;
}

function toldIn(value: Json): readonly Seen[] {
  const told = fieldsOf(value)?.told;
  if (!isJsonArray(told)) return [];
  return told.map((one) => {
    const { kind, at } = fieldsOf(one) ?? {};
    return { kind, at: Number(at) };
  });
}
