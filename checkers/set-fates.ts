/** What became of every element of a set: the analysis behind the set checker. */
import type { Done, Element, SetAdd, SetHistory, SetRead } from './set-history.ts';

/** A known element that a later read missed. */
export interface ElementFate {
  readonly element: Element;
  /** The earliest operation by whose end the element had to be there. */
  readonly known: Done;
  /** The last read to begin, of those that missed it. */
  readonly missedBy: SetRead;
  /** From when it was known to when that read began, ns: it was still missing then. */
  readonly staleNs: number;
}

/** An element that a read must not have shown, or not twice. */
export interface ReadFault {
  readonly element: Element;
  readonly read: SetRead;
}

export interface SetFates {
  readonly attempted: number;
  readonly acknowledged: number;
  /** Adds that nobody saw end whose element was read nevertheless. */
  readonly recovered: number;
  readonly reads: number;
  readonly finalReads: number;
  readonly lost: readonly ElementFate[];
  /** The longest missing first. */
  readonly stale: readonly ElementFate[];
  readonly duplicates: readonly ReadFault[];
  readonly unexpected: readonly ReadFault[];
}

export function fatesOf(history: SetHistory): SetFates {
  const { adds, reads } = history;
  const shown = reads.map((read) => new Set(read.elements));
  const firstAdds = firstAddsOf(adds);
  const finalsFrom = lastAddCompletion(adds);
  const isFinal = (read: SetRead): boolean => read.invoke.index > finalsFrom;
  const lost: ElementFate[] = [];
  const stale: ElementFate[] = [];
  for (const [element, known] of knownElements(history, firstAdds)) {
    const isLater = (read: SetRead): boolean => read.invoke.index > known.completion.index;
    const missedBy = reads.findLast((read, n) => isLater(read) && !shown[n]?.has(element));
    if (missedBy === undefined) continue;
    const staleNs = missedBy.invoke.time - known.completion.time;
    const fate = { element, known, missedBy, staleNs };
    const settled = reads.some(
      (read, n) => isLater(read) && isFinal(read) && shown[n]?.has(element),
    );
    if (isFinal(missedBy) && !settled) lost.push(fate);
    else stale.push(fate);
  }
  const wasShown = (add: SetAdd): boolean => shown.some((elements) => elements.has(add.element));
  return {
    attempted: adds.length,
    acknowledged: adds.filter((add) => add.done !== undefined).length,
    recovered: adds.filter((add) => isUnsure(add) && wasShown(add)).length,
    reads: reads.length,
    finalReads: reads.filter(isFinal).length,
    lost,
    stale: stale.toSorted((a, b) => b.staleNs - a.staleNs),
    duplicates: reads.flatMap(duplicatesIn),
    unexpected: reads.flatMap((read) => unexpectedIn(read, firstAdds)),
  };
}

/** By element, the first of its adds that may have happened. */
function firstAddsOf(adds: readonly SetAdd[]): ReadonlyMap<Element, SetAdd> {
  const first = new Map<Element, SetAdd>();
  for (const add of adds) {
    if (add.operation.completion?.type === 'fail' || first.has(add.element)) continue;
    first.set(add.element, add);
  }
  return first;
}

/** By element, whatever first made sure that it is there: an acknowledgement or a read. */
function knownElements(
  history: SetHistory,
  firstAdds: ReadonlyMap<Element, SetAdd>,
): ReadonlyMap<Element, Done> {
  const known = new Map<Element, Done>();
  const learn = (element: Element, done: Done): void => {
    const before = known.get(element);
    const isEarlier = before === undefined || done.completion.index < before.completion.index;
    if (isEarlier) known.set(element, done);
  };
  for (const add of history.adds) if (add.done !== undefined) learn(add.element, add.done);
  for (const read of history.reads) {
    for (const element of read.elements) if (firstAdds.has(element)) learn(element, read);
  }
  return known;
}

/** Index of the last completion of any add; adds that never ended do not count. */
function lastAddCompletion(adds: readonly SetAdd[]): number {
  return adds.reduce((last, add) => Math.max(last, add.operation.completion?.index ?? -1), -1);
}

function isUnsure(add: SetAdd): boolean {
  const type = add.operation.completion?.type;
  return type === undefined || type === 'info';
}

function duplicatesIn(read: SetRead): readonly ReadFault[] {
  const seen = new Set<Element>();
  const faults: ReadFault[] = [];
  for (const element of read.elements) {
    if (seen.has(element)) faults.push({ element, read });
    seen.add(element);
  }
  return faults;
}

/** Elements of adds that had not begun when the read ended, that failed, or that never were. */
function unexpectedIn(
  read: SetRead,
  firstAdds: ReadonlyMap<Element, SetAdd>,
): readonly ReadFault[] {
  return read.elements.flatMap((element) => {
    const add = firstAdds.get(element);
    const isExpected = add !== undefined && add.operation.invoke.index < read.completion.index;
    return isExpected ? [] : [{ element, read }];
  });
}
