/**
 * What an administrator asks of the members of a cluster. One seam, so that faults can be tested
 * without servers.
 */
import type { ClientError } from '../../src/client/client-error.ts';
import type { MemberId, Revision } from '../../src/lib/ids.ts';
import type { Result } from '../../src/lib/result.ts';
import type { ClusterNode } from '../cluster/cluster.ts';

/** A line of MemberList. */
export interface MemberRecord {
  readonly id: MemberId;
  /** Empty until the member has started once. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly isLearner: boolean;
}

/** What a member says about itself. */
export interface UpkeepStatus {
  readonly memberId: MemberId;
  /** Undefined: it knows of none. */
  readonly leader: MemberId | undefined;
  readonly dbSizeBytes: number;
  readonly isLearner: boolean;
}

/** One key, in a form that two members can be compared by. */
export interface KeyState {
  readonly key: string;
  readonly value: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  readonly version: number;
}

export type Asked<Value> = Promise<Result<Value, ClientError>>;

/** Every call asks the one member, once, and ends after some seconds at most. Never rejects. */
export interface Administration {
  /** As of now: whatever was committed before it was asked is in. */
  members(through: ClusterNode): Asked<readonly MemberRecord[]>;
  /** Answers the members with the new one. */
  addMember(
    through: ClusterNode,
    member: { readonly peerUrl: string; readonly isLearner: boolean },
  ): Asked<readonly MemberRecord[]>;
  removeMember(through: ClusterNode, id: MemberId): Asked<object>;
  promoteMember(through: ClusterNode, id: MemberId): Asked<object>;
  status(through: ClusterNode): Asked<UpkeepStatus>;
  /** Only the leader does it. */
  moveLeader(leader: ClusterNode, target: MemberId): Asked<object>;
  /** The newest revision, read linearizably. */
  revision(through: ClusterNode): Asked<Revision>;
  compact(
    through: ClusterNode,
    request: { readonly revision: Revision; readonly physical: boolean },
  ): Asked<object>;
  defragment(through: ClusterNode): Asked<object>;
  /** All keys as they were at a revision. */
  keysAt(through: ClusterNode, revision: Revision): Asked<readonly KeyState[]>;
  /** The stream of Maintenance.Snapshot: a database file and the checksum behind it. */
  snapshot(through: ClusterNode): Asked<Uint8Array>;
}
