import { assert, assertNever } from '../lib/assert.ts';
import type { Index, RequestId, Term } from '../lib/ids.ts';
import { ok, type Result } from '../lib/result.ts';
import type { StoreError } from '../mvcc/request.ts';
import { Store } from '../mvcc/store.ts';
import type { ConfChange } from '../raft/confchange.ts';
import type { ConfState, Entry } from '../raft/message.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import type { InternalRequest, InternalResult } from '../wire/internal-request.ts';
import { decodeLoggedRequest } from '../wire/logged-request.ts';
import { decodeConfChange } from '../wire/raft-records.ts';
import type { DueCheckpoint, MemberFact } from './input.ts';
import { decodeMemberContext } from './member-context.ts';
import { Membership } from './membership.ts';

/**
 * The replicated state machine: the store and the member table, changed by committed entries
 * in log order and by nothing else. The same entries give the same state on every member, so
 * nothing here may depend on time, chance, or who the leader is.
 */
export class StateMachine {
  #store: Store;
  #membership: Membership;
  #applied: Index;
  #appliedTerm: Term;
  readonly #removedMax: number;

  constructor(checkpoint: Checkpoint | undefined, removedMax: number) {
    this.#removedMax = removedMax;
    const state = stateOf(checkpoint, removedMax);
    this.#store = state.store;
    this.#membership = state.membership;
    this.#applied = checkpoint?.index ?? 0;
    this.#appliedTerm = checkpoint?.term ?? 0;
  }

  get store(): Store {
    return this.#store;
  }

  get membership(): Membership {
    return this.#membership;
  }

  get applied(): Index {
    return this.#applied;
  }

  /** A newer state from the leader replaces everything. */
  install(checkpoint: Checkpoint): void {
    assert(checkpoint.index > this.#applied, 'a snapshot never takes the state back');
    const state = stateOf(checkpoint, this.#removedMax);
    this.#store = state.store;
    this.#membership = state.membership;
    this.#applied = checkpoint.index;
    this.#appliedTerm = checkpoint.term;
  }

  apply(entry: Entry): AppliedEntry {
    assert(
      entry.index === this.#applied + 1,
      `apply in order: ${entry.index} after ${this.#applied}`,
    );
    assert(entry.term >= this.#appliedTerm, 'terms never fall along the log');
    this.#applied = entry.index;
    this.#appliedTerm = entry.term;
    if (entry.type === 'confChange') return this.#applyConfChange(entry);
    // A new leader's no-op has no data.
    if (entry.data.length === 0) return { type: 'nothing' };
    const logged = decodeLoggedRequest(entry.data);
    assert(logged.ok, `entry ${entry.index} holds no request this version knows`);
    const { id, request } = logged.value;
    return { type: 'request', id, result: this.#applyRequest(request), facts: factsOf(request) };
  }

  /** What a checkpoint of the present state holds; right also while later entries are applied. */
  image(confState: ConfState): DueCheckpoint {
    const store = this.#store.image();
    return {
      index: this.#applied,
      term: this.#appliedTerm,
      confState,
      compactRevision: store.compactRevision,
      members: this.#membership.list(),
      removedMembers: this.#membership.removed(),
      clusterVersion: '3.6.0',
      storageVersion: '3.6.0',
      revisions: () => store.revisions(),
      release: () => store.release(),
    };
  }

  #applyRequest(request: InternalRequest): Result<InternalResult, StoreError> {
    switch (request.type) {
      case 'put': {
        const result = this.#store.put(request.request);
        return result.ok ? ok({ type: 'put', result: result.value }) : result;
      }
      case 'deleteRange': {
        const result = this.#store.deleteRange(request.request);
        return result.ok ? ok({ type: 'deleteRange', result: result.value }) : result;
      }
      case 'txn': {
        const result = this.#store.txn(request.request);
        return result.ok ? ok({ type: 'txn', result: result.value }) : result;
      }
      case 'memberAttributes':
        this.#membership.setAttributes(request.request);
        return ok({ type: 'memberAttributes' });
      default:
        return assertNever(request);
    }
  }

  #applyConfChange(entry: Entry): AppliedEntry {
    const decoded = decodeConfChange(entry.data);
    assert(decoded.ok, `entry ${entry.index} holds no configuration change`);
    const { type, nodeId: member, context } = decoded.value;
    const { name, peerUrls } = decodeMemberContext(context);
    switch (type) {
      case 'addNode':
      case 'addLearnerNode': {
        const isLearner = type === 'addLearnerNode';
        this.#membership.add({ id: member, name, peerUrls, clientUrls: [], isLearner });
        const change: ConfChange = { type: isLearner ? 'addLearner' : 'addVoter', member };
        return { type: 'confChange', change, fact: { type: 'memberAdded', member } };
      }
      case 'updateNode':
        this.#membership.updatePeerUrls(member, peerUrls);
        return { type: 'nothing' };
      case 'removeNode':
        this.#membership.remove(member);
        return {
          type: 'confChange',
          change: { type: 'remove', member },
          fact: { type: 'memberRemoved', member },
        };
      default:
        return assertNever(type);
    }
  }
}

export type AppliedEntry =
  | { readonly type: 'nothing' }
  | {
      readonly type: 'request';
      readonly id: RequestId;
      readonly result: Result<InternalResult, StoreError>;
      readonly facts: readonly MemberFact[];
    }
  | {
      readonly type: 'confChange';
      readonly change: ConfChange;
      readonly fact: MemberFact;
    };

function stateOf(
  checkpoint: Checkpoint | undefined,
  removedMax: number,
): { readonly store: Store; readonly membership: Membership } {
  if (checkpoint === undefined)
    return { store: new Store(), membership: new Membership(removedMax) };
  return {
    store: Store.restore({
      compactRevision: checkpoint.compactRevision,
      revisions: checkpoint.revisions(),
    }),
    membership: Membership.restore(
      { members: checkpoint.members, removed: checkpoint.removedMembers },
      removedMax,
    ),
  };
}

function factsOf(request: InternalRequest): readonly MemberFact[] {
  if (request.type !== 'memberAttributes') return [];
  const { memberId, name } = request.request;
  return [{ type: 'memberPublished', member: memberId, name }];
}
