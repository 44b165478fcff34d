/**
 * The queue that locks and elections share: keys under one prefix, oldest first, each on the
 * lease of who waits. Whose key is the oldest has the lock.
 */
import { concatBytes, EMPTY_BYTES } from '../lib/bytes.ts';
import { formatId, type LeaseId, type Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Encode } from '../lib/utf8.ts';
import type { Compare, PutRequest, RangeRequest, RequestOp } from '../mvcc/request.ts';
import type { Call } from './call.ts';
import { type ServiceError, serviceError } from './errors.ts';
import type { KvService } from './kv.ts';
import type { ResponseHeader } from './response.ts';
import { type KeyWatches, waitForDelete } from './wait-for-delete.ts';

export interface QueueParts {
  readonly kv: Pick<KvService, 'range' | 'txn' | 'deleteRange'>;
  readonly watches: KeyWatches;
}

/** A place in the queue. */
export interface Place {
  /** Of all the queue's keys. */
  readonly prefix: Uint8Array;
  readonly key: Uint8Array;
  /** Of the key's creation: its place, and that it is still the same key. */
  readonly revision: Revision;
}

const SLASH = 0x2f;

export function prefixOf(name: Uint8Array): Uint8Array {
  return concatBytes([name, Uint8Array.of(SLASH)]);
}

/** The first key after all that start with a {@link prefixOf}. */
export function endOf(prefix: Uint8Array): Uint8Array {
  const end = prefix.slice();
  end[end.length - 1] = SLASH + 1;
  return end;
}

/** As etcd names it: the lease in hexadecimal. */
export function keyOf(prefix: Uint8Array, lease: LeaseId): Uint8Array {
  return concatBytes([prefix, utf8Encode(formatId(lease))]);
}

export function createdAt(key: Uint8Array, revision: Revision): Compare {
  return { key, rangeEnd: EMPTY_BYTES, result: 'equal', target: 'create', operand: revision };
}

export function putOf(key: Uint8Array, value: Uint8Array, lease: LeaseId): RequestOp {
  // Whoever does not tell the lease keeps the one the key has.
  const ignoreLease = lease === 0n;
  const request: PutRequest = { key, value, lease, prevKv: false, ignoreValue: false, ignoreLease };
  return { type: 'put', request };
}

/** The oldest key of the queue. */
export function firstOf(prefix: Uint8Array): RangeRequest {
  return rangeOf(prefix, { rangeEnd: endOf(prefix), sortOrder: 'ascend' });
}

export function rangeOf(key: Uint8Array, parts: Partial<RangeRequest> = {}): RangeRequest {
  return {
    key,
    rangeEnd: EMPTY_BYTES,
    limit: 1,
    revision: 0,
    sortOrder: 'none',
    sortTarget: 'create',
    serializable: false,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
    ...parts,
  };
}

/**
 * Waits until everybody before has gone. That nobody is before and that the own key is still
 * there is read at one revision, linearizably: who waited longer than its lease lived has no
 * place any more, whatever it was told by a watch. `gone`: it has lost its place.
 */
export async function waitForTurn(
  { kv, watches }: QueueParts,
  place: Place,
  call: Call,
): Promise<Result<ResponseHeader, ServiceError | 'gone'>> {
  const before = rangeOf(place.prefix, {
    rangeEnd: endOf(place.prefix),
    sortOrder: 'descend',
    keysOnly: true,
    maxCreateRevision: place.revision - 1,
  });
  for (;;) {
    if (call.isOver) return err(serviceError('canceled'));
    const compare = [createdAt(place.key, place.revision)];
    const success: RequestOp[] = [{ type: 'range', request: before }];
    const read = await kv.txn({ compare, success, failure: [] }, call.caller);
    if (!read.ok) return read;
    const { header, result } = read.value;
    if (!result.succeeded) return err('gone');
    const [answer] = result.responses;
    const next = answer?.type === 'range' ? answer.result.kvs[0] : undefined;
    if (next === undefined) return call.isOver ? err(serviceError('canceled')) : ok(header);
    // The own key too: there is no reason to wait on without it.
    const keys = [next.key, place.key];
    const end = await waitForDelete(watches, keys, header.revision + 1, call);
    if (end === 'tooManyRequests') return err(serviceError('tooManyRequests'));
  }
}

/** A key that stays behind blocks the queue for as long as its lease is kept alive. */
const LEAVE_ATTEMPTS = 3;

/** Gives the place up; in the end the key goes with its lease. */
export async function leaveQueue({ kv }: QueueParts, place: Place, call: Call): Promise<void> {
  const { key } = place;
  const success: RequestOp[] = [
    { type: 'deleteRange', request: { key, rangeEnd: EMPTY_BYTES, prevKv: false } },
  ];
  const compare = [createdAt(key, place.revision)];
  for (let attempt = 0; attempt < LEAVE_ATTEMPTS; attempt++) {
    const left = await kv.txn({ compare, success, failure: [] }, call.caller);
    if (left.ok) return;
  }
}
