import type { Registry } from 'prom-client';
import { formatId } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { CallObserver } from './call-observer.ts';
import { eventLoopDelay, registerProcessMetrics } from './metrics-process.ts';
import { readingsOf } from './metrics-readings.ts';
import {
  exponentialBuckets,
  Histogram,
  registerReadings,
  type Series,
  SeriesBy,
  Tally,
} from './metrics-registry.ts';
import { RpcMetrics } from './metrics-rpc.ts';
import type { MetricsSource } from './metrics-source.ts';
import type { CheckType } from './pages/check-pages.ts';
import type { MetricsText, PagesObserver } from './pages/pages.ts';

/**
 * etcd's metrics by etcd's names, so that its dashboards and alerts work. Gauges are read from
 * the member when they are scraped; the rest is told by who saw it happen.
 */

export interface MetricsOptions {
  readonly registry: Registry;
  readonly clock: Pick<Clock, 'nowNs' | 'every'>;
  readonly source: MetricsSource;
  /** --metrics; `basic` by default. */
  readonly level?: 'basic' | 'extensive';
}

export interface Metrics extends MetricsText, PagesObserver {
  /** For the gRPC server and the gateway. */
  readonly calls: CallObserver;
  /** Begins to sample the event loop; the returned function ends it. */
  watchEventLoop(): () => void;
  /** One sync of the log to disk took `latencyNs`. */
  observeFsync(latencyNs: number): void;
  /** One sync of a checkpoint to disk took `latencyNs`. */
  observeBackendCommit(latencyNs: number): void;
  /** A whole checkpoint was written, synced and put in its place. */
  observeCheckpoint(latencyNs: number): void;
  observeDefrag(latencyNs: number): void;
  observePeerRoundTrip(peer: bigint, latencyNs: number): void;
  observeSnapshotSent(peer: bigint, success: boolean, latencyNs: number): void;
  observeSnapshotReceived(peer: bigint, success: boolean, latencyNs: number): void;
  /** Another leader than before is known; losing one does not count. */
  countLeaderChange(): void;
  /** A proposal was refused or given up. */
  countProposalFailed(): void;
  countReadIndexFailed(): void;
  /** Applying an entry took longer than --warning-apply-duration. */
  countSlowApply(): void;
}

const NS_PER_S = 1_000_000_000;
const DISK_BUCKETS_S = exponentialBuckets(0.001, 2, 14);

/** Registers everything in the given registry, once. */
export function createMetrics(options: MetricsOptions): Metrics {
  const { registry, clock, source, level = 'basic' } = options;
  registerReadings(registry, readingsOf(source));
  registerProcessMetrics(registry);
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    calls: new RpcMetrics({ registry, clock, level }),
    watchEventLoop: eventLoopDelay(registry, clock),
    ...diskMetrics(registry),
    ...peerMetrics(registry),
    ...raftCounters(registry),
    ...healthMetrics(registry),
  };
}

function seconds(series: Series): (latencyNs: number) => void {
  return (latencyNs) => series.observe(latencyNs / NS_PER_S);
}

type DiskMetrics = Pick<
  Metrics,
  'observeFsync' | 'observeBackendCommit' | 'observeCheckpoint' | 'observeDefrag'
>;

function diskMetrics(registry: Registry): DiskMetrics {
  const fsync = new Histogram(registry, {
    name: 'etcd_disk_wal_fsync_duration_seconds',
    help: 'Time to sync the write-ahead log to disk.',
    buckets: DISK_BUCKETS_S,
  });
  const commit = new Histogram(registry, {
    name: 'etcd_disk_backend_commit_duration_seconds',
    help: 'Time to sync a checkpoint to disk.',
    buckets: DISK_BUCKETS_S,
  });
  const checkpoint = new Histogram(registry, {
    name: 'etcd_snap_db_save_total_duration_seconds',
    help: 'Time to save a whole checkpoint.',
    buckets: exponentialBuckets(0.1, 2, 10),
  });
  const defrag = new Histogram(registry, {
    name: 'etcd_disk_backend_defrag_duration_seconds',
    help: 'Time to defragment the store.',
    buckets: exponentialBuckets(0.1, 2, 13),
  });
  return {
    observeFsync: seconds(fsync.with()),
    observeBackendCommit: seconds(commit.with()),
    observeCheckpoint: seconds(checkpoint.with()),
    observeDefrag: seconds(defrag.with()),
  };
}

type PeerMetrics = Pick<
  Metrics,
  'observePeerRoundTrip' | 'observeSnapshotSent' | 'observeSnapshotReceived'
>;

function peerMetrics(registry: Registry): PeerMetrics {
  const roundTrips = new Histogram(registry, {
    name: 'etcd_network_peer_round_trip_time_seconds',
    help: 'Time from a message to a member to its answer.',
    buckets: exponentialBuckets(0.0001, 2, 16),
  });
  const byPeer = new SeriesBy<bigint>((to) => roundTrips.with({ To: formatId(to) }));
  return {
    observePeerRoundTrip: (peer, latencyNs) => byPeer.get(peer).observe(latencyNs / NS_PER_S),
    ...snapshotMetrics(registry),
  };
}

function snapshotMetrics(
  registry: Registry,
): Pick<Metrics, 'observeSnapshotSent' | 'observeSnapshotReceived'> {
  const [sent, sendFailed, received, receiveFailed] = Array.from({ length: 4 }, () => new Tally());
  const buckets = exponentialBuckets(0.1, 2, 10);
  const sending = new Histogram(registry, {
    name: 'etcd_network_snapshot_send_total_duration_seconds',
    help: 'Time to send a snapshot to a member.',
    buckets,
  });
  const receiving = new Histogram(registry, {
    name: 'etcd_network_snapshot_receive_total_duration_seconds',
    help: 'Time to receive a snapshot from a member.',
    buckets,
  });
  const to = (id: string): { To: string } => ({ To: id });
  const from = (id: string): { From: string } => ({ From: id });
  registerReadings(registry, [
    {
      name: 'etcd_network_snapshot_send_success',
      help: 'Snapshots sent to members.',
      type: 'counter',
      read: () => sent!.samples(to),
    },
    {
      name: 'etcd_network_snapshot_send_failures',
      help: 'Snapshots to members that failed.',
      type: 'counter',
      read: () => sendFailed!.samples(to),
    },
    {
      name: 'etcd_network_snapshot_receive_success',
      help: 'Snapshots received from members.',
      type: 'counter',
      read: () => received!.samples(from),
    },
    {
      name: 'etcd_network_snapshot_receive_failures',
      help: 'Snapshots from members that failed.',
      type: 'counter',
      read: () => receiveFailed!.samples(from),
    },
  ]);
  const sendSeries = new SeriesBy<string>((id) => sending.with(to(id)));
  const receiveSeries = new SeriesBy<string>((id) => receiving.with(from(id)));
  return {
    observeSnapshotSent(peer, success, latencyNs) {
      (success ? sent : sendFailed)!.add(formatId(peer));
      if (success) sendSeries.get(formatId(peer)).observe(latencyNs / NS_PER_S);
    },
    observeSnapshotReceived(peer, success, latencyNs) {
      (success ? received : receiveFailed)!.add(formatId(peer));
      if (success) receiveSeries.get(formatId(peer)).observe(latencyNs / NS_PER_S);
    },
  };
}

type RaftCounters = Pick<
  Metrics,
  'countLeaderChange' | 'countProposalFailed' | 'countReadIndexFailed' | 'countSlowApply'
>;

function raftCounters(registry: Registry): RaftCounters {
  const count = (definition: { readonly name: string; readonly help: string }): (() => void) => {
    let value = 0;
    registerReadings(registry, [{ ...definition, type: 'counter', read: () => value }]);
    return () => {
      value += 1;
    };
  };
  return {
    countLeaderChange: count({
      name: 'etcd_server_leader_changes_seen_total',
      help: 'Leaders this member has seen come.',
    }),
    countProposalFailed: count({
      name: 'etcd_server_proposals_failed_total',
      help: 'Proposals refused or given up.',
    }),
    countReadIndexFailed: count({
      name: 'etcd_server_read_indexes_failed_total',
      help: 'Read barriers that failed.',
    }),
    countSlowApply: count({
      name: 'etcd_server_slow_apply_total',
      help: 'Requests that took long to apply.',
    }),
  };
}

function healthMetrics(registry: Registry): PagesObserver {
  let [healthy, ill] = [0, 0];
  const last = new Map<string, boolean>();
  const checks = new Tally();
  const labels = (key: string): { type: string; name: string } => {
    const [type = '', name = ''] = key.split(' ');
    return { type, name };
  };
  registerReadings(registry, [
    {
      name: 'etcd_server_health_success',
      help: 'Answers of /health that were good.',
      type: 'counter',
      read: () => healthy,
    },
    {
      name: 'etcd_server_health_failures',
      help: 'Answers of /health that were bad.',
      type: 'counter',
      read: () => ill,
    },
    {
      name: 'etcd_server_healthcheck',
      help: '1 or 0: how the newest run of a check of /livez or /readyz ended.',
      type: 'gauge',
      read: () =>
        [...last].map(([key, passed]) => ({ labels: labels(key), value: passed ? 1 : 0 })),
    },
    {
      name: 'etcd_server_healthchecks_total',
      help: 'Checks of /livez and /readyz that were run.',
      type: 'counter',
      read: () => checks.samples((key) => ({ ...labels(key), status: key.split(' ')[2] ?? '' })),
    },
  ]);
  return {
    onHealth(isHealthy) {
      if (isHealthy) healthy += 1;
      else ill += 1;
    },
    onCheck(type: CheckType, name: string, passed: boolean) {
      last.set(`${type} ${name}`, passed);
      checks.add(`${type} ${name} ${passed ? 'success' : 'error'}`);
    },
  };
}
