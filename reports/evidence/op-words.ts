/** An operation in a few words: what was asked, and what came of it. */
import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { assertNever } from '../../src/lib/assert.ts';
import { formatValue } from '../format.ts';
import type { ShownOp } from './evidence-ops.ts';

/** `write r1 = 17`, `cas r1 from=3 to=4`, `add element=5`. */
export function askedWords({ invoke }: ShownOp): string {
  const fields = fieldsOf(invoke.value);
  if (fields === undefined) {
    return invoke.value === null ? invoke.f : `${invoke.f} ${formatValue(invoke.value)}`;
  }
  const { key, ...rest } = fields;
  const words = key === undefined ? [invoke.f] : [invoke.f, formatValue(key)];
  const isPlainWrite = 'value' in rest && Object.keys(rest).length === 1;
  if (isPlainWrite) words.push('=', formatValue(rest.value ?? null));
  else words.push(...fieldWords(rest));
  return words.join(' ');
}

/** `write 17`, `read = 17`, `cas 3 4 swapped=false`, `add 5 info`: without key and names. */
export function briefWords(op: ShownOp): string {
  const { f, value } = op.invoke;
  const { key: _, ...rest } = fieldsOf(value) ?? { value };
  const values = Object.values(rest).filter((each) => each !== undefined && each !== null);
  const type = op.completion?.type ?? 'info';
  const outcome = type === 'ok' ? outcomeWords(op) : type;
  const words = [f, ...values.map((each) => formatValue(each ?? null)), outcome];
  return words.filter((word) => word !== 'ok').join(' ');
}

/** `ok`, `= 17`, `swapped=true`, `fail: …`: only what the completion adds to the invocation. */
export function outcomeWords({ invoke, completion }: ShownOp): string {
  if (completion === undefined) return 'no answer';
  switch (completion.type) {
    case 'ok':
      return addedWords(invoke.value, completion.value);
    case 'fail':
    case 'info':
    case 'invoke':
      return completion.error === undefined
        ? completion.type
        : `${completion.type}: ${completion.error}`;
    default:
      return assertNever(completion.type);
  }
}

function addedWords(asked: Json, answered: Json): string {
  const before = fieldsOf(asked);
  const after = fieldsOf(answered);
  if (before === undefined || after === undefined) {
    return answered === null || formatValue(answered) === formatValue(asked)
      ? 'ok'
      : formatValue(answered);
  }
  const added = Object.entries(after).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(before[name]),
  );
  if (added.length === 0) return 'ok';
  const [first] = added;
  if (added.length === 1 && first?.[0] === 'value') return `= ${formatValue(first[1] ?? null)}`;
  return fieldWords(Object.fromEntries(added)).join(' ');
}

function fieldWords(fields: { readonly [field: string]: Json | undefined }): string[] {
  return Object.entries(fields).map(([name, value]) => `${name}=${formatValue(value ?? null)}`);
}
