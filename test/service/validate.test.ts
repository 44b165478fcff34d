import { describe, expect, test } from 'vitest';
import type { RequestOp, TxnRequest } from '../../src/mvcc/request.ts';
import { DEFAULT_SERVICE_LIMITS } from '../../src/service/limits.ts';
import {
  type Refusal,
  refuseDeleteRange,
  refusePut,
  refuseRange,
  refuseTxn,
} from '../../src/service/validate.ts';
import {
  compareValue,
  deleteOp,
  deleteRequest,
  putOp,
  putRequest,
  rangeOp,
  rangeRequest,
  txnOp,
  txnRequest,
} from '../mvcc/requests.ts';

function refusal(parts: Partial<TxnRequest>): Refusal {
  return refuseTxn(txnRequest(parts), DEFAULT_SERVICE_LIMITS);
}

function reads(count: number): RequestOp[] {
  return Array.from({ length: count }, () => rangeOp('a'));
}

describe('single operations', () => {
  test('a key is needed', () => {
    expect(refuseRange(rangeRequest('', 'z'))).toBe('keyNotProvided');
    expect(refusePut(putRequest('', 'v', { ignoreValue: true }))).toBe('keyNotProvided');
    expect(refuseDeleteRange(deleteRequest(''))).toBe('keyNotProvided');
    expect(refuseRange(rangeRequest('a', 'z'))).toBeUndefined();
    expect(refuseDeleteRange(deleteRequest('a'))).toBeUndefined();
  });

  test('what is to be ignored must not be given', () => {
    expect(refusePut(putRequest('a', 'v', { ignoreValue: true }))).toBe('valueProvided');
    expect(refusePut(putRequest('a', '', { ignoreLease: true, lease: 1n }))).toBe('leaseProvided');
    const both = { ignoreValue: true, ignoreLease: true };
    expect(refusePut(putRequest('a', 'v', { ...both, lease: 1n }))).toBe('valueProvided');
    expect(refusePut(putRequest('a', '', both))).toBeUndefined();
  });
});

describe('transactions', () => {
  test('may have 128 guards and 128 operations a branch, and no more', () => {
    const guards = Array.from({ length: 128 }, () => compareValue('a', 'equal', ''));
    expect(refusal({ compare: guards, success: reads(128), failure: reads(128) })).toBeUndefined();
    expect(refusal({ compare: [...guards, guards[0]!] })).toBe('tooManyOps');
    expect(refusal({ success: reads(129) })).toBe('tooManyOps');
    expect(refusal({ failure: reads(129) })).toBe('tooManyOps');
  });

  test('nested ones have what their parent left over', () => {
    const nested = (count: number): RequestOp => txnOp({ success: reads(count) });
    expect(refusal({ success: [...reads(27), nested(100)] })).toBeUndefined();
    expect(refusal({ success: [...reads(27), nested(101)] })).toBe('tooManyOps');
    const deeper = txnOp({ success: [...reads(27), nested(73)] });
    expect(refusal({ failure: [...reads(27), deeper] })).toBe('tooManyOps');
    expect(refusal({ compare: [], success: reads(28), failure: [nested(101)] })).toBe('tooManyOps');
  });

  test('guards and operations are checked in order, nested ones too', () => {
    const noKey = compareValue('', 'equal', '');
    const withValue = putOp('a', 'v', { ignoreValue: true });
    expect(refusal({ compare: [noKey], success: [withValue] })).toBe('keyNotProvided');
    expect(refusal({ success: [withValue, rangeOp('')] })).toBe('valueProvided');
    expect(refusal({ success: [rangeOp('')], failure: [withValue] })).toBe('keyNotProvided');
    expect(refusal({ failure: [txnOp({ compare: [noKey] })] })).toBe('keyNotProvided');
    expect(refusal({ success: [deleteOp('')] })).toBe('keyNotProvided');
  });

  test('duplicate keys are looked for last', () => {
    const twice = [putOp('a'), putOp('a')];
    expect(refusal({ success: twice, failure: [rangeOp('')] })).toBe('keyNotProvided');
    expect(refusal({ success: twice })).toBe('duplicateKey');
    expect(refusal({ failure: twice })).toBe('duplicateKey');
  });
});
