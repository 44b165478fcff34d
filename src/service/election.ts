/** v3electionpb.Election: what its calls mean, in terms of the other services. */
import { create } from '@bufbuild/protobuf';
import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES, equalBytes } from '../lib/bytes.ts';
import type { LeaseId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { KeyValue, RequestOp } from '../mvcc/request.ts';
import { KeyValueSchema } from '../wire/gen/mvccpb/kv_pb.ts';
import {
  type CampaignRequest,
  type CampaignResponse,
  CampaignResponseSchema,
  type LeaderKey,
  LeaderKeySchema,
  type LeaderRequest,
  type LeaderResponse,
  LeaderResponseSchema,
  type ProclaimRequest,
  type ProclaimResponse,
  ProclaimResponseSchema,
  type ResignRequest,
  type ResignResponse,
  ResignResponseSchema,
} from '../wire/gen/v3electionpb/v3election_pb.ts';
import { safeNumber, toGeneratedHeader } from '../wire/generated-fields.ts';
import { refuse } from './answer.ts';
import { type Call, OpenCall } from './call.ts';
import type { Caller } from './caller.ts';
import { ElectionObserver } from './election-observer.ts';
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
import type { AnswerStream, StreamSink } from './stream.ts';

export interface ElectionServiceParts extends QueueParts, SessionParts {}

type Answered<Response> = Promise<Result<Response, ServiceError>>;

/** A candidate's place, and whether this call made it. */
interface Candidacy extends Place {
  readonly isNew: boolean;
}

/** A leader is who holds the lock of the election's name; its key's value is what it proclaims. */
export class ElectionService {
  readonly #parts: ElectionServiceParts;

  constructor(parts: ElectionServiceParts) {
    this.#parts = parts;
  }

  /** Answers when elected. As a lock: not with a candidacy that was lost while it waited. */
  async campaign(request: CampaignRequest, call: Call): Answered<CampaignResponse> {
    const session = await Session.open(this.#parts, request.lease, call);
    if (!session.ok) return session;
    const { lease } = session.value;
    const elected = await this.#campaign(request, lease, call);
    if (!elected.ok) {
      await session.value.abandon();
      return elected;
    }
    session.value.leave();
    const { header, place } = elected.value;
    const { name } = request;
    const rev = BigInt(place.revision);
    const leader = create(LeaderKeySchema, { name, key: place.key, rev, lease });
    return ok(create(CampaignResponseSchema, { header: toGeneratedHeader(header), leader }));
  }

  /** A new value of who leads. */
  async proclaim({ leader, value }: ProclaimRequest, caller: Caller): Answered<ProclaimResponse> {
    if (leader === undefined) return refuse('electionLeaderMissing');
    // The creation of a key that is not there: it would elect whoever asks.
    if (leader.rev <= 0n) return refuse('electionNotLeader');
    const proclaimed = await this.#asLeader(leader, putOf(leader.key, value, leader.lease), caller);
    if (!proclaimed.ok) return proclaimed;
    const { header, succeeded } = proclaimed.value;
    if (!succeeded) return refuse('electionNotLeader');
    return ok(create(ProclaimResponseSchema, { header: toGeneratedHeader(header) }));
  }

  async leader({ name }: LeaderRequest, caller: Caller): Answered<LeaderResponse> {
    const read = await this.#parts.kv.range(firstOf(prefixOf(name)), caller);
    if (!read.ok) return read;
    const { header, result } = read.value;
    const [kv] = result.kvs;
    return kv === undefined ? refuse('electionNoLeader') : ok(leaderResponse(header, kv));
  }

  /** Whoever leads now, and every leader and value after that, but for those overtaken meanwhile. */
  observe({ name }: LeaderRequest, caller: Caller, sink: StreamSink<LeaderResponse>): AnswerStream {
    const call = new OpenCall(caller);
    const send = (header: ResponseHeader, kv: KeyValue): void =>
      sink.send(leaderResponse(header, kv));
    const observer = new ElectionObserver(this.#parts, prefixOf(name), { sink, send, call });
    void observer.run();
    return { closed: () => call.end() };
  }

  /** Who does not lead resigns in vain, and is not told. */
  async resign({ leader }: ResignRequest, caller: Caller): Answered<ResignResponse> {
    if (leader === undefined) return refuse('electionLeaderMissing');
    const { key } = leader;
    const request = { key, rangeEnd: EMPTY_BYTES, prevKv: false };
    const resigned = await this.#asLeader(leader, { type: 'deleteRange', request }, caller);
    if (!resigned.ok) return resigned;
    return ok(create(ResignResponseSchema, { header: toGeneratedHeader(resigned.value.header) }));
  }

  async #campaign(
    { name, value }: CampaignRequest,
    lease: LeaseId,
    call: Call,
  ): Answered<{ readonly header: ResponseHeader; readonly place: Place }> {
    const entered = await this.#enter(prefixOf(name), value, lease, call);
    if (!entered.ok) return entered;
    const place = entered.value;
    const turn = await waitForTurn(this.#parts, place, call);
    if (turn.ok) return ok({ header: turn.value, place });
    if (turn.error === 'gone') return refuse('electionNotLeader');
    if (place.isNew) await leaveQueue(this.#parts, place, call);
    return err(turn.error);
  }

  /** Who campaigns again with the same lease keeps its place and changes its value. */
  async #enter(
    prefix: Uint8Array,
    value: Uint8Array,
    lease: LeaseId,
    call: Call,
  ): Answered<Candidacy> {
    const key = keyOf(prefix, lease);
    const entered = await this.#parts.kv.txn(
      {
        compare: [createdAt(key, 0)],
        success: [putOf(key, value, lease)],
        failure: [{ type: 'range', request: rangeOf(key) }],
      },
      call.caller,
    );
    if (!entered.ok) return entered;
    const { header, result } = entered.value;
    if (result.succeeded) return ok({ prefix, key, revision: header.revision, isNew: true });
    const [answer] = result.responses;
    const known = answer?.type === 'range' ? answer.result.kvs[0] : undefined;
    assert(known !== undefined, 'a key that is there is read');
    const place = { prefix, key, revision: known.createRevision, isNew: false };
    if (equalBytes(known.value, value)) return ok(place);
    const leader = { key, rev: BigInt(place.revision) };
    const changed = await this.#asLeader(leader, putOf(key, value, lease), call.caller);
    if (!changed.ok) return changed;
    return changed.value.succeeded ? ok(place) : refuse('electionNotLeader');
  }

  /** Only while the key is still the one that the leader was elected with. */
  async #asLeader(
    leader: Pick<LeaderKey, 'key' | 'rev'>,
    op: RequestOp,
    caller: Caller,
  ): Answered<{ readonly header: ResponseHeader; readonly succeeded: boolean }> {
    const compare = [createdAt(leader.key, safeNumber(leader.rev))];
    const done = await this.#parts.kv.txn({ compare, success: [op], failure: [] }, caller);
    if (!done.ok) return done;
    return ok({ header: done.value.header, succeeded: done.value.result.succeeded });
  }
}

function leaderResponse(header: ResponseHeader, kv: KeyValue): LeaderResponse {
  return create(LeaderResponseSchema, {
    header: toGeneratedHeader(header),
    kv: create(KeyValueSchema, {
      key: kv.key,
      createRevision: BigInt(kv.createRevision),
      modRevision: BigInt(kv.modRevision),
      version: BigInt(kv.version),
      value: kv.value,
      lease: kv.lease,
    }),
  });
}
