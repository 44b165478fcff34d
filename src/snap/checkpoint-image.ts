import type { AuthRecords } from '../auth/auth-store.ts';
import type { LeaseRecord } from '../lease/lessor.ts';
import type { Index, MemberId, Revision, Term } from '../lib/ids.ts';
import type { KeyValue } from '../mvcc/request.ts';
import type { ConfState } from '../raft/message.ts';
import type { Alarm } from '../wire/internal-request.ts';

/** What a checkpoint file holds: the applied state at one log index. */
export interface CheckpointState {
  /** Last entry applied to it. */
  readonly index: Index;
  /** Of that entry. */
  readonly term: Term;
  readonly confState: ConfState;
  /** Revisions below it cannot be read; 0: never compacted. */
  readonly compactRevision: Revision;
  readonly members: readonly CheckpointMember[];
  readonly removedMembers: readonly MemberId[];
  readonly leases: readonly LeaseRecord[];
  readonly alarms: readonly Alarm[];
  readonly auth: AuthRecords;
  /** The lowest release that all members ran, as "3.6.0"; empty if not decided. */
  readonly clusterVersion: string;
  /** Target of a downgrade under way; undefined: none. */
  readonly downgradeTo: string | undefined;
  /** Release whose buckets and fields these are, as "3.6.0". */
  readonly storageVersion: string;
}

/** A state to write; its revisions stay the same until the writing has ended. */
export interface CheckpointImage extends CheckpointState {
  /** Ascending by (main, sub). */
  revisions(): Iterable<RevisionRecord>;
}

/** One key at one revision. */
export interface RevisionRecord {
  readonly main: Revision;
  /** Position among the changes of the transaction, from 0. */
  readonly sub: number;
  readonly tombstone: boolean;
  /** Of a tombstone only the key counts. */
  readonly keyValue: KeyValue;
}

export interface CheckpointMember {
  readonly id: MemberId;
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly clientUrls: readonly string[];
  readonly isLearner: boolean;
}
