/** Log entries made of requests, as members commit them, and a store that applies them. */
import { assertNever } from '../../../src/lib/assert.ts';
import { ok, type Result } from '../../../src/lib/result.ts';
import type { StoreError } from '../../../src/mvcc/request.ts';
import type { StoredRevision } from '../../../src/mvcc/revision-record.ts';
import { Store } from '../../../src/mvcc/store.ts';
import type { Entry } from '../../../src/raft/message.ts';
import type { InternalRequest } from '../../../src/wire/internal-request.ts';
import { encodeLoggedRequest } from '../../../src/wire/logged-request.ts';

export type Write = Extract<InternalRequest, { readonly type: 'put' | 'deleteRange' | 'txn' }>;

export const NO_DATA: Uint8Array = new Uint8Array(0);

export function entryOf(
  index: number,
  request: InternalRequest,
  id: bigint = BigInt(index),
): Entry {
  return { type: 'normal', term: 1, index, data: encodeLoggedRequest({ id, request }) };
}

export function applyTo(store: Store, write: Write): Result<unknown, StoreError> {
  switch (write.type) {
    case 'put':
      return store.put(write.request);
    case 'deleteRange':
      return store.deleteRange(write.request);
    case 'txn':
      return store.txn(write.request);
    default:
      return assertNever(write);
  }
}

/** The store as it would be if its rows were `change(rows)`. */
export function altered(
  store: Store,
  change: (rows: readonly StoredRevision[]) => readonly StoredRevision[],
): Store {
  const image = store.image();
  const rows = [...image.revisions()];
  return Store.restore({ compactRevision: image.compactRevision, revisions: change(rows) });
}

export function expectOk<Value>(result: Result<Value, unknown>): Value {
  if (!result.ok) throw new Error(`refused: ${String(result.error)}`);
  return ok(result.value).value;
}
