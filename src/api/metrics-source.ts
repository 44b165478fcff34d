import type { MemberStatus } from '../member/node.ts';
import type { OperationCounts as AllOperationCounts } from '../member/operation-counter.ts';

/**
 * What a scrape reads from the member. What is optional has no metric where it is missing: better
 * none than one that says nothing.
 */
export interface MetricsSource {
  status(): MemberStatus;
  /** Proposals not yet applied or given up. */
  pendingProposals(): number;
  quotaBytes?(): number;
  compactRevision?(): number;
  /** Keys that exist at the current revision. */
  keys?(): number;
  operations?(): OperationCounts;
  watches?(): WatchCounts;
  leases?(): LeaseCounts;
  authRevision?(): number;
  /** Empty until decided. */
  clusterVersion?(): string;
  alarms?(): readonly { readonly memberId: bigint; readonly type: string }[];
  walWrittenBytes?(): number;
  isDefragmenting?(): boolean;
  isInstallingSnapshot?(): boolean;
  peers?(): readonly PeerCounts[];
}

/** Leases are counted apart. */
export type OperationCounts = Omit<AllOperationCounts, 'leasesGranted' | 'leasesRevoked'>;

export interface WatchCounts {
  readonly streams: number;
  readonly watchers: number;
  /** Behind the store's revision. */
  readonly slowWatchers: number;
  /** Since the start. */
  readonly eventsSent: number;
}

/** Since the start. */
export interface LeaseCounts {
  readonly granted: number;
  readonly revoked: number;
}

export interface PeerCounts {
  readonly id: bigint;
  readonly connected: boolean;
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** Messages that found no connection, or no room. */
  readonly sendFailures: number;
  /** Times that a connection was lost. */
  readonly disconnects: number;
}
