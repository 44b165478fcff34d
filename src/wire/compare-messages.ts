import { assertNever } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Compare, CompareTarget } from '../mvcc/request.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** etcdserverpb.Compare: one guard of a transaction. */

/** Positions are the enums' numbers. */
const RESULTS = ['equal', 'greater', 'less', 'notEqual'] as const;
const TARGETS = ['version', 'create', 'mod', 'value', 'lease'] as const;

/** The members of `target_union`, by field number. */
const OPERAND_VERSION = 4;
const OPERAND_CREATE = 5;
const OPERAND_MOD = 6;
const OPERAND_VALUE = 7;
const OPERAND_LEASE = 8;

export function writeCompare(writer: ProtoWriter, compare: Compare): void {
  writer.int64(1, RESULTS.indexOf(compare.result));
  writer.int64(2, TARGETS.indexOf(compare.target));
  writer.bytes(3, compare.key);
  writeOperand(writer, compare);
  writer.bytes(64, compare.rangeEnd);
}

function writeOperand(writer: ProtoWriter, compare: CompareTarget): void {
  switch (compare.target) {
    case 'version':
      writer.alwaysInt64(OPERAND_VERSION, compare.operand);
      break;
    case 'create':
      writer.alwaysInt64(OPERAND_CREATE, compare.operand);
      break;
    case 'mod':
      writer.alwaysInt64(OPERAND_MOD, compare.operand);
      break;
    case 'value':
      writer.alwaysBytes(OPERAND_VALUE, compare.operand);
      break;
    case 'lease':
      writer.alwaysBits64(OPERAND_LEASE, compare.operand);
      break;
    default:
      assertNever(compare);
  }
}

/**
 * Fails with `invalidCompare` on enum numbers that do not exist. The last operand on the wire
 * is the union's; if it is not the one that the target names, the operand is zero or empty.
 */
export function readCompare(reader: ProtoReader): Compare {
  let resultNumber = 0;
  let targetNumber = 0;
  let key = EMPTY_BYTES;
  let rangeEnd = EMPTY_BYTES;
  let operandField = 0;
  let operandNumber = 0;
  let operandBytes = EMPTY_BYTES;
  let operandLease = 0n;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field >= OPERAND_VERSION && field <= OPERAND_LEASE) operandField = field;
    if (field === 1) resultNumber = reader.enumNumber();
    else if (field === 2) targetNumber = reader.enumNumber();
    else if (field === 3) key = reader.bytes();
    else if (field === OPERAND_VALUE) operandBytes = reader.bytes();
    else if (field === OPERAND_LEASE) operandLease = reader.int64Bits();
    else if (field >= OPERAND_VERSION && field <= OPERAND_MOD) operandNumber = reader.int64();
    else if (field === 64) rangeEnd = reader.bytes();
    else reader.skip();
  }
  const result = RESULTS[resultNumber];
  const target = TARGETS[targetNumber];
  if (result === undefined || target === undefined) {
    reader.fail('invalidCompare', `comparison result ${resultNumber}, target ${targetNumber}`);
    return { target: 'version', operand: 0, key, rangeEnd, result: 'equal' };
  }
  const named = operandField === targetNumber + OPERAND_VERSION;
  if (target === 'value') {
    return { target, operand: named ? operandBytes : EMPTY_BYTES, key, rangeEnd, result };
  }
  if (target === 'lease') {
    return { target, operand: named ? operandLease : 0n, key, rangeEnd, result };
  }
  return { target, operand: named ? operandNumber : 0, key, rangeEnd, result };
}
