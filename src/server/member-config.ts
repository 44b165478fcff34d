import type { ClusterId, MemberId } from '../lib/ids.ts';
import type { AutoCompaction } from '../member/auto-compaction.ts';
import type { MemberConfig } from '../member/config.ts';
import { DEFAULT_LIMITS } from '../member/limits.ts';
import { timingOf } from '../member/timing.ts';
import { DEFAULT_WATCH_LIMITS } from '../mvcc/watch-hub.ts';
import { RAFT_DEFAULTS } from '../raft/config.ts';
import type { ServiceSettings } from '../service/all-services.ts';
import { DEFAULT_SERVICE_LIMITS } from '../service/limits.ts';
import { DEFAULT_WATCH_OPTIONS } from '../service/watch.ts';
import type { Settings } from './settings.ts';

/** From what the operator says to what the member and its services need to know. */

export function memberConfigOf(
  settings: Settings,
  { memberId, clusterId }: { readonly memberId: MemberId; readonly clusterId: ClusterId },
): MemberConfig {
  const { heartbeatMs, electionMs, limits, learnersMax, snapshotCount, raft } = settings;
  const timing = timingOf(heartbeatMs, electionMs);
  return {
    memberId,
    clusterId,
    name: settings.name,
    clientUrls: settings.advertiseClientUrls,
    timing,
    limits: {
      ...DEFAULT_LIMITS,
      requestBytesMax: limits.requestBytesMax,
      learnersMax,
      compactedRowsPerTickMax: compactedRowsPerTick(settings.compaction, timing.tickMs),
    },
    raft: { ...RAFT_DEFAULTS, preVote: raft.preVote },
    watch: DEFAULT_WATCH_LIMITS,
    compaction: compactionOf(settings),
    leaseCheckpointS: LEASE_CHECKPOINT_S,
    snapshotCount,
    catchupEntries: Math.min(raft.catchupEntries, snapshotCount),
  };
}

/**
 * Far less than etcd's 300: a lease that is kept alive is never noted, so this costs little, and
 * what remains of the others is known to the next leader that much better.
 */
const LEASE_CHECKPOINT_S = 5;

/** Some milliseconds of work: requests wait for so long. */
const COMPACTED_ROWS_MAX = 20_000;

/**
 * The pace of --compaction-batch-limit and --compaction-sleep-interval, so many rows in so much
 * time, as a portion for each tick of the member.
 */
export function compactedRowsPerTick(
  { batchLimit, sleepMs }: Pick<Settings['compaction'], 'batchLimit' | 'sleepMs'>,
  tickMs: number,
): number {
  const rows = sleepMs === 0 ? COMPACTED_ROWS_MAX : Math.round((batchLimit * tickMs) / sleepMs);
  return Math.min(Math.max(rows, 1), COMPACTED_ROWS_MAX);
}

/** What etcd allows a message for its wrapping. */
export const RECEIVE_EXTRA_BYTES: number = 512 * 1024;

function compactionOf({ compaction: { auto } }: Settings): AutoCompaction {
  switch (auto.type) {
    case 'off':
      return { mode: 'off' };
    case 'periodic':
      return { mode: 'periodic', periodMs: auto.retentionMs };
    case 'revision':
      return { mode: 'revision', keep: auto.revisions };
  }
}

export function serviceSettingsOf(settings: Settings): ServiceSettings {
  const { token } = settings.auth;
  const { corruption } = settings;
  return {
    electionMs: settings.electionMs,
    quotaBytes: settings.quota.backendBytes,
    strictReconfigCheck: settings.strictReconfigCheck,
    corruption: {
      checkMs: corruption.checkMs,
      compactHashCheckMs: corruption.compactHashCheck ? corruption.compactHashCheckMs : 0,
    },
    limits: { ...DEFAULT_SERVICE_LIMITS, maxTxnOps: settings.limits.txnOpsMax },
    watch: {
      ...DEFAULT_WATCH_OPTIONS,
      progressIntervalMs: settings.watch.progressNotifyMs,
      fragmentBytes: settings.limits.requestBytesMax + RECEIVE_EXTRA_BYTES,
    },
    tokenTtlMs: token.type === 'simple' ? token.ttlS * 1_000 : token.ttlMs,
  };
}
