import { expect, test } from 'vitest';
import type { RequestOp } from '../../src/mvcc/request.ts';
import { hasDuplicateKey } from '../../src/service/duplicate-keys.ts';
import { deleteOp, OPEN_END, putOp, rangeOp, txnOp } from '../mvcc/requests.ts';

const put = putOp('abc');
const deleteKey = deleteOp('abc');
const deleteAround = deleteOp('a', 'b');
const deleteBefore = deleteOp('abb', 'abc');
const either = (...ops: RequestOp[]): RequestOp => txnOp({ success: ops, failure: ops });
const nested = (...ops: RequestOp[]): RequestOp => txnOp({ success: ops });

test.each<[string, RequestOp[]]>([
  ['two puts of a key', [put, put]],
  ['a put and a delete of it', [put, deleteKey]],
  ['a put in a deleted range', [put, deleteAround]],
  ['the same, deleted first', [deleteAround, put]],
  ['a put, and a nested delete', [put, nested(deleteAround)]],
  ['a nested put in a deleted range', [deleteAround, nested(put)]],
  ['the same, put first', [nested(put), deleteAround]],
  ['a put, and a nested put', [nested(put), put]],
  ['a nested put in the other branch', [put, txnOp({ failure: [put] })]],
  ['two nested puts, each in both branches', [either(put), either(put)]],
  ['puts in different branches of different siblings', [nested(put), txnOp({ failure: [put] })]],
  ['a nested put after a sibling deleted it', [nested(deleteAround), nested(put)]],
  ['two puts inside a nested one', [nested(put, put)]],
  ['three levels deep', [deleteKey, nested(nested(put))]],
])('duplicate: %s', (_, ops) => {
  expect(hasDuplicateKey(ops)).toBe(true);
});

test.each<[string, RequestOp[]]>([
  ['nothing', []],
  ['different keys', [put, putOp('abd'), putOp('ab')]],
  ['a delete that ends just before', [put, deleteBefore]],
  ['deletes that overlap', [deleteKey, deleteAround, deleteKey, deleteAround]],
  ['deletes on every level', [nested(deleteAround), either(deleteAround)]],
  ['both branches of one nested transaction', [deleteBefore, either(put)]],
  ['a put in one branch, a delete in the other', [txnOp({ success: [put], failure: [deleteKey] })]],
  ['a nested put before a sibling deletes it, as etcd has it', [nested(put), nested(deleteAround)]],
  ['reads', [put, rangeOp('abc'), rangeOp('a', 'b')]],
  ['a delete without upper bound, as etcd has it', [deleteOp('a', OPEN_END), put]],
  ['a delete that ends before it starts', [deleteOp('b', 'a'), put, putOp('b')]],
])('no duplicate: %s', (_, ops) => {
  expect(hasDuplicateKey(ops)).toBe(false);
});

test('many keys and ranges are compared in little time', () => {
  const count = 20_000;
  const key = (at: number): string => `${at}`.padStart(6, '0');
  const ops = Array.from({ length: count }, (_, at) =>
    at % 2 === 0 ? putOp(key(at)) : deleteOp(key(at)),
  );
  expect(hasDuplicateKey(ops)).toBe(false);
  expect(hasDuplicateKey([...ops, nested(putOp(key(count - 1)))])).toBe(true);
});
