/** Fewer operations of the script and faults of the schedule, and simpler operations. */
import { fieldsOf, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Json } from '../../../checkers/history/op.ts';
import type { ScriptedOp, SimPlan } from '../plan.ts';
import { reduceList } from './reduce-list.ts';
import type { Search } from './search.ts';
import { keysIn } from './size.ts';

/** To be rid of this part of the script at once is worth more tries. */
const BIG_PART = 4;
/** Smaller scripts are looked at operation by operation at once. */
const KINDS_OPS_LEAST = 16;
/** Keys are many: this part of them at least goes at once. */
const KEY_PART = 8;
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
  if (await search.takeEagerly(withScript(search.plan, []))) return;
  await takeFew(search);
  await takeFewerKinds(search);
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

/**
 * Whole functions and keys: what a failure has nothing to do with changes little when it goes, and
 * there is no need to find it piece by piece.
 */
async function takeFewerKinds(search: Search): Promise<void> {
  const script = search.plan.script ?? [];
  if (script.length < KINDS_OPS_LEAST) return;
  const keysOf = ({ value }: ScriptedOp): string[] => keysIn(value);
  await takeGroups(search, ({ f }) => [f], 1);
  await takeGroups(search, keysOf, KEY_PART);
}

/** Leaves out all operations of some groups: no fewer than 1 in `part` of all groups at once. */
async function takeGroups(
  search: Search,
  groupsOf: (op: ScriptedOp) => readonly string[],
  part: number,
): Promise<void> {
  const { script = [] } = search.plan;
  const groups = [...new Set(script.flatMap(groupsOf))];
  const leastPiece = part === 1 ? 1 : Math.ceil(groups.length / part);
  const works = (kept: readonly string[]): Promise<boolean> => {
    const left = script.filter((op) => groupsOf(op).every((group) => kept.includes(group)));
    return search.take({ ...search.plan, script: left });
  };
  await reduceList(groups, works, leastPiece);
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
