/**
 * Within a transaction no key may be written twice: not put twice, and not put and deleted, in
 * whatever order the two stand. Branches of one transaction exclude each other, so they may
 * touch the same keys; deletes may overlap.
 */

import { nameOf } from '../lib/key-name.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { IntervalSet } from '../mvcc/interval-set.ts';
import { spanOf } from '../mvcc/key-span.ts';
import type { RequestOp, TxnRequest } from '../mvcc/request.ts';

/** For one branch of a transaction, all that is nested in it included. */
export function hasDuplicateKey(ops: readonly RequestOp[]): boolean {
  return !touchedBy(ops).ok;
}

/** What a list of operations may write, nested ones included. */
interface Touched {
  readonly puts: Set<string>;
  readonly deletes: IntervalSet;
}

/**
 * etcd's order: own deletes, then nested transactions one after the other, then own puts. It
 * shows: a key that one nested transaction puts may be deleted by a later sibling.
 */
function touchedBy(ops: readonly RequestOp[]): Result<Touched, 'duplicateKey'> {
  const touched: Touched = { puts: new Set(), deletes: ownDeletes(ops) };
  for (const op of ops) {
    if (op.type !== 'txn') continue;
    if (!addNested(touched, op.request)) return err('duplicateKey');
  }
  for (const op of ops) {
    if (op.type !== 'put') continue;
    const name = nameOf(op.request.key);
    if (touched.puts.has(name) || touched.deletes.covers(name)) return err('duplicateKey');
    touched.puts.add(name);
  }
  return ok(touched);
}

function ownDeletes(ops: readonly RequestOp[]): IntervalSet {
  const deletes = new IntervalSet();
  for (const op of ops) {
    if (op.type !== 'deleteRange') continue;
    const span = spanOf(op.request.key, op.request.rangeEnd);
    // etcd takes the "\0" of "every key from here on" literally here: an interval that covers
    // nothing, so that a transaction may empty the store and put. The store can do it.
    if (span.type === 'interval' && span.end === undefined) continue;
    deletes.add(span);
  }
  return deletes;
}

/** false: a key of the nested transaction was written before. */
function addNested(touched: Touched, nested: TxnRequest): boolean {
  const success = touchedBy(nested.success);
  const failure = touchedBy(nested.failure);
  if (!success.ok || !failure.ok) return false;
  const puts = new Set([...success.value.puts, ...failure.value.puts]);
  for (const name of puts) {
    if (touched.puts.has(name) || touched.deletes.covers(name)) return false;
  }
  for (const name of puts) touched.puts.add(name);
  touched.deletes.addAll(success.value.deletes);
  touched.deletes.addAll(failure.value.deletes);
  return true;
}
