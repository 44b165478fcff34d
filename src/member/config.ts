import type { ClusterId, MemberId } from '../lib/ids.ts';
import type { RaftConfig } from '../raft/config.ts';
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
  /** Entries applied since the last checkpoint that make the next one due. */
  readonly snapshotCount: number;
  /** Entries kept before a checkpoint, so that a follower slightly behind needs no snapshot. */
  readonly catchupEntries: number;
}
