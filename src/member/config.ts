import type { ClusterId, MemberId } from '../lib/ids.ts';
import type { WatchLimits } from '../mvcc/watch-hub.ts';
import type { RaftConfig } from '../raft/config.ts';
import type { AutoCompaction } from './auto-compaction.ts';
import type { MemberLimits } from './limits.ts';
import type { Timing } from './timing.ts';

/** What a member needs to know of itself; all of it fixed for its lifetime. */
export interface MemberConfig {
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
  readonly name: string;
  readonly clientUrls: readonly string[];
  readonly timing: Timing;
  readonly limits: MemberLimits;
  readonly raft: Omit<RaftConfig, 'id' | 'electionTimeoutTicks' | 'heartbeatTicks' | 'random'>;
  /** Between two notes of what remains of a long lease (etcd: 5 min). */
  readonly leaseCheckpointS: number;
  readonly watch: WatchLimits;
  readonly compaction: AutoCompaction;
  /** Entries applied since the last checkpoint that make the next one due. */
  readonly snapshotCount: number;
  /** Entries kept before a checkpoint, so that a follower slightly behind needs no snapshot. */
  readonly catchupEntries: number;
}
