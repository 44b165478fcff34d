/** etcdserverpb.Cluster: what its calls mean. */
import { create } from '@bufbuild/protobuf';
import type { MemberId, Revision } from '../lib/ids.ts';
import { ok, type Result } from '../lib/result.ts';
import type { MembershipChange } from '../member/apply-membership.ts';
import type { RequestFailure } from '../member/failure.ts';
import type { MemberNode } from '../member/node.ts';
import {
  type MemberAddRequest,
  type MemberAddResponse,
  MemberAddResponseSchema,
  type MemberPromoteRequest,
  type MemberPromoteResponse,
  MemberPromoteResponseSchema,
  type MemberRemoveRequest,
  type MemberRemoveResponse,
  MemberRemoveResponseSchema,
  MemberSchema,
  type MemberUpdateRequest,
  type MemberUpdateResponse,
  MemberUpdateResponseSchema,
  type ResponseHeader,
  type Member as WireMember,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { toGeneratedHeader } from '../wire/generated-fields.ts';
import { answer, headerOf, refuse } from './answer.ts';
import type { AuthGate } from './auth-gate.ts';
import type { Caller } from './caller.ts';
import { isServiceFailure, type ServiceError } from './errors.ts';
import { arePeerUrls } from './peer-urls.ts';
import { promoteHere } from './promotion.ts';
import { refuseReconfiguration } from './reconfiguration.ts';
import type { MemberListResult, Reply } from './response.ts';

export interface MemberListRequest {
  /** false: this member's own view, maybe an old one. */
  readonly linearizable: boolean;
}

export interface ClusterParts {
  readonly gate: AuthGate;
  /** etcd's --strict-reconfig-check. */
  readonly isStrict: boolean;
  /** A new member's id, which nobody else has or had. */
  readonly newMemberId: (peerUrls: readonly string[]) => MemberId;
  /** Of a question to another member. */
  readonly askTimeoutMs: number;
  /** How long a leader that is removed may take to hand over. */
  readonly handOverMs: number;
  readonly sleep: (delayMs: number) => Promise<void>;
}

const HAND_OVER_LOOK_MS = 10;

/** Headers of this service carry no revision. */
const NO_REVISION: Revision = 0;

/** Answers about the members as this one knows them, and changes who they are. */
export class ClusterService {
  readonly #node: MemberNode;
  readonly #parts: ClusterParts;

  constructor(node: MemberNode, parts: ClusterParts) {
    this.#node = node;
    this.#parts = parts;
  }

  async memberList(request: MemberListRequest, caller: Caller): Reply<MemberListResult> {
    if (this.#node.status().isLearner) return refuse('notSupportedForLearner');
    if (request.linearizable) {
      const barrier = await this.#node.readBarrier();
      if (!barrier.ok) return refuse(barrier.error);
    }
    const admitted = this.#parts.gate.permit(caller, { type: 'anyUser' });
    if (!admitted.ok) return refuse(admitted.error);
    return answer(this.#node, NO_REVISION, { members: this.#node.members() });
  }

  async memberAdd(
    { peerURLs, isLearner }: MemberAddRequest,
    caller: Caller,
  ): Promise<Result<MemberAddResponse, ServiceError>> {
    if (!arePeerUrls(peerURLs)) return refuse('invalidUrls');
    const id = this.#parts.newMemberId(peerURLs);
    const member = { id, name: '', peerUrls: peerURLs, clientUrls: [], isLearner };
    const changed = await this.#change({ type: 'add', member }, caller);
    if (!changed.ok) return changed;
    const added = create(MemberSchema, { ID: id, peerURLs, isLearner });
    return ok(create(MemberAddResponseSchema, { ...changed.value, member: added }));
  }

  async memberRemove(
    { ID: id }: MemberRemoveRequest,
    caller: Caller,
  ): Promise<Result<MemberRemoveResponse, ServiceError>> {
    const changed = await this.#change({ type: 'remove', id }, caller);
    return changed.ok ? ok(create(MemberRemoveResponseSchema, changed.value)) : changed;
  }

  async memberUpdate(
    { ID: id, peerURLs }: MemberUpdateRequest,
    caller: Caller,
  ): Promise<Result<MemberUpdateResponse, ServiceError>> {
    if (!arePeerUrls(peerURLs)) return refuse('invalidUrls');
    const changed = await this.#change({ type: 'update', id, peerUrls: peerURLs }, caller);
    return changed.ok ? ok(create(MemberUpdateResponseSchema, changed.value)) : changed;
  }

  /** Only the leader knows how far the learner is, so it is asked. */
  async memberPromote(
    { ID: id }: MemberPromoteRequest,
    caller: Caller,
  ): Promise<Result<MemberPromoteResponse, ServiceError>> {
    const denied = await this.#deny(caller);
    if (denied !== undefined) return denied;
    const failure = await this.#promote(id);
    if (failure !== undefined) return refuse(failure);
    return ok(create(MemberPromoteResponseSchema, this.#table()));
  }

  async #promote(member: MemberId): Promise<RequestFailure | undefined> {
    const { leader, memberId } = this.#node.status();
    if (leader === memberId) return promoteHere(this.#node, member, this.#parts.isStrict);
    if (leader === undefined) return 'noLeader';
    const question = { type: 'promote', member } as const;
    const answered = await this.#node.ask(leader, question, this.#parts.askTimeoutMs);
    if (!answered.ok) return answered.error === 'noAnswer' ? 'timeout' : answered.error;
    if (answered.value.type === 'promoted') return this.#catchUp();
    const failure = answered.value.type === 'refused' ? answered.value.failure : 'timeout';
    return isServiceFailure(failure) ? (failure as RequestFailure) : 'timeout';
  }

  /** The leader has applied it; this member has once a read point of after it is reached. */
  async #catchUp(): Promise<RequestFailure | undefined> {
    const barrier = await this.#node.readBarrier();
    return barrier.ok ? undefined : barrier.error;
  }

  async #change(
    change: MembershipChange,
    caller: Caller,
  ): Promise<Result<MemberTable, ServiceError>> {
    const denied = await this.#deny(caller);
    if (denied !== undefined) return denied;
    if (this.#parts.isStrict) {
      const failure = refuseReconfiguration(this.#node, change);
      if (failure !== undefined) return refuse(failure);
    }
    if (change.type === 'remove') await this.#replaceLeader(change.id);
    const changed = await this.#node.changeMembership(change);
    // A member that removed itself may not have got as far as that in the log, and never will.
    const gone = change.type === 'remove' ? change.id : undefined;
    return changed.ok ? ok(this.#table(gone)) : refuse(changed.error);
  }

  /**
   * A leader that is removed hands over first, so that nobody has to notice its silence. Best
   * effort: it is removed without if that takes longer than an election would.
   */
  async #replaceLeader(removed: MemberId): Promise<void> {
    const node = this.#node;
    const isHeard = (id: MemberId): boolean => node.isConnectedFor(id, 0);
    const heirs = node.members().filter(({ id, isLearner }) => id !== removed && !isLearner);
    const heir = heirs.find(({ id }) => isHeard(id));
    if (node.status().leader !== removed || heir === undefined) return;
    node.transferLeadership(heir.id);
    for (let waitedMs = 0; waitedMs < this.#parts.handOverMs; waitedMs += HAND_OVER_LOOK_MS) {
      const { leader } = node.status();
      if (leader !== undefined && leader !== removed) {
        // It takes no change of members before it has committed in its own term.
        await node.readBarrier();
        return;
      }
      await this.#parts.sleep(HAND_OVER_LOOK_MS);
    }
  }

  async #deny(caller: Caller): Promise<Result<never, ServiceError> | undefined> {
    if (this.#node.status().isLearner) return refuse('notSupportedForLearner');
    const who = await this.#parts.gate.admit(caller);
    if (!who.ok) return refuse(who.error);
    const admitted = this.#parts.gate.permit(caller, { type: 'admin' });
    return admitted.ok ? undefined : refuse(admitted.error);
  }

  #table(gone?: MemberId): MemberTable {
    const header = toGeneratedHeader(headerOf(this.#node, NO_REVISION));
    const listed = this.#node.members().filter(({ id }) => id !== gone);
    const members = listed.map(({ id, name, peerUrls, clientUrls, isLearner }) => {
      const urls = { peerURLs: [...peerUrls], clientURLs: [...clientUrls] };
      return create(MemberSchema, { ID: id, name, ...urls, isLearner });
    });
    return { header, members };
  }
}

interface MemberTable {
  readonly header: ResponseHeader;
  readonly members: WireMember[];
}
