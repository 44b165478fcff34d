/** v3lockpb.Lock: what its calls mean, in terms of the other services. */
import { create } from '@bufbuild/protobuf';
import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { ResponseOp } from '../mvcc/request.ts';
import {
  type LockRequest,
  type LockResponse,
  LockResponseSchema,
  type UnlockRequest,
  type UnlockResponse,
  UnlockResponseSchema,
} from '../wire/gen/v3lockpb/v3lock_pb.ts';
import { toGeneratedHeader } from '../wire/generated-fields.ts';
import { refuse } from './answer.ts';
import type { Call } from './call.ts';
import type { Caller } from './caller.ts';
import type { ServiceError } from './errors.ts';
import {
  createdAt,
  firstOf,
  keyOf,
  leaveQueue,
  type Place,
  prefixOf,
  putOf,
  type QueueParts,
  rangeOf,
  waitForTurn,
} from './lock-queue.ts';
import type { ResponseHeader } from './response.ts';
import { Session, type SessionParts } from './session.ts';

export interface LockServiceParts extends QueueParts, SessionParts {}

/** A key in the queue, and how it came there. */
interface Entered extends Place {
  /** By this call; otherwise another call with the same lease holds the same place. */
  readonly isNew: boolean;
  /** There was nobody before. */
  readonly isFirst: boolean;
  readonly header: ResponseHeader;
}

export class LockService {
  readonly #parts: LockServiceParts;

  constructor(parts: LockServiceParts) {
    this.#parts = parts;
  }

  /**
   * Answers when the lock is held, under the key by which it is unlocked. Whoever lost its
   * lease while it waited gets an error, not the lock; a client that goes away leaves no key.
   */
  async lock(request: LockRequest, call: Call): Promise<Result<LockResponse, ServiceError>> {
    const session = await Session.open(this.#parts, request.lease, call);
    if (!session.ok) return session;
    const locked = await this.#lock(request.name, session.value, call);
    if (locked.ok) session.value.leave();
    else await session.value.abandon();
    return locked;
  }

  /** A key that is not there is unlocked. */
  async unlock(
    { key }: UnlockRequest,
    caller: Caller,
  ): Promise<Result<UnlockResponse, ServiceError>> {
    const request = { key, rangeEnd: EMPTY_BYTES, prevKv: false };
    const deleted = await this.#parts.kv.deleteRange(request, caller);
    if (!deleted.ok) return deleted;
    const header = toGeneratedHeader(deleted.value.header);
    return ok(create(UnlockResponseSchema, { header }));
  }

  async #lock(
    name: Uint8Array,
    session: Session,
    call: Call,
  ): Promise<Result<LockResponse, ServiceError>> {
    const entered = await this.#enter(name, session, call);
    if (!entered.ok) return entered;
    const place = entered.value;
    const turn =
      place.isFirst && !call.isOver
        ? ok(place.header)
        : await waitForTurn(this.#parts, place, call);
    if (turn.ok) {
      const header = toGeneratedHeader(turn.value);
      return ok(create(LockResponseSchema, { header, key: place.key }));
    }
    if (turn.error === 'gone') return refuse('sessionExpired');
    if (place.isNew) await leaveQueue(this.#parts, place, call);
    return err(turn.error);
  }

  /** At most one key for each lease: who asks twice with the same has the place it has. */
  async #enter(
    name: Uint8Array,
    { lease }: Session,
    call: Call,
  ): Promise<Result<Entered, ServiceError>> {
    const prefix = prefixOf(name);
    const key = keyOf(prefix, lease);
    const first = { type: 'range', request: firstOf(prefix) } as const;
    const entered = await this.#parts.kv.txn(
      {
        compare: [createdAt(key, 0)],
        success: [putOf(key, EMPTY_BYTES, lease), first],
        failure: [{ type: 'range', request: rangeOf(key) }, first],
      },
      call.caller,
    );
    if (!entered.ok) return entered;
    const { header, result } = entered.value;
    const [own, oldest] = result.responses.map(createRevisionIn);
    const isNew = result.succeeded;
    const revision = isNew ? header.revision : own;
    assert(revision !== undefined && oldest !== undefined, 'a key that is there has a revision');
    return ok({ prefix, key, revision, isNew, isFirst: oldest === revision, header });
  }
}

function createRevisionIn(response: ResponseOp): Revision | undefined {
  return response.type === 'range' ? response.result.kvs[0]?.createRevision : undefined;
}
