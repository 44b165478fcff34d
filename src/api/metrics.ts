import { Counter, exponentialBuckets, Gauge, Histogram, type Registry } from 'prom-client';
import type { MemberStatus } from '../member/node.ts';
import type { MetricsText } from './http-server.ts';

/**
 * etcd's metrics by etcd's names, so that its dashboards and alerts work. Gauges are read from
 * the member when they are scraped; the rest is told by who saw it happen.
 */

export interface MetricsSource {
  status(): MemberStatus;
  /** Proposals not yet applied or given up. */
  pendingProposals(): number;
}

export interface MetricsOptions {
  readonly registry: Registry;
  readonly source: MetricsSource;
}

export interface Metrics extends MetricsText {
  /** One sync of the log to disk took `latencyNs`. */
  observeFsync(latencyNs: number): void;
  /** Another leader than before is known; losing one does not count. */
  countLeaderChange(): void;
  /** A proposal was refused or given up. */
  countProposalFailed(): void;
}

const NS_PER_S = 1_000_000_000;
const FSYNC_BUCKETS_S = exponentialBuckets(0.001, 2, 14);

/** Registers everything in the given registry, once. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { registry, source } = options;
  registerGauges(registry, gaugesOf(source));
  const registers = [registry];
  const fsync = new Histogram({
    name: 'etcd_disk_wal_fsync_duration_seconds',
    help: 'Time to sync the write-ahead log to disk.',
    buckets: FSYNC_BUCKETS_S,
    registers,
  });
  const leaderChanges = new Counter({
    name: 'etcd_server_leader_changes_seen_total',
    help: 'Leaders this member has seen come.',
    registers,
  });
  const proposalsFailed = new Counter({
    name: 'etcd_server_proposals_failed_total',
    help: 'Proposals refused or given up.',
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observeFsync: (latencyNs) => fsync.observe(latencyNs / NS_PER_S),
    countLeaderChange: () => leaderChanges.inc(),
    countProposalFailed: () => proposalsFailed.inc(),
  };
}

interface GaugeDefinition {
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

function gaugesOf(source: MetricsSource): readonly GaugeDefinition[] {
  const status = (): MemberStatus => source.status();
  return [
    {
      name: 'etcd_server_has_leader',
      help: '1 while this member knows a leader.',
      read: () => (status().leader === undefined ? 0 : 1),
    },
    {
      name: 'etcd_server_is_leader',
      help: '1 while this member is the leader.',
      read: () => (status().leader === status().memberId ? 1 : 0),
    },
    {
      name: 'etcd_server_is_learner',
      help: '1 while this member is a learner.',
      read: () => (status().isLearner ? 1 : 0),
    },
    {
      name: 'etcd_server_proposals_committed_total',
      help: 'Index of the newest committed entry known here.',
      read: () => status().raftIndex,
    },
    {
      name: 'etcd_server_proposals_applied_total',
      help: 'Index of the newest entry applied here.',
      read: () => status().appliedIndex,
    },
    {
      name: 'etcd_server_proposals_pending',
      help: 'Proposals of this member that wait to be applied.',
      read: () => source.pendingProposals(),
    },
    {
      name: 'etcd_mvcc_db_total_size_in_bytes',
      help: 'Bytes a checkpoint of the store takes.',
      read: () => status().dbSizeBytes,
    },
    {
      name: 'etcd_mvcc_db_total_size_in_use_in_bytes',
      help: 'Bytes of a checkpoint that hold data.',
      read: () => status().dbSizeInUseBytes,
    },
    {
      name: 'etcd_debugging_mvcc_current_revision',
      help: 'Revision of the store.',
      read: () => status().revision,
    },
    {
      name: 'process_resident_memory_bytes',
      help: 'Resident memory of the process.',
      read: () => process.memoryUsage.rss(),
    },
  ];
}

function registerGauges(registry: Registry, definitions: readonly GaugeDefinition[]): void {
  for (const { name, help, read } of definitions) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      collect: () => gauge.set(read()),
    });
  }
}
