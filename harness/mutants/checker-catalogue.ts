/**
 * Bugs to plant in the checkers: each is a plausible mistake, told in one line with what would
 * then go unnoticed (or be called wrong), and the edit that makes it. The tests of the checkers
 * have to fail on every one of them (hunt-checkers.ts). An edit that no longer fits its file is
 * an error: the catalogue must be kept true when the checkers change.
 */
import type { Edit } from './mutant.ts';

export interface CheckerMutant {
  /** Kebab-case, led by the part of the checkers that it is in. */
  readonly name: string;
  /** The mistake, and what would go unnoticed. */
  readonly story: string;
  readonly edits: readonly Edit[];
}

const HISTORY: readonly CheckerMutant[] = [
  planted(
    'pairing-retired-again',
    'a process may go on after an info: two operations of one process would overlap',
    'checkers/history/pairing.ts',
    `    if (op.type === 'info') retired.add(process);\n`,
    '',
  ),
  planted(
    'pairing-busy-again',
    'an invocation by a busy process replaces the first one, which is then never judged',
    'checkers/history/pairing.ts',
    `      if (position !== undefined) return refuse(op, \`process \${process} invokes while busy\`);\n`,
    '',
  ),
  planted(
    'pairing-any-completion',
    'a completion of another function counts: a garbled history is judged as if it were sound',
    'checkers/history/pairing.ts',
    'if (open.f !== op.f) {',
    'if (open.f === undefined) {',
  ),
  planted(
    'pairing-index-twice',
    'two ops may share an index: the order of what was observed is a guess',
    'checkers/history/pairing.ts',
    'if (op.index <= previous.index)',
    'if (op.index < previous.index)',
  ),
  planted(
    'pairing-nemesis-out-of-order',
    'ops of the nemesis are not looked at: a history with a reshuffled nemesis is trusted',
    'checkers/history/pairing.ts',
    `    previous = op;
    if (!isClientOp(op)) continue;`,
    `    if (!isClientOp(op)) continue;
    previous = op;`,
  ),
  planted(
    'jsonl-torn-end',
    'a last line that was torn off is dropped: a history that lost its end passes for whole',
    'checkers/history/jsonl.ts',
    `    if (!parsed.ok) return err({`,
    `    if (!parsed.ok && position === lines.length - 1) break;
    if (!parsed.ok) return err({`,
  ),
  planted(
    'jsonl-missing-lines',
    'a jump of the index is fine: operations cut out of the middle are not missed',
    'checkers/history/jsonl.ts',
    'if (parsed.value.index !== position) {',
    'if (parsed.value.index < position) {',
  ),
  planted(
    'jsonl-revision-zero',
    'a revision of 0 is read as none: what the store said about its oldest state is lost',
    'checkers/history/jsonl.ts',
    '...(revision === undefined ? {} : { revision }),',
    '...(revision ? { revision } : {}),',
  ),
  planted(
    'guards-first-process',
    'process 0 is no client: nothing that it did is judged',
    'checkers/history/guards.ts',
    `return op.process !== 'nemesis';`,
    `return op.process !== 'nemesis' && Boolean(op.process);`,
  ),
  planted(
    'guards-shallow-json',
    'what is inside of objects is not looked at: an infinite number comes back from the file',
    'checkers/history/guards.ts',
    'return Array.isArray(value) ? value.every(isJson) : Object.values(value).every(isJson);',
    'return true;',
  ),
];

const REGISTER: readonly CheckerMutant[] = [
  planted(
    'register-absent-fits',
    'a read that found nothing fits every state: lost writes go unnoticed',
    'checkers/models/register.ts',
    'output.value !== state ? undefined : state;',
    'output.value !== null && output.value !== state ? undefined : state;',
  ),
  planted(
    'register-refusal-fits',
    'a refused compare-and-set fits every state: a refusal of what was there goes unnoticed',
    'checkers/models/register.ts',
    'return agrees(state, input.from, output) ? state : undefined;',
    'return state;',
  ),
  planted(
    'register-refusal-saw-anything',
    'what a refused compare-and-set saw is not compared: its stale view goes unnoticed',
    'checkers/models/register.ts',
    'return state !== from && (refusal.value === undefined || refusal.value === state);',
    'return state !== from;',
  ),
  planted(
    'register-swap-fits',
    'a compare-and-set succeeds on any value: lost updates go unnoticed',
    'checkers/models/register.ts',
    'return state === input.from ? input.to : undefined;',
    'return input.to;',
  ),
  planted(
    'register-key-collides',
    'absent and 0 have the same key: the search takes one for the other',
    'checkers/models/register.ts',
    `key: (state) => (typeof state === 'number' ? state : JSON.stringify(state)),`,
    'key: (state) => Number(state),',
  ),
  planted(
    'register-states-without-swaps',
    'values that only a compare-and-set brings are forgotten: evidence leaves out what matters',
    'checkers/models/register.ts',
    `    if (input.f === 'cas') values.add(input.to);\n`,
    '',
  ),
  planted(
    'register-failed-may-happen',
    'a failed operation may have happened: reads of what was refused go unnoticed',
    'checkers/models/register-history.ts',
    `    if (completion?.type === 'fail') continue;\n`,
    '',
  ),
  planted(
    'register-info-never-happens',
    'an info is taken for a failure: a write that timed out and took effect is called a lie',
    'checkers/models/register-history.ts',
    `if (completion?.type === 'fail') continue;`,
    `if (completion?.type === 'fail' || completion?.type === 'info') continue;`,
  ),
  planted(
    'register-open-never-happens',
    'an operation still open when the history ends never happened: its effect is called a lie',
    'checkers/models/register-history.ts',
    `if (completion?.type === 'fail') continue;`,
    `if (completion === undefined || completion.type === 'fail') continue;`,
  ),
  planted(
    'register-by-process',
    'operations are judged process by process: whatever one missed of another goes unnoticed',
    'checkers/models/register-history.ts',
    `    const calls = callsByKey.get(asked.key) ?? [];
    callsByKey.set(asked.key, calls);`,
    `    const calls = callsByKey.get(\`\${asked.key} \${operation.process}\`) ?? [];
    callsByKey.set(\`\${asked.key} \${operation.process}\`, calls);`,
  ),
  planted(
    'register-answer-of-another-key',
    'an answer about another key is believed: a client that mixes answers up goes unnoticed',
    'checkers/models/register-history.ts',
    'if (output === undefined || answered?.key !== asked.key) return malformed(completion);',
    'if (output === undefined) return malformed(completion);',
  ),
  planted(
    'register-swap-by-default',
    'an answer that does not say whether it swapped counts as a swap',
    'checkers/models/register-history.ts',
    `f === 'cas' && swapped === true`,
    `f === 'cas' && swapped !== false`,
  ),
  planted(
    'register-text-is-malformed',
    'a text that was read makes the history unknown: garbage in the store is no violation',
    'checkers/models/register-history.ts',
    `return value === null || typeof value === 'number' || typeof value === 'string';`,
    `return value === null || typeof value === 'number';`,
  ),
  planted(
    'register-first-key-decides',
    'only the first key is asked whether it was too hard: one that was not judged is valid',
    'checkers/register.ts',
    `check.verdicts.find((verdict) => verdict.type === 'unknown');`,
    `check.verdicts.slice(0, 1).find((verdict) => verdict.type === 'unknown');`,
  ),
  planted(
    'register-unknown-first',
    'a key that was too hard hides the violation that was found on another',
    'checkers/register.ts',
    'if (earliest !== undefined) {',
    'if (earliest !== undefined && details.keysUnknown === 0) {',
  ),
  planted(
    'register-last-violation',
    'of several violations the last one is shown, not the one that it all began with',
    'checkers/register.ts',
    'returnOf(a.stuck) - returnOf(b.stuck)).at(0);',
    'returnOf(a.stuck) - returnOf(b.stuck)).at(-1);',
  ),
  planted(
    'register-nothing-is-valid',
    'a history without any register operation is valid',
    'checkers/register.ts',
    'if (details.operations === 0) return',
    'if (details.operations < 0) return',
  ),
  planted(
    'evidence-without-completions',
    'evidence shows what was asked and not what was answered',
    'checkers/register-evidence.ts',
    'return completion === undefined ? [invoke] : [invoke, completion];',
    'return [invoke];',
  ),
  planted(
    'evidence-refused-swap-wrote',
    'a refused compare-and-set is named as the writer of a value that nobody wrote',
    'checkers/register-evidence.ts',
    `if (input.f !== 'cas' || call.output?.type === 'differs') return undefined;`,
    `if (input.f !== 'cas') return undefined;`,
  ),
];

const LINEARIZABILITY: readonly CheckerMutant[] = [
  planted(
    'plan-real-time-off-by-one',
    'what begins right after a return counts as concurrent with it: stale reads go unnoticed',
    'checkers/linearizability/plan.ts',
    'calls[called]!.callAt < returnAt;',
    'calls[called]!.callAt <= returnAt + 1;',
  ),
  planted(
    'plan-update-unobservable',
    'a compare-and-set that nobody saw end is left out: its effect is called a lie',
    'checkers/linearizability/plan.ts',
    `if (effect === 'update') return false;`,
    `if (effect === 'update') return true;`,
  ),
  planted(
    'search-info-before-its-call',
    'an operation that nobody saw end may take effect before it was asked for',
    'checkers/linearizability/search.ts',
    `    for (let i = 0; i < infoCount[at]!; i++) {
      const position`,
    `    for (let i = 0; i < infos.length; i++) {
      const position`,
  ),
  planted(
    'search-info-again-and-again',
    'an operation that nobody saw end may take effect many times: values that return go unnoticed',
    'checkers/linearizability/search.ts',
    `      const position = infos[i]!;
      if (this.#hasBit(this.#parent, position)) continue;`,
    '      const position = infos[i]!;',
  ),
  planted(
    'search-bits-stay',
    'the bit of an operation that returned is not cleared: the next to use it counts as done',
    'checkers/linearizability/search.ts',
    '      this.#clearBit(this.#child, returning);\n',
    '',
  ),
  planted(
    'search-overwrites-never-help',
    'a write is never placed just before another: histories that are right are called wrong',
    'checkers/linearizability/search.ts',
    `if (effects[position] === 'overwrite') return overwriteCounts;`,
    `if (effects[position] === 'overwrite') return false;`,
  ),
  planted(
    'search-stuck-at-first',
    'a violation is blamed on the first return, whatever went wrong',
    'checkers/linearizability/search.ts',
    'this.#deepestReturn = Math.max(this.#deepestReturn, at);',
    'this.#deepestReturn = Math.min(this.#deepestReturn, at);',
  ),
  planted(
    'visited-ignores-last-word',
    'configurations are compared without their last word: some are never explored',
    'checkers/linearizability/visited.ts',
    'if (this.#rows[at + word] !== row[word]) return false;',
    'if (word < this.#wordsPerRow - 1 && this.#rows[at + word] !== row[word]) return false;',
  ),
  planted(
    'visited-full-is-known',
    'a configuration beyond the memory bound is dropped: too hard becomes a violation',
    'checkers/linearizability/visited.ts',
    `if (this.sizeBytes * 3 > bytesMax) return 'full';`,
    `if (this.sizeBytes * 3 > bytesMax) return 'known';`,
  ),
  planted(
    'check-steps-exhausted-is-valid',
    'what the steps did not suffice for is linearizable',
    'checkers/linearizability/check.ts',
    `return { type: 'unknown', exhausted: 'steps' };`,
    `return { type: 'linearizable' };`,
  ),
  planted(
    'check-memory-exhausted-is-valid',
    'what the memory did not suffice for is linearizable',
    'checkers/linearizability/check.ts',
    `verdicts[partition] = { type: 'unknown', exhausted: 'memory' };`,
    `verdicts[partition] = { type: 'linearizable' };`,
  ),
  planted(
    'core-forgets-pending',
    'evidence leaves out what was under way where it begins, and that may explain it all',
    'checkers/linearizability/core.ts',
    `    .filter((call) => call.type === 'info' || call.returnAt > cut)
    .map((call) => (call.callAt < cut ? asInfo(call) : call));`,
    '    .filter((call) => call.callAt >= cut);',
  ),
  planted(
    'core-hides-the-noticed',
    'evidence leaves out every operation that nobody saw end, though it may explain it all',
    'checkers/linearizability/core.ts',
    'isUnobservable(model, call, current) || !isNoticed(model, call, others, states);',
    'isUnobservable(model, call, current) || !isNoticed(model, call, [], states);',
  ),
];

const SET: readonly CheckerMutant[] = [
  planted(
    'set-final-reads-too-early',
    'a read that began before the last add ended counts as final: nothing looked afterwards',
    'checkers/set-fates.ts',
    'read.invoke.index > finalsFrom;',
    'read.completion.index > finalsFrom;',
  ),
  planted(
    'set-only-acknowledged-adds-end',
    'a read before an add that timed out counts as final: nothing looked afterwards',
    'checkers/set-fates.ts',
    'Math.max(last, add.operation.completion?.index ?? -1), -1);',
    'Math.max(last, add.done?.completion.index ?? -1), -1);',
  ),
  planted(
    'set-concurrent-read-must-show',
    'a read that began before the acknowledgement has to show the element: false alarms',
    'checkers/set-fates.ts',
    'read.invoke.index > known.completion.index;',
    'read.completion.index > known.completion.index;',
  ),
  planted(
    'set-once-read-is-stale',
    'a lost element that some read once showed is called stale: the loss goes unnoticed',
    'checkers/set-fates.ts',
    '(read, n) => isLater(read) && isFinal(read) && shown[n]?.has(element),',
    '(_, n) => shown[n]?.has(element),',
  ),
  planted(
    'set-reads-teach-nothing',
    'only acknowledgements count: an element that was read and then vanished goes unnoticed',
    'checkers/set-fates.ts',
    'if (firstAdds.has(element)) learn(element, read);',
    'if (known.has(element)) learn(element, read);',
  ),
  planted(
    'set-known-too-late',
    'an element counts as known from when it was last seen: stale reads go unnoticed',
    'checkers/set-fates.ts',
    'done.completion.index < before.completion.index;',
    'done.completion.index > before.completion.index;',
  ),
  planted(
    'set-failed-add-expected',
    'a failed add may have happened: its element in a read goes unnoticed',
    'checkers/set-fates.ts',
    `if (add.operation.completion?.type === 'fail' || first.has(add.element)) continue;`,
    'if (first.has(add.element)) continue;',
  ),
  planted(
    'set-element-before-its-add',
    'an element may be read before it was added',
    'checkers/set-fates.ts',
    'add !== undefined && add.operation.invoke.index < read.completion.index;',
    'add !== undefined;',
  ),
  planted(
    'set-unexpected-ignored',
    'elements that nobody added are no fault',
    'checkers/set-fates.ts',
    'return isExpected ? [] : [{ element, read }];',
    'return [];',
  ),
  planted(
    'set-mildest-stale-first',
    'the shortest staleness is reported as the worst',
    'checkers/set-fates.ts',
    'b.staleNs - a.staleNs',
    'a.staleNs - b.staleNs',
  ),
  planted(
    'set-duplicates-merged',
    'what was read is made a set before it is looked at: duplicates go unnoticed',
    'checkers/set-history.ts',
    'return value.every(isElement) ? value : undefined;',
    'return value.every(isElement) ? [...new Set(value)] : undefined;',
  ),
  planted(
    'set-texts-skipped',
    'elements that are no numbers are skipped: garbage in the store goes unnoticed',
    'checkers/set-history.ts',
    'return value.every(isElement) ? value : undefined;',
    `return value.filter((item) => typeof item === 'number');`,
  ),
  planted(
    'set-stale-is-valid',
    'stale elements are counted and excused',
    'checkers/set.ts',
    `  if (stale !== undefined) return missing(stale, 'though a later read shows it');\n`,
    '',
  ),
  planted(
    'set-without-final-read',
    'a set that nobody read in the end is valid',
    'checkers/set.ts',
    'if (fates.finalReads === 0) {',
    'if (fates.reads === 0) {',
  ),
];

const VERDICTS: readonly CheckerMutant[] = [
  planted(
    'statistics-info-is-enough',
    'a function that only ever timed out is fine: a run that proves nothing is valid',
    'checkers/statistics.ts',
    'counts.ok === 0)',
    'counts.ok + counts.info === 0)',
  ),
  planted(
    'statistics-share-without-infos',
    'the share of ok leaves out what timed out: a run that hardly worked looks perfect',
    'checkers/statistics.ts',
    'const completed = counts.ok + counts.fail + counts.info;',
    'const completed = counts.ok + counts.fail;',
  ),
  planted(
    'statistics-count-the-nemesis',
    'ops of the nemesis count as operations',
    'checkers/statistics.ts',
    '    if (!isClientOp(op)) continue;\n',
    '',
  ),
  planted(
    'compose-unknown-is-valid',
    'a check that could not tell does not count beside one that could',
    'checkers/compose.ts',
    '{ valid: 0, unknown: 1, invalid: 2 }',
    '{ valid: 0, unknown: 0, invalid: 2 }',
  ),
  planted(
    'compose-unknown-hides-invalid',
    'a check that could not tell hides the violation that another found',
    'checkers/compose.ts',
    '{ valid: 0, unknown: 1, invalid: 2 }',
    '{ valid: 0, unknown: 3, invalid: 2 }',
  ),
  planted(
    'compose-nothing-is-valid',
    'no checks at all give a valid verdict',
    'checkers/compose.ts',
    `if (validities.length === 0) return 'unknown';`,
    `if (validities.length === 0) return 'valid';`,
  ),
  planted(
    'compose-broken-checker-is-valid',
    'a checker that breaks has found nothing, so its verdict is valid',
    'checkers/compose.ts',
    `return { name, validity: 'unknown', summary: reason, details: {} };`,
    `return { name, validity: 'valid', summary: reason, details: {} };`,
  ),
];

const REVISIONS: readonly CheckerMutant[] = [
  planted(
    'revisions-serializable-judged',
    'an answer that was asked to be possibly stale must not be: false alarms',
    'checkers/revisions.ts',
    'if (highest === undefined || later.isSerializable) continue;',
    'if (highest === undefined) continue;',
  ),
  planted(
    'revisions-serializable-tells-nothing',
    'what a possibly stale answer told binds nobody: a store that goes back goes unnoticed',
    'checkers/revisions.ts',
    'if (highest === undefined || candidate.revision > highest.revision) highest = candidate;',
    `if (candidate.isSerializable) continue;
      if (highest === undefined || candidate.revision > highest.revision) highest = candidate;`,
  ),
  planted(
    'revisions-change-needs-none',
    'a change may be acknowledged at a revision that was told before it began',
    'checkers/revisions.ts',
    'const least = highest.revision + (later.isMutation ? 1 : 0);',
    'const least = highest.revision;',
  ),
  planted(
    'revisions-concurrent-binds',
    'an answer binds operations that began before it was given: false alarms',
    'checkers/revisions.ts',
    'if (candidate.completion.index >= later.invoke.index) break;',
    'if (candidate.invoke.index >= later.invoke.index) break;',
  ),
  planted(
    'revisions-latest-binds',
    'the latest revision told counts, not the highest: of two that fall, the second is missed',
    'checkers/revisions.ts',
    'if (highest === undefined || candidate.revision > highest.revision) highest = candidate;',
    'highest = candidate;',
  ),
  planted(
    'revisions-shared-by-reads',
    'a read at the revision of a change shares it: false alarms',
    'checkers/revisions.ts',
    'const shared = sharedIn(mutations);',
    'const shared = sharedIn(answers);',
  ),
  planted(
    'revisions-mildest-first',
    'the smallest regression is shown as the worst',
    'checkers/revisions.ts',
    'regressions.sort((a, b) => gap(b) - gap(a));',
    'regressions.sort((a, b) => gap(a) - gap(b));',
  ),
  planted(
    'revisions-nothing-is-valid',
    'a history in which no answer told a revision is valid',
    'checkers/revisions.ts',
    'if (answers.length === 0) return',
    'if (answers.length < 0) return',
  ),
  planted(
    'revisions-timed-out-tells',
    'an operation that did not end well tells a revision, too: false alarms',
    'checkers/revisions-history.ts',
    `if (completion?.type !== 'ok' || completion.revision === undefined) return [];`,
    `if (completion?.revision === undefined) return [];`,
  ),
  planted(
    'revisions-refused-swap-changes',
    'a refused compare-and-set counts as a change: false alarms',
    'checkers/revisions-history.ts',
    'return fields?.swapped === true;',
    'return fields?.swapped !== undefined;',
  ),
  planted(
    'revisions-delete-of-nothing-changes',
    'a delete that found nothing counts as a change: false alarms',
    'checkers/revisions-history.ts',
    'return Number(fields?.deleted ?? 0) > 0;',
    'return Number(fields?.deleted ?? 0) >= 0;',
  ),
];

export const CHECKER_MUTANTS: readonly CheckerMutant[] = [
  ...HISTORY,
  ...REGISTER,
  ...LINEARIZABILITY,
  ...SET,
  ...VERDICTS,
  ...REVISIONS,
];

function planted(
  name: string,
  story: string,
  file: string,
  find: string,
  replace: string,
): CheckerMutant {
  return { name, story, edits: [{ file, find, replace }] };
}
