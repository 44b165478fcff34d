/** Fewer operations of the script and faults of the schedule, and simpler operations. */
import { fieldsOf, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Json } from '../../../checkers/history/op.ts';
import type { ScriptedOp, SimPlan } from '../plan.ts';
import { reduceList } from './reduce-list.ts';
import type { Search } from './search.ts';
import { keysIn } from './size.ts';

/** A rough look leaves out no less than this part of the script at once. */
const ROUGH_PART = 16;

export async function makeFewerFaults(search: Search): Promise<void> {
  await reduceList(search.plan.schedule, (schedule) => search.take({ ...search.plan, schedule }));
}

/** Nothing without a script. */
export async function makeFewerOperations(
  search: Search,
  { isRough }: { readonly isRough: boolean },
): Promise<void> {
  const { script } = search.plan;
  if (script === undefined || script.length === 0) return;
  if (await search.take(withScript(search.plan, []))) return;
  await takeFew(search);
  await takeOneKind(search);
  const left = search.plan.script ?? [];
  const leastPiece = isRough ? Math.ceil(left.length / ROUGH_PART) : 1;
  const works = (kept: readonly ScriptedOp[]): Promise<boolean> =>
    search.take(withScript(search.plan, kept));
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
    if (await search.take(withScript(search.plan, script.slice(-few)))) return;
  }
}

/** Those of one function or of one key only; of several that do, the fewest. */
async function takeOneKind(search: Search): Promise<void> {
  const { script = [] } = search.plan;
  if (script.length < 16) return;
  const groups = new Map<string, ScriptedOp[]>();
  for (const op of script) {
    for (const name of [`f ${op.f}`, ...new Set(keysIn(op.value).map((key) => `key ${key}`))]) {
      const group = groups.get(name) ?? [];
      groups.set(name, group);
      group.push(op);
    }
  }
  const sorted = [...groups.values()].filter((group) => group.length > 1);
  sorted.sort((a, b) => a.length - b.length);
  const likely = sorted.filter((group) => group.length * 2 <= script.length).slice(-KINDS_TRIED);
  await search.takeFirst(likely.map((group) => withScript(search.plan, group)));
}

const KINDS_TRIED = 5;

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
