/**
 * Operations of the kv workload as JSON, made requests. Fields are those of the requests; what is
 * left out has its default. Revisions are relative, because who asks for an operation does not
 * know what a client has seen by then: `revisionBack: 3` is three before the newest revision that
 * this client has seen, a negative number one that may not be there yet.
 *
 *   kv-put     {key, value | ignoreValue, prevKv}
 *   kv-delete  {key, rangeEnd, prevKv}
 *   kv-range   {key, rangeEnd, limit, revisionBack, sortOrder, sortTarget, serializable, keysOnly,
 *               countOnly, minModBack, maxModBack, minCreateBack, maxCreateBack}
 *   kv-txn     {compare, success, failure, serializable}: of the last, all ranges are
 *     compare  [{target, key, rangeEnd, result, operand | operandBack}]
 *     success, failure  [{op: put | delete | range | txn, and that one's fields}]
 */
import { fieldsOf, isJsonArray } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import {
  bytesOf,
  deleteRangeRequest,
  putRequest,
  rangeRequest,
} from '../../src/client/requests.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Revision } from '../../src/lib/ids.ts';
import type {
  Compare,
  CompareResult,
  DeleteRangeRequest,
  PutRequest,
  RangeRequest,
  RequestOp,
  SortOrder,
  SortTarget,
  TxnRequest,
} from '../../src/mvcc/request.ts';

export const SORT_ORDERS: readonly SortOrder[] = ['none', 'ascend', 'descend'];
export const SORT_TARGETS: readonly SortTarget[] = ['key', 'version', 'create', 'mod', 'value'];
export const COMPARE_RESULTS: readonly CompareResult[] = ['equal', 'notEqual', 'greater', 'less'];

/** `seen`, here and below: the newest revision the client has seen, 0 for none. */
export function rangeOf(value: Json, seen: Revision): RangeRequest {
  const fields = new Fields(value);
  return rangeRequest({
    key: fields.text('key'),
    rangeEnd: fields.text('rangeEnd', ''),
    limit: fields.number('limit', 0),
    revision: fields.back('revisionBack', seen),
    sortOrder: fields.oneOf('sortOrder', SORT_ORDERS),
    sortTarget: fields.oneOf('sortTarget', SORT_TARGETS),
    serializable: fields.flag('serializable'),
    keysOnly: fields.flag('keysOnly'),
    countOnly: fields.flag('countOnly'),
    minModRevision: fields.back('minModBack', seen),
    maxModRevision: fields.back('maxModBack', seen),
    minCreateRevision: fields.back('minCreateBack', seen),
    maxCreateRevision: fields.back('maxCreateBack', seen),
  });
}

export function putOf(value: Json): PutRequest {
  const fields = new Fields(value);
  return putRequest({
    key: fields.text('key'),
    value: fields.text('value', ''),
    ignoreValue: fields.flag('ignoreValue'),
    prevKv: fields.flag('prevKv'),
  });
}

export function deleteOf(value: Json): DeleteRangeRequest {
  const fields = new Fields(value);
  return deleteRangeRequest({
    key: fields.text('key'),
    rangeEnd: fields.text('rangeEnd', ''),
    prevKv: fields.flag('prevKv'),
  });
}

export function txnOf(value: Json, seen: Revision, isSerializable = false): TxnRequest {
  const fields = new Fields(value);
  const isStaleGood = isSerializable || fields.flag('serializable');
  const opsOf = (name: string): RequestOp[] =>
    fields.list(name).map((op) => requestOpOf(op, seen, isStaleGood));
  return {
    compare: fields.list('compare').map((compare) => compareOf(compare, seen)),
    success: opsOf('success'),
    failure: opsOf('failure'),
  };
}

function requestOpOf(value: Json, seen: Revision, isSerializable: boolean): RequestOp {
  const op = new Fields(value).text('op');
  if (op === 'put') return { type: 'put', request: putOf(value) };
  if (op === 'delete') return { type: 'deleteRange', request: deleteOf(value) };
  if (op === 'txn') return { type: 'txn', request: txnOf(value, seen, isSerializable) };
  assert(op === 'range', `an operation of a transaction is none: ${op}`);
  const request = rangeOf(value, seen);
  return { type: 'range', request: isSerializable ? { ...request, serializable: true } : request };
}

function compareOf(value: Json, seen: Revision): Compare {
  const fields = new Fields(value);
  const where = {
    key: bytesOf(fields.text('key')),
    rangeEnd: bytesOf(fields.text('rangeEnd', '')),
    result: fields.oneOf('result', COMPARE_RESULTS),
  };
  const target = fields.text('target');
  if (target === 'value') return { ...where, target, operand: bytesOf(fields.text('operand')) };
  if (target === 'version') return { ...where, target, operand: fields.number('operand', 0) };
  assert(target === 'create' || target === 'mod', `a guard compares no ${target}`);
  return { ...where, target, operand: fields.back('operandBack', seen) };
}

/** The fields of a JSON object. What is not as it must be is a bug in whoever wrote it. */
class Fields {
  readonly #fields: { readonly [field: string]: Json | undefined };

  constructor(value: Json) {
    const fields = fieldsOf(value);
    assert(fields !== undefined, `no request: ${JSON.stringify(value)}`);
    this.#fields = fields;
  }

  /** Required where there is no `otherwise`. */
  text(name: string, otherwise?: string): string {
    const value = this.#fields[name] ?? otherwise;
    assert(typeof value === 'string', `${name} is not a text`);
    return value;
  }

  number(name: string, otherwise: number): number {
    const value = this.#fields[name] ?? otherwise;
    assert(typeof value === 'number', `${name} is not a number`);
    return value;
  }

  flag(name: string): boolean {
    return this.#fields[name] === true;
  }

  list(name: string): readonly Json[] {
    const value = this.#fields[name] ?? [];
    assert(isJsonArray(value), `${name} is not a list`);
    return value;
  }

  /** The first of `choices` where nothing is said. */
  oneOf<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    const text = this.text(name, choices[0]);
    const choice = choices.find((each) => each === text);
    assert(choice !== undefined, `${name} is none of ${choices.join(' ')}`);
    return choice;
  }

  /** A revision; 0, which asks for none, where nothing is said or was seen. */
  back(name: string, seen: Revision): Revision {
    if (this.#fields[name] === undefined || seen === 0) return 0;
    return Math.max(1, seen - this.number(name, 0));
  }
}
