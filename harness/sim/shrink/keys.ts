/** Fewer keys: operations on one are made operations on another. */
import { fieldsOf, isJsonArray } from '../../../checkers/history/guards.ts';
import type { Json } from '../../../checkers/history/op.ts';
import type { SimPlan } from '../plan.ts';
import { PARTS } from '../workload.ts';
import type { Search } from './search.ts';
import { keysIn } from './size.ts';

/** Beyond so many keys it is too early: leaving operations out comes first. */
const KEYS_MAX = 12;

/**
 * Keys of the registers become one, and keys of the kv workload; then each becomes another that is
 * left. Elements of the set stay what they are: it is about each being added once.
 */
export async function makeFewerKeys(search: Search): Promise<void> {
  const first = scriptKeys(search.plan);
  if (first.length > KEYS_MAX) return;
  const merged = (plan: SimPlan, keys: readonly string[]): SimPlan =>
    renamed(plan, (key) => (keys.includes(key) ? keys[0]! : key));
  for (const prefix of PREFIXES) {
    const keys = first.filter((key) => key.startsWith(prefix));
    if (keys.length < 2 || (await search.take(merged(search.plan, keys)))) continue;
    for (const [at, key] of keys.entries()) {
      const candidates = keys.slice(0, at).map((other) => merged(search.plan, [other, key]));
      await search.takeFirst(candidates);
    }
  }
}

const PREFIXES = PARTS.flatMap(({ keys }) => keys ?? []);

/** Of registers and kv, sorted. */
function scriptKeys(plan: SimPlan): string[] {
  const keys = (plan.script ?? []).flatMap(({ value }) => keysIn(value));
  return [...new Set(keys)].sort();
}

function renamed(plan: SimPlan, rename: (key: string) => string): SimPlan {
  const script = (plan.script ?? []).map((op) => ({ ...op, value: renamedIn(op.value, rename) }));
  return { ...plan, script };
}

function renamedIn(value: Json, rename: (key: string) => string): Json {
  if (isJsonArray(value)) return value.map((item) => renamedIn(item, rename));
  const fields = fieldsOf(value);
  if (fields === undefined) return value;
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]): [string, Json] => {
      const isKey = name === 'key' || name === 'rangeEnd';
      if (isKey && typeof field === 'string') return [name, rename(field)];
      return [name, renamedIn(field ?? null, rename)];
    }),
  );
}
