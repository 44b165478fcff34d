/**
 * The store's revision, which every answer tells, against real time. It counts changes, so it
 * says something about answers of every kind, whatever their values:
 *
 *   stale    a linearizable operation was answered at a revision below one that an operation
 *            which had ended before it began already told; or a change has not got a higher one
 *   fell     the same, and both were the same process's
 *   shared   two acknowledged changes have the same revision: one of them is not there
 *
 * Reads that asked for a possibly stale answer ({serializable: true}) may be as old as they like;
 * what they tell is no less true for those that begin later.
 */
import type { Checker, CheckResult, Evidence } from './checker.ts';
import { unknownCheck } from './compose.ts';
import type { Json, Op } from './history/op.ts';
import { pairHistory } from './history/pairing.ts';
import { type Answered, answeredIn } from './revisions-history.ts';

const NAME = 'revisions';

interface Regression {
  readonly later: Answered;
  readonly earlier: Answered;
}

export function revisionChecker(): Checker {
  return { name: NAME, check: checkRevisions };
}

function checkRevisions(history: readonly Op[]): CheckResult {
  const operations = pairHistory(history);
  if (!operations.ok) {
    const { place, reason } = operations.error;
    return unknownCheck(NAME, `malformed history at ${place}: ${reason}`);
  }
  const answers = answeredIn(operations.value);
  if (answers.length === 0) return unknownCheck(NAME, 'no answer told a revision');
  const mutations = answers.filter((answer) => answer.isMutation);
  const shared = sharedIn(mutations);
  const regressions = regressionsIn(answers);
  const isOwn = ({ earlier, later }: Regression): boolean => earlier.process === later.process;
  const fell = regressions.filter(isOwn);
  const stale = regressions.filter((regression) => !isOwn(regression));
  const details: { readonly [field: string]: Json } = {
    answers: answers.length,
    mutations: mutations.length,
    highest: answers.reduce((highest, { revision }) => Math.max(highest, revision), 0),
    sharedCount: shared.length,
    fellCount: fell.length,
    staleCount: stale.length,
  };
  const evidence = evidenceOf(shared, fell, stale);
  if (evidence === undefined) {
    const summary = `${answers.length} revisions in order, ${mutations.length} of changes`;
    return { name: NAME, validity: 'valid', summary, details };
  }
  const counts = `shared ${shared.length}, fell ${fell.length}, stale ${stale.length}`;
  const summary = `${counts}: ${evidence.sentence}`;
  return { name: NAME, validity: 'invalid', summary, details, evidence };
}

/** Each change with the one before it, in the order of acknowledgement, that had its revision. */
function sharedIn(mutations: readonly Answered[]): readonly Regression[] {
  const byRevision = new Map<number, Answered>();
  return byCompletion(mutations).flatMap((later) => {
    const earlier = byRevision.get(later.revision);
    byRevision.set(later.revision, later);
    return earlier === undefined ? [] : [{ later, earlier }];
  });
}

/** Each answer that is too old with the highest revision told before it began; worst first. */
function regressionsIn(answers: readonly Answered[]): readonly Regression[] {
  const regressions: Regression[] = [];
  const ended = byCompletion(answers);
  let highest: Answered | undefined;
  let next = 0;
  for (const later of answers) {
    for (; ended[next] !== undefined; next++) {
      const candidate = ended[next]!;
      if (candidate.completion.index >= later.invoke.index) break;
      if (highest === undefined || candidate.revision > highest.revision) highest = candidate;
    }
    if (highest === undefined || later.isSerializable) continue;
    const least = highest.revision + (later.isMutation ? 1 : 0);
    // A change at another's revision is told as such, and only once.
    const isShared = highest.isMutation && later.revision === highest.revision;
    if (later.revision < least && !isShared) regressions.push({ later, earlier: highest });
  }
  const gap = ({ earlier, later }: Regression): number => earlier.revision - later.revision;
  return regressions.sort((a, b) => gap(b) - gap(a));
}

function byCompletion(answers: readonly Answered[]): readonly Answered[] {
  return answers.toSorted((a, b) => a.completion.index - b.completion.index);
}

/** The worst kind of fault there is, by its first example. */
function evidenceOf(
  shared: readonly Regression[],
  fell: readonly Regression[],
  stale: readonly Regression[],
): Evidence | undefined {
  const [twice] = shared;
  if (twice !== undefined) {
    const { earlier, later } = twice;
    const both = `${nameOf(earlier)} and ${nameOf(later)}`;
    return evidence(twice, `${both} were both acknowledged at revision ${later.revision}`);
  }
  const worst = fell[0] ?? stale[0];
  if (worst === undefined) return undefined;
  const { earlier, later } = worst;
  const told = later.isMutation ? 'acknowledged' : 'answered';
  const whose =
    earlier.process === later.process
      ? `its own ${earlier.f} (op ${earlier.completion.index})`
      : nameOf(earlier, earlier.completion);
  return evidence(
    worst,
    `${nameOf(later)} was ${told} at revision ${later.revision}` +
      ` after ${whose} had been answered at revision ${earlier.revision}`,
  );
}

function nameOf({ process, f, invoke }: Answered, op: Op = invoke): string {
  return `process ${process}'s ${f} (op ${op.index})`;
}

function evidence({ earlier, later }: Regression, sentence: string): Evidence {
  const ops = [earlier, later]
    .flatMap(({ invoke, completion }) => [invoke, completion])
    .toSorted((a, b) => a.index - b.index);
  return { sentence, ops, fromIndex: ops.at(0)?.index ?? 0, toIndex: ops.at(-1)?.index ?? 0 };
}
