/** Fewer operations of the script and faults of the schedule, and simpler operations. */
import { fieldsOf, isClientOp, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Json, Op } from '../../../checkers/history/op.ts';
import type { ScriptedOp, SimPlan } from '../plan.ts';
import { reduceList } from './reduce-list.ts';
import type { Search } from './search.ts';
import { keysIn } from './size.ts';

/** To be rid of this part of the script at once is worth more tries. */
const BIG_PART = 4;
/** A function is left out as a whole if this part of the script are its operations. */
const FUNCTION_PART = 8;
/** A rough look leaves out no less than this part of the script at once. */
const ROUGH_PART = 16;

export async function makeFewerFaults(search: Search): Promise<void> {
  await reduceList(search.plan.schedule, (schedule) => search.take({ ...search.plan, schedule }));
  await reduceList(search.plan.changes, (changes) => search.take({ ...search.plan, changes }));
  if (search.plan.changes.length === 0) await search.take({ ...search.plan, spareCount: 0 });
}

/** Nothing without a script. */
export async function makeFewerOperations(
  search: Search,
  { isRough }: { readonly isRough: boolean },
): Promise<void> {
  const { script } = search.plan;
  if (script === undefined || script.length === 0) return;
  if (await search.takeEagerly(withScript(search.plan, []))) return;
  await takeEvidence(search);
  await takeFew(search);
  await takeFewerFunctions(search);
  const left = search.plan.script ?? [];
  const leastPiece = isRough ? Math.ceil(left.length / ROUGH_PART) : 1;
  const works = (kept: readonly ScriptedOp[]): Promise<boolean> => {
    const isBig = kept.length * BIG_PART <= (search.plan.script?.length ?? 0) * (BIG_PART - 1);
    const candidate = withScript(search.plan, kept);
    return isBig ? search.takeEagerly(candidate) : search.take(candidate);
  };
  await reduceList(left, works, leastPiece);
}

/** Smaller values of single operations: parts of transactions, options. */
export async function makeValuesSmaller(search: Search): Promise<void> {
  for (let at = 0; at < (search.plan.script?.length ?? 0); at++) {
    await makeValueSmaller(search, at);
  }
}

function withScript(plan: SimPlan, script: readonly ScriptedOp[]): SimPlan {
  return { ...plan, script };
}

/** The last few, before the failure, are often all that it takes. */
async function takeFew(search: Search): Promise<void> {
  const { script = [] } = search.plan;
  for (const few of [8, 32, 128]) {
    if (few * 2 > script.length) return;
    if (await search.takeEagerly(withScript(search.plan, script.slice(-few)))) return;
  }
}

/** What a checker could not explain, alone or with everything from its beginning to its end. */
async function takeEvidence(search: Search): Promise<void> {
  const { plan, outcome } = search;
  const { script = [] } = plan;
  const evidence = outcome.checks.find(({ validity }) => validity === 'invalid')?.evidence;
  if (evidence === undefined) return;
  const keys = new Set(evidence.ops.flatMap(({ value }) => keysIn(value)));
  const ofKeys = script.filter(({ value }) => keysIn(value).some((key) => keys.has(key)));
  for (const left of [evidenceOps(plan, evidence.ops), ofKeys]) {
    if (await search.takeEagerly(withScript(plan, left))) return;
  }
}

/** The script's operations that are among `ops`; each was invoked at its time or later. */
function evidenceOps({ script = [], workload }: SimPlan, ops: readonly Op[]): ScriptedOp[] {
  const asked = ops.filter(isClientOp).map(({ type, time, process, f, value }) => {
    if (type !== 'invoke') return undefined;
    const thread = process % workload.concurrency;
    return script.findLast(
      (op) => op.thread === thread && op.f === f && op.atNs <= time && isSame(op.value, value),
    );
  });
  return script.filter((op) => asked.includes(op));
}

function isSame(value: Json, other: Json): boolean {
  return JSON.stringify(value) === JSON.stringify(other);
}

/** Everything but one function, if that is much: most failures have nothing to do with reads. */
async function takeFewerFunctions(search: Search): Promise<void> {
  const { script = [] } = search.plan;
  const counts = new Map<string, number>();
  for (const { f } of script) counts.set(f, (counts.get(f) ?? 0) + 1);
  const many = [...counts].filter(([, count]) => count * FUNCTION_PART >= script.length);
  for (const [name] of many.sort(([, a], [, b]) => b - a)) {
    const left = search.plan.script?.filter(({ f }) => f !== name) ?? [];
    await search.take(withScript(search.plan, left));
  }
}

/** Takes smaller values for as long as there are any. */
async function makeValueSmaller(search: Search, at: number): Promise<void> {
  for (;;) {
    const { plan } = search;
    const script = plan.script ?? [];
    const op = script[at];
    if (op === undefined || search.isSpent) return;
    const candidates = smallerValues(op.value).map((value) =>
      withScript(plan, script.with(at, { ...op, value })),
    );
    if (!(await search.takeFirst(candidates))) return;
  }
}

/**
 * The value with one part less. Fields that an operation cannot do without are left out too:
 * such a candidate cannot be run and is refused.
 */
function smallerValues(value: Json): Json[] {
  if (isJsonArray(value)) {
    return value.flatMap((item, at) => [
      value.toSpliced(at, 1),
      ...smallerValues(item).map((smaller) => value.with(at, smaller)),
    ]);
  }
  const fields = fieldsOf(value);
  if (fields === undefined) return [];
  return Object.entries(fields).flatMap(([name, field]) => {
    if (field === undefined || REQUIRED.has(name)) return [];
    const { [name]: _, ...others } = fields;
    const without = isJsonArray(field) ? [] : [others as Json];
    const smaller = smallerValues(field).map((each): Json => ({ ...fields, [name]: each }) as Json);
    return [...without, ...smaller];
  });
}

/** No operation does without the ones of these that it has. */
const REQUIRED: ReadonlySet<string> = new Set([
  'key',
  'value',
  'element',
  'from',
  'to',
  'op',
  'target',
  'result',
  'operand',
  'operandBack',
]);
