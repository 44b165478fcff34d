/** What the type system cannot promise about ops that were read from a file. */
import type { Json, Op, OpType } from './op.ts';

/** An op of a client, as opposed to the nemesis. */
export interface ClientOp extends Op {
  readonly process: number;
}

const OP_TYPES: readonly unknown[] = ['invoke', 'ok', 'fail', 'info'] satisfies OpType[];

export function isOpType(value: unknown): value is OpType {
  return OP_TYPES.includes(value);
}

export function isClientOp(op: Op): op is ClientOp {
  return op.process !== 'nemesis';
}

/** An op's value as a JSON object, or undefined. */
export function fieldsOf(value: Json): { readonly [field: string]: Json | undefined } | undefined {
  if (typeof value !== 'object' || value === null || isJsonArray(value)) return undefined;
  return value;
}

/** `Array.isArray` that narrows readonly arrays. */
export function isJsonArray(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** Values that survive JSON: plain objects and arrays, finite numbers, no undefined. */
export function isJson(value: unknown): value is Json {
  switch (typeof value) {
    case 'boolean':
    case 'string':
      return true;
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      return Array.isArray(value) ? value.every(isJson) : Object.values(value).every(isJson);
    default:
      return false;
  }
}
