import type { Index, MemberId, Term } from '../lib/ids.ts';
import type { ConfChangeRefusal } from './confchange.ts';

/**
 * The vocabulary of the consensus core: log entries, what must be durable, and the messages
 * that members exchange. Names are those of etcd's raft library.
 */

/**
 * `normal`: an InternalRaftRequest, or empty for a new leader's no-op. `confChange`:
 * raftpb.ConfChange. `confChangeV2`: raftpb.ConfChangeV2, empty to leave a joint configuration.
 */
export type EntryType = 'normal' | 'confChange' | 'confChangeV2';

export interface Entry {
  readonly type: EntryType;
  readonly term: Term;
  readonly index: Index;
  readonly data: Uint8Array;
}

/** Figure 2's persistent state besides the log; `commit` saves replay time, it is not needed for safety. */
export interface HardState {
  readonly term: Term;
  /** Candidate that got this member's vote in `term`. */
  readonly vote: MemberId | undefined;
  readonly commit: Index;
}

/** Who belongs to the cluster, and how. Read with the functions of conf-state.ts. */
export interface ConfState {
  /** While joint: the incoming half. */
  readonly voters: readonly MemberId[];
  /** Fed by the leader, counted nowhere. */
  readonly learners: readonly MemberId[];
  /** The half being left, not empty while joint (thesis 4.3). */
  readonly votersOutgoing: readonly MemberId[];
  /** Of the outgoing half: learners once it is left. */
  readonly learnersNext: readonly MemberId[];
  /** While joint: the leader leaves it by itself. */
  readonly autoLeave: boolean;
}

/** Identifies a state-machine snapshot; its bytes travel outside raft (ports/network). */
export interface SnapshotMeta {
  readonly index: Index;
  readonly term: Term;
  readonly confState: ConfState;
}

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  /** Sender's term; 0 in MsgProp and MsgReadIndex, which no term check concerns. */
  readonly term: Term;
}

export interface MsgProp extends Envelope {
  readonly type: 'MsgProp';
  /** Data only: the leader assigns term and index. */
  readonly entries: readonly { readonly type: EntryType; readonly data: Uint8Array }[];
}
export interface MsgApp extends Envelope {
  readonly type: 'MsgApp';
  /** Index and term of the entry just before `entries`. */
  readonly index: Index;
  readonly logTerm: Term;
  readonly entries: readonly Entry[];
  readonly commit: Index;
}
export interface MsgAppResp extends Envelope {
  readonly type: 'MsgAppResp';
  /** Accepted: last index known to match. Rejected: the `index` of the refused MsgApp. */
  readonly index: Index;
  readonly reject: boolean;
  /** Rejected: where the logs may still agree, and the follower's term there. */
  readonly rejectHint: Index;
  readonly logTerm: Term;
}
export interface MsgVote extends Envelope {
  readonly type: 'MsgVote' | 'MsgPreVote';
  readonly index: Index;
  readonly logTerm: Term;
  /** The current leader asked for this election (leadership transfer): leases do not hold it up. */
  readonly transfer: boolean;
}
export interface MsgVoteResp extends Envelope {
  readonly type: 'MsgVoteResp' | 'MsgPreVoteResp';
  readonly reject: boolean;
  /**
   * What the voter knows to be committed. A removed leader may be the only one that knows so of
   * its own removal: it stands no more, has the longest log, and its vote is still needed by
   * those that do not know.
   */
  readonly commit: Index;
  readonly commitTerm: Term;
}
export interface MsgHeartbeat extends Envelope {
  readonly type: 'MsgHeartbeat';
  readonly commit: Index;
  /** Newest ReadIndex batch that this heartbeat confirms; 0: none. */
  readonly context: number;
}
export interface MsgHeartbeatResp extends Envelope {
  readonly type: 'MsgHeartbeatResp';
  readonly context: number;
}
export interface MsgSnap extends Envelope {
  readonly type: 'MsgSnap';
  readonly snapshot: SnapshotMeta;
}
export interface MsgReadIndex extends Envelope {
  readonly type: 'MsgReadIndex';
  /** Chosen by the asking member, unique there for its lifetime. */
  readonly context: number;
}
export interface MsgReadIndexResp extends Envelope {
  readonly type: 'MsgReadIndexResp';
  readonly context: number;
  readonly index: Index;
}
export interface MsgTimeoutNow extends Envelope {
  readonly type: 'MsgTimeoutNow';
}
export interface MsgTransferLeader extends Envelope {
  readonly type: 'MsgTransferLeader';
  readonly transferee: MemberId;
}
/** Self-addressed: the log is durable through (index, logTerm), written in `term`. */
export interface MsgStorageAppendResp extends Envelope {
  readonly type: 'MsgStorageAppendResp';
  readonly index: Index;
  readonly logTerm: Term;
  /** The installed snapshot, if the append carried one. */
  readonly snapshot: SnapshotMeta | undefined;
}

export type Message =
  | MsgProp
  | MsgApp
  | MsgAppResp
  | MsgVote
  | MsgVoteResp
  | MsgHeartbeat
  | MsgHeartbeatResp
  | MsgSnap
  | MsgReadIndex
  | MsgReadIndexResp
  | MsgTimeoutNow
  | MsgTransferLeader
  | MsgStorageAppendResp;

/**
 * One write for the log's owner, in order after all earlier ones. When everything in it is
 * durable, each response is delivered: self-addressed ones are stepped, others sent. The
 * storage need not understand them (etcd's async storage contract).
 */
export interface StorageAppend {
  /** Overwrites whatever the log holds at and after the first entry's index. */
  readonly entries: readonly Entry[];
  readonly hardState: HardState | undefined;
  /** Install before the entries; the log up to it is superseded. */
  readonly snapshot: SnapshotMeta | undefined;
  readonly responses: readonly Message[];
}

/** A linearizable read point: serve the batch once applied ≥ `index` (thesis 6.4). */
export interface ReadState {
  readonly context: number;
  readonly index: Index;
}

/** What an operator wants to read in the log; emitted as values, worded by the member. */
export type Fact =
  | { readonly type: 'becameFollower'; readonly term: Term; readonly leader: MemberId | undefined }
  | { readonly type: 'becamePreCandidate'; readonly term: Term }
  | { readonly type: 'becameCandidate'; readonly term: Term }
  | { readonly type: 'becameLeader'; readonly term: Term }
  | { readonly type: 'leaderChanged'; readonly term: Term; readonly leader: MemberId | undefined }
  | {
      readonly type: 'voteCast';
      readonly kind: 'MsgVote' | 'MsgPreVote';
      readonly term: Term;
      readonly candidate: MemberId;
      readonly granted: boolean;
      readonly reason: string;
    }
  | { readonly type: 'steppedDown'; readonly term: Term; readonly reason: string }
  | { readonly type: 'transferStarted'; readonly term: Term; readonly transferee: MemberId }
  | { readonly type: 'transferAborted'; readonly term: Term; readonly transferee: MemberId }
  /** A membership change that came from `peer`, or from here, was not appended. */
  | {
      readonly type: 'confChangeRefused';
      readonly term: Term;
      readonly peer: MemberId;
      readonly reason: ConfChangeRefusal;
    }
  /**
   * This member's log ends before what it had acknowledged to `peer` as durable: its disk was put
   * back or emptied. It neither votes nor stands from here on.
   */
  | {
      readonly type: 'lostEntries';
      readonly term: Term;
      readonly peer: MemberId;
      readonly acknowledged: Index;
      readonly lastIndex: Index;
    }
  /**
   * `peer` sent what no member with its durable state intact could have caused: two leaders
   * share a term, or an entry differs from a committed one. The message was ignored.
   */
  | {
      readonly type: 'unsafe';
      readonly term: Term;
      readonly peer: MemberId | undefined;
      readonly reason: string;
    };

/** Everything one turn produced; the caller carries it out and keeps none of it. */
export interface Outputs {
  /** Send now: none of these promises durability of anything in `append`. */
  readonly messages: readonly Message[];
  /** Persist, then deliver its responses. */
  readonly append: StorageAppend | undefined;
  /** Newly committed, in order, to apply; never before a pending snapshot is installed. */
  readonly committed: readonly Entry[];
  readonly readStates: readonly ReadState[];
  readonly facts: readonly Fact[];
}
