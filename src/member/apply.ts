import { assert } from '../lib/assert.ts';
import type { Index, RequestId, Term } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import type { StoredRevision } from '../mvcc/revision-record.ts';
import type { Store } from '../mvcc/store.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { ConfState, Entry } from '../raft/message.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import type { InternalRequest, InternalResult } from '../wire/internal-request.ts';
import { decodeLoggedRequest } from '../wire/logged-request.ts';
import { decodeConfChange } from '../wire/raft-records.ts';
import { applyMembership, loggedChangeOf, type MembershipChange } from './apply-membership.ts';
import { applyRequest } from './apply-request.ts';
import type { ApplyFailure, MembershipFailure } from './failure.ts';
import type { DueCheckpoint, MemberFact } from './input.ts';
import type { Membership } from './membership.ts';
import { OperationCounter } from './operation-counter.ts';
import { imageOf, type ReplicatedState, type StateOptions, stateOf } from './replicated-state.ts';

/**
 * The replicated state machine: store, leases, users, alarms and the member table, changed by
 * committed entries in log order and by nothing else. The same entries give the same state on
 * every member, so nothing here may depend on time, chance, or who the leader is.
 */
export class StateMachine {
  #state: ReplicatedState;
  #applied: Index;
  #appliedTerm: Term;
  readonly #options: StateOptions;
  readonly #operations = new OperationCounter();

  constructor(checkpoint: Checkpoint | undefined, options: StateOptions) {
    this.#options = options;
    this.#state = stateOf(checkpoint, options);
    this.#applied = checkpoint?.index ?? 0;
    this.#appliedTerm = checkpoint?.term ?? 0;
  }

  get state(): Readonly<ReplicatedState> {
    return this.#state;
  }

  get store(): Store {
    return this.#state.store;
  }

  get membership(): Membership {
    return this.#state.membership;
  }

  get applied(): Index {
    return this.#applied;
  }

  /** What was done here since the start: a snapshot adds nothing. */
  get operations(): OperationCounter {
    return this.#operations;
  }

  /** Of the newest entry applied. */
  get appliedTerm(): Term {
    return this.#appliedTerm;
  }

  /** A newer state from the leader replaces everything. */
  install(checkpoint: Checkpoint): void {
    assert(checkpoint.index > this.#applied, 'a snapshot never takes the state back');
    this.#state = stateOf(checkpoint, this.#options);
    this.#applied = checkpoint.index;
    this.#appliedTerm = checkpoint.term;
  }

  /**
   * `tick`: the member's own time, which only the leader's part of a lease and the life of a
   * login depend on. `conf`: the membership as raft has it.
   */
  apply(entry: Entry, { tick, conf, failpoints }: ApplyContext): AppliedEntry {
    assert(
      entry.index === this.#applied + 1,
      `apply in order: ${entry.index} after ${this.#applied}`,
    );
    assert(entry.term >= this.#appliedTerm, 'terms never fall along the log');
    this.#applied = entry.index;
    this.#appliedTerm = entry.term;
    if (entry.type !== 'normal') return this.#applyConfChange(entry, conf);
    // A new leader's no-op has no data.
    if (entry.data.length === 0) return { type: 'nothing' };
    const logged = decodeLoggedRequest(entry.data);
    assert(logged.ok, `entry ${entry.index} holds no request this version knows`);
    const { id, request } = logged.value;
    const before = this.store.revision;
    const result = applyRequest(this.#state, logged.value, {
      index: entry.index,
      tick,
      failpoints,
    });
    if (result.ok) this.#operations.applied(request, result.value);
    return {
      type: 'request',
      id,
      request,
      result,
      changes: this.#changesSince(before),
      facts: result.ok ? factsOf(request) : [],
    };
  }

  /** What a checkpoint of the present state holds; right also while later entries are applied. */
  image(confState: ConfState): DueCheckpoint {
    return imageOf(this.#state, { index: this.#applied, term: this.#appliedTerm, confState });
  }

  /** Leases follow the keys: whatever changed them. */
  #changesSince(before: number): readonly StoredRevision[] {
    const { store, lessor } = this.#state;
    if (store.revision === before) return NO_CHANGES;
    const changes = store.changesAt(store.revision);
    for (const { keyValue } of changes) lessor.keyChanged(keyValue.key, keyValue.lease);
    return changes;
  }

  /**
   * Our own changes are of one member each; a joint one can only be left. What nobody here writes
   * changes nothing, on every member alike.
   */
  #applyConfChange(entry: Entry, conf: ConfState): AppliedEntry {
    if (entry.type === 'confChangeV2') {
      return entry.data.length === 0 ? { type: 'leaveJoint' } : { type: 'nothing' };
    }
    const decoded = decodeConfChange(entry.data);
    if (!decoded.ok) return { type: 'nothing' };
    const { id, change } = loggedChangeOf(decoded.value);
    const { learnersMax } = this.#options;
    const result = applyMembership(this.membership, change, { learnersMax, conf });
    return { type: 'confChange', id, change, result };
  }
}

export interface ApplyContext {
  readonly tick: number;
  readonly conf: ConfState;
  readonly failpoints?: Failpoints | undefined;
}

const NO_CHANGES: readonly StoredRevision[] = [];

export type AppliedEntry =
  | { readonly type: 'nothing' }
  | { readonly type: 'leaveJoint' }
  | {
      readonly type: 'request';
      readonly id: RequestId;
      readonly request: InternalRequest;
      readonly result: Result<InternalResult, ApplyFailure>;
      /** What it did to keys, all at the store's revision. */
      readonly changes: readonly StoredRevision[];
      readonly facts: readonly MemberFact[];
    }
  | {
      readonly type: 'confChange';
      readonly id: RequestId;
      readonly change: MembershipChange;
      /** Refused: the table and the configuration stay as they are. */
      readonly result: Result<undefined, MembershipFailure>;
    };

function factsOf(request: InternalRequest): readonly MemberFact[] {
  if (request.type === 'clusterVersion') {
    return [{ type: 'clusterVersionSet', version: request.version }];
  }
  if (request.type !== 'memberAttributes') return [];
  const { memberId, name } = request.request;
  return [{ type: 'memberPublished', member: memberId, name }];
}
