/** etcdserverpb.Lease: what its calls mean. Which leases there are is decided by the log. */
import { create } from '@bufbuild/protobuf';
import { LEASE_TTL_MAX_S } from '../lease/lessor.ts';
import { assert } from '../lib/assert.ts';
import type { LeaseId, Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Applied } from '../member/node.ts';
import type { Clock } from '../ports/clock.ts';
import type { Random } from '../ports/random.ts';
import {
  type LeaseGrantRequest,
  type LeaseGrantResponse,
  LeaseGrantResponseSchema,
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  type LeaseLeasesRequest,
  type LeaseLeasesResponse,
  LeaseLeasesResponseSchema,
  type LeaseRevokeRequest,
  type LeaseRevokeResponse,
  LeaseRevokeResponseSchema,
  LeaseStatusSchema,
  type LeaseTimeToLiveRequest,
  type LeaseTimeToLiveResponse,
  LeaseTimeToLiveResponseSchema,
  type ResponseHeader,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { safeNumber, toGeneratedHeader } from '../wire/generated-fields.ts';
import type { InternalRequest } from '../wire/internal-request.ts';
import { headerOf, refuse } from './answer.ts';
import type { AuthGate } from './auth-gate.ts';
import type { Caller } from './caller.ts';
import type { ServiceError, ServiceFailure } from './errors.ts';
import { KeepAliveSession } from './lease-keep-alive.ts';
import { LeaseLeader } from './lease-leader.ts';
import type { LeaseNode } from './lease-questions.ts';
import type { Quota } from './quota.ts';
import type { StreamSink, StreamSource } from './stream.ts';
import type { LeaderMonitor } from './watch-leader.ts';

type Answered<Response> = Promise<Result<Response, ServiceError>>;

export interface LeaseServiceParts {
  readonly node: LeaseNode;
  readonly gate: Pick<AuthGate, 'admit' | 'permit' | 'permitRequest'>;
  readonly quota: Pick<Quota, 'admits'>;
  readonly leaders: Pick<LeaderMonitor, 'attach'>;
  readonly clock: Clock;
  readonly random: Pick<Random, 'fork'>;
  /** As the member's own, for what is asked of the leader. */
  readonly requestTimeoutMs: number;
}

/** Ids are drawn from 2^63, so a second draw is already more than anybody will see. */
const ID_DRAWS_MAX = 3;
const ID_BITS = 63;

export class LeaseService {
  readonly #parts: LeaseServiceParts;
  readonly #leader: LeaseLeader;
  readonly #ids: Random;

  constructor(parts: LeaseServiceParts) {
    this.#parts = parts;
    this.#ids = parts.random.fork('lease-ids');
    this.#leader = new LeaseLeader(parts);
  }

  async leaseGrant(request: LeaseGrantRequest, caller: Caller): Answered<LeaseGrantResponse> {
    const ttlS = Math.max(safeNumber(request.TTL), 0);
    const granted = await this.grant({ id: request.ID, ttlS }, caller);
    if (!granted.ok) return granted;
    const { id, ttlS: TTL, revision } = granted.value;
    const header = this.#header(revision);
    return ok(create(LeaseGrantResponseSchema, { header, ID: id, TTL: BigInt(TTL) }));
  }

  /** `id` 0: one that nobody has. The answer's time may be longer than the one asked for. */
  async grant(
    asked: { readonly id: LeaseId; readonly ttlS: number },
    caller: Caller,
  ): Answered<{ readonly id: LeaseId; readonly ttlS: number; readonly revision: Revision }> {
    // Refused by all members when it is applied; there is no need to trouble them.
    if (asked.ttlS > LEASE_TTL_MAX_S) return refuse('leaseTtlTooLarge');
    for (let draws = 1; ; draws++) {
      const id = asked.id === 0n ? this.#drawId() : asked.id;
      const request: InternalRequest = { type: 'leaseGrant', id, ttlS: asked.ttlS };
      if (!this.#parts.quota.admits(request)) return refuse('noSpace');
      const applied = await this.#change(request, caller);
      if (applied.ok) {
        const { result, revision } = applied.value;
        assert(result.type === 'leaseGrant', 'the outcome is of another request');
        return ok({ id: result.id, ttlS: result.ttlS, revision });
      }
      const isTaken = applied.error === 'leaseExists' && asked.id === 0n;
      if (!isTaken || draws >= ID_DRAWS_MAX) return refuse(applied.error);
    }
  }

  async leaseRevoke({ ID }: LeaseRevokeRequest, caller: Caller): Answered<LeaseRevokeResponse> {
    const revoked = await this.revoke(ID, caller);
    if (!revoked.ok) return revoked;
    const header = this.#header(revoked.value.revision);
    return ok(create(LeaseRevokeResponseSchema, { header }));
  }

  async revoke(id: LeaseId, caller: Caller): Answered<{ readonly revision: Revision }> {
    const applied = await this.#change({ type: 'leaseRevoke', id }, caller);
    return applied.ok ? ok({ revision: applied.value.revision }) : refuse(applied.error);
  }

  /** A lease that is not there has the time -1, and that is no error. */
  async leaseTimeToLive(
    { ID, keys: withKeys }: LeaseTimeToLiveRequest,
    caller: Caller,
  ): Answered<LeaseTimeToLiveResponse> {
    const { node, gate } = this.#parts;
    if (node.status().isLearner) return refuse('notSupportedForLearner');
    const who = await gate.admit(caller);
    if (!who.ok) return refuse(who.error);
    const barrier = await node.readBarrier();
    if (!barrier.ok) return refuse(barrier.error);
    const times = node.lessor.has(ID)
      ? await this.#leader.timeToLive(ID)
      : err('leaseNotFound' as const);
    const header = this.#header();
    if (!times.ok && times.error !== 'leaseNotFound') return refuse(times.error);
    if (!times.ok) return ok(create(LeaseTimeToLiveResponseSchema, { header, ID, TTL: -1n }));
    if (withKeys) {
      const seen = gate.permit(caller, { type: 'leaseKeys', ids: [ID] });
      if (!seen.ok) return refuse(seen.error);
    }
    return ok(
      create(LeaseTimeToLiveResponseSchema, {
        header,
        ID,
        TTL: BigInt(times.value.ttlS),
        grantedTTL: BigInt(times.value.grantedTtlS),
        keys: withKeys ? [...node.lessor.keysOf(ID)] : [],
      }),
    );
  }

  /** As this member knows them, maybe late, as in etcd; the soonest to expire first at the leader. */
  async leaseLeases(_: LeaseLeasesRequest, caller: Caller): Answered<LeaseLeasesResponse> {
    const { node, gate } = this.#parts;
    if (node.status().isLearner) return refuse('notSupportedForLearner');
    const who = await gate.admit(caller);
    if (!who.ok) return refuse(who.error);
    const ids = node.lessor.ids();
    const seen = gate.permit(caller, { type: 'leaseKeys', ids });
    if (!seen.ok) return refuse(seen.error);
    const leases = ids.map((ID) => create(LeaseStatusSchema, { ID }));
    return ok(create(LeaseLeasesResponseSchema, { header: this.#header(), leases }));
  }

  /** Renewals of a stream share what the leader needs to confirm itself; each is answered. */
  keepAlive(
    caller: Caller,
    sink: StreamSink<LeaseKeepAliveResponse>,
  ): StreamSource<LeaseKeepAliveRequest> {
    const { node, leaders } = this.#parts;
    const session = new KeepAliveSession(sink, {
      header: () => this.#header(),
      renew: (id, isOver) => this.#renewFor(caller, id, isOver),
    });
    const { isLearner, leader } = node.status();
    if (isLearner) session.end('notSupportedForLearner');
    else if (caller.requireLeader && leader === undefined) session.end('noLeader');
    else if (caller.requireLeader) session.onEnd(leaders.attach(() => session.end('noLeader')));
    return session;
  }

  /** Without asking who wants it: of leases that this member looks after for its own clients. */
  renew(id: LeaseId, isOver?: () => boolean): Promise<Result<number, ServiceFailure>> {
    return this.#leader.renew(id, isOver);
  }

  async #renewFor(
    caller: Caller,
    id: LeaseId,
    isOver: () => boolean,
  ): Promise<Result<number, ServiceFailure>> {
    const { gate } = this.#parts;
    const who = await gate.admit(caller);
    if (!who.ok) return who;
    const allowed = gate.permit(caller, { type: 'leaseKeepAlive', id });
    return allowed.ok ? this.renew(id, isOver) : allowed;
  }

  async #change(
    request: InternalRequest,
    caller: Caller,
  ): Promise<Result<Applied, ServiceFailure>> {
    const { node, gate } = this.#parts;
    if (node.status().isLearner) return err('notSupportedForLearner');
    const who = await gate.permitRequest(caller, request);
    return who.ok ? node.propose(request, who.value) : who;
  }

  #drawId(): LeaseId {
    const id = BigInt.asUintN(ID_BITS, this.#ids.uint64());
    return id === 0n ? 1n : id;
  }

  #header(revision: Revision = this.#parts.node.status().revision): ResponseHeader {
    return toGeneratedHeader(headerOf(this.#parts.node, revision));
  }
}
