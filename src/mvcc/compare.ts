/** The guards of a transaction. */
import { assertNever } from '../lib/assert.ts';
import { compareBytes, EMPTY_BYTES } from '../lib/bytes.ts';
import type { KeyIndex } from './key-index.ts';
import type { Compare, CompareResult, KeyValue } from './request.ts';
import { NEWEST } from './revision-record.ts';

/** What a guard sees where no key is. */
const MISSING: KeyValue = {
  key: EMPTY_BYTES,
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: EMPTY_BYTES,
  lease: 0n,
};

/** Whether every guard holds now; none given: yes. */
export function holdsAll(index: KeyIndex, compares: readonly Compare[]): boolean {
  return compares.every((compare) => holds(index, compare));
}

/**
 * Every key of the guard's range must satisfy it. A range without keys is compared as zeros,
 * except for `value`: an empty value and no value look alike, so that guard fails.
 */
function holds(index: KeyIndex, compare: Compare): boolean {
  let isEmpty = true;
  let isSatisfied = true;
  index.scan(compare.key, compare.rangeEnd, NEWEST, (chunk, at) => {
    isEmpty = false;
    isSatisfied &&= accepts(compare.result, order(compare, index.keyValue(chunk, at)));
  });
  if (!isEmpty) return isSatisfied;
  return compare.target !== 'value' && accepts(compare.result, order(compare, MISSING));
}

/** Negative, zero or positive as the key's field is less than, equal to or above the operand. */
function order(compare: Compare, kv: KeyValue): number {
  switch (compare.target) {
    case 'version':
      return kv.version - compare.operand;
    case 'create':
      return kv.createRevision - compare.operand;
    case 'mod':
      return kv.modRevision - compare.operand;
    case 'value':
      return compareBytes(kv.value, compare.operand);
    case 'lease':
      return Number(kv.lease > compare.operand) - Number(kv.lease < compare.operand);
    default:
      return assertNever(compare);
  }
}

function accepts(result: CompareResult, difference: number): boolean {
  switch (result) {
    case 'equal':
      return difference === 0;
    case 'notEqual':
      return difference !== 0;
    case 'greater':
      return difference > 0;
    case 'less':
      return difference < 0;
    default:
      return assertNever(result);
  }
}
