import { type AuthRecords, AuthStore } from '../auth/auth-store.ts';
import { Lessor, type LessorOptions } from '../lease/lessor.ts';
import type { Index, Term } from '../lib/ids.ts';
import { Store } from '../mvcc/store.ts';
import type { ConfState } from '../raft/message.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import { Alarms } from './alarms.ts';
import type { DueCheckpoint } from './input.ts';
import { Membership } from './membership.ts';

/** What the log decides: all of it is in a checkpoint, and equal on all members at one index. */
export interface ReplicatedState {
  readonly store: Store;
  readonly lessor: Lessor;
  readonly auth: AuthStore;
  readonly alarms: Alarms;
  readonly membership: Membership;
  /** The level all members agreed on, e.g. "3.6.0"; empty until decided. */
  clusterVersion: string;
  /** Target of a downgrade under way; undefined: none. */
  downgradeTo: string | undefined;
}

export interface StateOptions {
  readonly removedMembersMax: number;
  readonly learnersMax: number;
  readonly lessor: LessorOptions;
  /** Of this process alone, so that nobody can choose keys that collide in its tables. */
  readonly hashSeed: number;
}

/** The state a checkpoint holds; without one, that of a cluster that was never written to. */
export function stateOf(
  checkpoint: Checkpoint | undefined,
  options: StateOptions,
): ReplicatedState {
  const { hashSeed } = options;
  const store =
    checkpoint === undefined
      ? new Store(undefined, { hashSeed })
      : Store.restore(
          {
            compactRevision: checkpoint.compactRevision,
            revisions: checkpoint.takeRevisions(),
          },
          { hashSeed },
        );
  const lessor = new Lessor(options.lessor, checkpoint?.leases ?? []);
  store.knowLeases((id) => lessor.has(id));
  for (const { key, lease } of store.leasedKeys()) lessor.keyChanged(key, lease);
  const members = { members: checkpoint?.members ?? [], removed: checkpoint?.removedMembers ?? [] };
  return {
    store,
    lessor,
    auth: new AuthStore(checkpoint?.auth),
    alarms: new Alarms(checkpoint?.alarms ?? []),
    membership: Membership.restore(members, options.removedMembersMax),
    clusterVersion: checkpoint?.clusterVersion ?? '',
    downgradeTo: checkpoint?.downgradeTo,
  };
}

/** What a checkpoint of the state holds; right also while later entries are applied. */
export function imageOf(
  state: ReplicatedState,
  at: { readonly index: Index; readonly term: Term; readonly confState: ConfState },
): DueCheckpoint {
  const image = state.store.image();
  const auth: AuthRecords = state.auth.records();
  return {
    ...at,
    compactRevision: image.compactRevision,
    members: state.membership.list(),
    removedMembers: state.membership.removed(),
    leases: state.lessor.records(),
    alarms: state.alarms.list(),
    auth,
    clusterVersion: state.clusterVersion,
    downgradeTo: state.downgradeTo,
    storageVersion: STORAGE_VERSION,
    revisions: () => image.revisions(),
    release: () => image.release(),
  };
}

/** Release whose buckets and fields our checkpoints have. */
const STORAGE_VERSION = '3.6.0';
