/**
 * A set that clients add to and read whole. An element is *known* once its add was acknowledged
 * or some read showed it; every read that begins later must show it too. Values, by function:
 *
 *   add        invoke and ok {element: number}
 *   set-read   invoke {}        ok {elements: (number | string)[]}, where a text is no number
 *
 * Final reads are those that began after every add had completed. An element is *lost* if it is
 * known and no later final read shows it; *stale* if some later read misses it, and it is not
 * lost. Both break linearizability of the reads, as do elements that were never asked for
 * (*unexpected*) and elements shown twice in one read (*duplicate*).
 */
import type { Checker, CheckResult, Evidence } from './checker.ts';
import { unknownCheck } from './compose.ts';
import type { Json, Op } from './history/op.ts';
import { operationsOf } from './history/pairing.ts';
import { type ElementFate, fatesOf, type SetFates } from './set-fates.ts';
import { type Element, parseSetHistory, SET_FS } from './set-history.ts';

const NAME = 'set';

/** Elements listed in the details of each kind of fault; counts are always complete. */
const LISTED_MAX = 20;

export function setChecker(): Checker {
  return { name: NAME, check: checkSet };
}

function checkSet(history: readonly Op[]): CheckResult {
  const operations = operationsOf(history, SET_FS);
  if (!operations.ok) return refused(operations.error);
  const parsed = parseSetHistory(operations.value);
  if (!parsed.ok) return refused(parsed.error);
  const fates = fatesOf(parsed.value);
  const details = detailsOf(fates);
  const evidence = evidenceOf(fates);
  if (evidence !== undefined) {
    const counts = `lost ${fates.lost.length}, stale ${fates.stale.length}, duplicate `;
    const rest = `${fates.duplicates.length}, unexpected ${fates.unexpected.length}`;
    const summary = `${counts}${rest}: ${evidence.sentence}`;
    return { name: NAME, validity: 'invalid', summary, details, evidence };
  }
  if (fates.attempted === 0) return { ...unknownCheck(NAME, 'no adds'), details };
  if (fates.finalReads === 0) {
    return { ...unknownCheck(NAME, 'no read succeeded after the last add'), details };
  }
  const counted = `${fates.acknowledged} acknowledged of ${fates.attempted} adds all present`;
  const summary = `${counted} in ${fates.reads} reads, ${fates.finalReads} of them final`;
  return { name: NAME, validity: 'valid', summary, details };
}

function detailsOf(fates: SetFates): { readonly [field: string]: Json } {
  const elementsOf = (faults: readonly { readonly element: Element }[]): readonly Element[] =>
    faults.slice(0, LISTED_MAX).map((fault) => fault.element);
  return {
    attempted: fates.attempted,
    acknowledged: fates.acknowledged,
    recovered: fates.recovered,
    reads: fates.reads,
    finalReads: fates.finalReads,
    lostCount: fates.lost.length,
    lost: elementsOf(fates.lost),
    staleCount: fates.stale.length,
    stale: elementsOf(fates.stale),
    worstStaleNs: fates.stale.at(0)?.staleNs ?? 0,
    duplicateCount: fates.duplicates.length,
    duplicates: elementsOf(fates.duplicates),
    unexpectedCount: fates.unexpected.length,
    unexpected: elementsOf(fates.unexpected),
  };
}

/** The worst kind of fault there is, by its first example. */
function evidenceOf(fates: SetFates): Evidence | undefined {
  const [lost] = fates.lost;
  if (lost !== undefined) return missing(lost, 'and no later final read shows it');
  const [unexpected] = fates.unexpected;
  if (unexpected !== undefined) {
    const { element, read } = unexpected;
    return evidence(`${reader(read)} showed ${JSON.stringify(element)}, which nobody had added`, [
      read,
    ]);
  }
  const [duplicate] = fates.duplicates;
  if (duplicate !== undefined) {
    const { element, read } = duplicate;
    return evidence(`${reader(read)} showed ${element} twice`, [read]);
  }
  const [stale] = fates.stale;
  if (stale !== undefined) return missing(stale, 'though a later read shows it');
  return undefined;
}

function missing(fate: ElementFate, after: string): Evidence {
  const { element, known, missedBy } = fate;
  const knowledge =
    known.invoke.f === 'add'
      ? `process ${known.process}'s add of it was acknowledged (op ${known.completion.index})`
      : `process ${known.process}'s read had shown it (op ${known.completion.index})`;
  const sentence = `${reader(missedBy)} missed ${element} after ${knowledge}, ${after}`;
  return evidence(sentence, [known, missedBy]);
}

function reader(read: { readonly process: number; readonly invoke: Op }): string {
  return `process ${read.process}'s read (op ${read.invoke.index})`;
}

function evidence(
  sentence: string,
  operations: readonly { readonly invoke: Op; readonly completion: Op }[],
): Evidence {
  const ops = operations
    .flatMap(({ invoke, completion }) => [invoke, completion])
    .toSorted((a, b) => a.index - b.index);
  return { sentence, ops, fromIndex: ops.at(0)?.index ?? 0, toIndex: ops.at(-1)?.index ?? 0 };
}

function refused(problem: { readonly place: string; readonly reason: string }): CheckResult {
  return unknownCheck(NAME, `malformed history at ${problem.place}: ${problem.reason}`);
}
