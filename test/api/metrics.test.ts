import { Registry } from 'prom-client';
import { describe, expect, test } from 'vitest';
import { createMetrics, type Metrics } from '../../src/api/metrics.ts';
import type {
  LeaseCounts,
  MetricsSource,
  OperationCounts,
  WatchCounts,
} from '../../src/api/metrics-source.ts';
import { RealClock } from '../../src/host/real-clock.ts';
import { CLUSTER_ID, MEMBER_ID } from './fake-services.ts';

const STATUS = {
  clusterId: CLUSTER_ID,
  memberId: MEMBER_ID,
  leader: MEMBER_ID,
  term: 7,
  raftIndex: 21,
  appliedIndex: 20,
  revision: 5,
  dbSizeBytes: 8192,
  dbSizeInUseBytes: 4096,
  isLearner: false,
};
const BASIC: MetricsSource = { status: () => STATUS, pendingProposals: () => 3 };

function metricsOf(source: MetricsSource = BASIC, level?: 'basic' | 'extensive'): Metrics {
  return createMetrics({ registry: new Registry(), clock: new RealClock(), source, level });
}

interface Scrape {
  readonly types: Map<string, string>;
  /** By name and labels, as written. */
  readonly values: Map<string, number>;
}

/** Parses strictly: any line that is no sample, HELP or TYPE fails. */
async function scrape(metrics: Metrics): Promise<Scrape> {
  const types = new Map<string, string>();
  const values = new Map<string, number>();
  for (const line of (await metrics.text()).split('\n')) {
    if (line === '' || /^# HELP [a-z_]+ \S.*$/.test(line)) continue;
    const type = /^# TYPE ([a-z_]+) (gauge|counter|histogram)$/.exec(line);
    if (type !== null) {
      expect(types.has(type[1]!)).toBe(false);
      types.set(type[1]!, type[2]!);
      continue;
    }
    const sample = /^([a-z_]+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})?) ([-+0-9.eE]+)$/.exec(line);
    expect([line, sample !== null]).toEqual([line, true]);
    expect(values.has(sample![1]!)).toBe(false);
    values.set(sample![1]!, Number(sample![2]));
  }
  return { types, values };
}

/** Samples of one metric, by their labels. */
function samples({ values }: Scrape, name: string): Record<string, number> {
  const found = [...values].filter(([key]) => key === name || key.startsWith(`${name}{`));
  return Object.fromEntries(found.map(([key, value]) => [key.slice(name.length), value]));
}

describe('what is read at a scrape', () => {
  test('follows the member', async () => {
    let leader: bigint | undefined = 99n;
    const metrics = metricsOf({ ...BASIC, status: () => ({ ...STATUS, leader }) });
    const first = await scrape(metrics);
    expect(first.values.get('etcd_server_has_leader')).toBe(1);
    expect(first.values.get('etcd_server_is_leader')).toBe(0);
    expect(first.values.get('etcd_server_id{server_id="8e9e05c52164694d"}')).toBe(1);
    expect(first.values.get('etcd_server_version{server_version="3.6.0"}')).toBe(1);
    expect(first.values.get('etcd_server_proposals_committed_total')).toBe(21);
    expect(first.types.get('etcd_server_proposals_committed_total')).toBe('gauge');
    expect(first.values.get('etcd_mvcc_db_total_size_in_use_in_bytes')).toBe(4096);
    leader = undefined;
    expect((await scrape(metrics)).values.get('etcd_server_has_leader')).toBe(0);
  });

  test('is not there where the source does not know it', async () => {
    const { types } = await scrape(metricsOf());
    for (const name of ['etcd_server_quota_backend_bytes', 'etcd_mvcc_put_total']) {
      expect(types.has(name)).toBe(false);
    }
  });

  test('is all there where the source knows all', async () => {
    class Source implements MetricsSource {
      readonly quota = 2_147_483_648;
      readonly first = 1;
      status = BASIC.status;
      pendingProposals = BASIC.pendingProposals;
      // Methods that need their object.
      quotaBytes(): number {
        return this.quota;
      }
      compactRevision = () => 4;
      keys = () => 12;
      operations(): OperationCounts {
        return { ranges: this.first, puts: 2, deletes: 3, txns: 4, putBytes: 5 };
      }
      watches(): WatchCounts {
        const { first: streams } = this;
        return { streams, watchers: 2, slowWatchers: 3, eventsSent: 4 };
      }
      leases(): LeaseCounts {
        return { granted: this.first, revoked: 2 };
      }
      authRevision = () => 6;
      clusterVersion = () => '3.6.0';
      alarms = () => [{ memberId: 255n, type: 'NOSPACE' }];
      walWrittenBytes = () => 64;
      isDefragmenting = () => true;
      isInstallingSnapshot = () => false;
      peers = () => [
        {
          id: 16n,
          connected: true,
          sentBytes: 1,
          receivedBytes: 2,
          sendFailures: 3,
          disconnects: 4,
        },
      ];
    }
    const { values } = await scrape(metricsOf(new Source()));
    const pair = '{Local="8e9e05c52164694d",Remote="10"}';
    expect(Object.fromEntries(values)).toMatchObject({
      etcd_server_quota_backend_bytes: 2_147_483_648,
      etcd_debugging_mvcc_compact_revision: 4,
      etcd_debugging_mvcc_keys_total: 12,
      etcd_mvcc_range_total: 1,
      etcd_mvcc_put_total: 2,
      etcd_mvcc_delete_total: 3,
      etcd_mvcc_txn_total: 4,
      etcd_debugging_mvcc_total_put_size_in_bytes: 5,
      etcd_debugging_mvcc_watch_stream_total: 1,
      etcd_debugging_mvcc_watcher_total: 2,
      etcd_debugging_mvcc_slow_watcher_total: 3,
      etcd_debugging_mvcc_events_total: 4,
      etcd_debugging_lease_granted_total: 1,
      etcd_debugging_lease_revoked_total: 2,
      etcd_debugging_auth_revision: 6,
      'etcd_cluster_version{cluster_version="3.6"}': 1,
      'etcd_debugging_server_alarms{server_id="ff",alarm_type="NOSPACE"}': 1,
      etcd_disk_wal_write_bytes_total: 64,
      etcd_disk_defrag_inflight: 1,
      etcd_server_snapshot_apply_in_progress_total: 0,
      [`etcd_network_known_peers${pair}`]: 1,
      [`etcd_network_active_peers${pair}`]: 1,
      [`etcd_network_disconnected_peers_total${pair}`]: 4,
      'etcd_network_peer_sent_bytes_total{To="10"}': 1,
      'etcd_network_peer_received_bytes_total{From="10"}': 2,
      'etcd_network_peer_sent_failures_total{To="10"}': 3,
    });
  });

  test.runIf(process.platform === 'linux')('the process', async () => {
    const { values } = await scrape(metricsOf());
    const value = (name: string): number => values.get(name) ?? Number.NaN;
    expect(value('process_resident_memory_bytes')).toBeGreaterThan(10_000_000);
    expect(value('process_virtual_memory_bytes')).toBeGreaterThan(
      value('process_resident_memory_bytes'),
    );
    expect(value('process_cpu_seconds_total')).toBeGreaterThan(0);
    expect(value('process_start_time_seconds')).toBeGreaterThan(1_500_000_000);
    expect(value('process_start_time_seconds')).toBeLessThanOrEqual(Date.now() / 1000);
    expect(value('os_fd_used')).toBeGreaterThan(3);
    expect(value('os_fd_limit')).toBeGreaterThan(value('os_fd_used'));
    expect(value('process_max_fds')).toBe(value('os_fd_limit'));
  });
});

describe('what is observed', () => {
  test('in buckets that etcd has', async () => {
    const metrics = metricsOf();
    metrics.observeFsync(3_000_000);
    metrics.observeFsync(4_000_000);
    metrics.observeFsync(60_000_000_000);
    metrics.observePeerRoundTrip(16n, 50_000);
    metrics.observePeerRoundTrip(16n, 150_000);
    metrics.observeBackendCommit(1);
    metrics.observeCheckpoint(1);
    metrics.observeDefrag(1);
    const found = await scrape(metrics);
    const fsync = samples(found, 'etcd_disk_wal_fsync_duration_seconds_bucket');
    expect(Object.keys(fsync)).toHaveLength(15);
    expect(fsync).toMatchObject({
      '{le="0.001"}': 0,
      '{le="0.002"}': 0,
      '{le="0.004"}': 2,
      '{le="8.192"}': 2,
      '{le="+Inf"}': 3,
    });
    expect(found.values.get('etcd_disk_wal_fsync_duration_seconds_count')).toBe(3);
    expect(found.values.get('etcd_disk_wal_fsync_duration_seconds_sum')).toBeCloseTo(60.007);
    const trip = samples(found, 'etcd_network_peer_round_trip_time_seconds_bucket');
    expect(Object.keys(trip)).toHaveLength(17);
    expect(trip).toMatchObject({
      '{To="10",le="0.0001"}': 1,
      '{To="10",le="0.0002"}': 2,
      '{To="10",le="3.2768"}': 2,
    });
  });

  test('counts', async () => {
    const metrics = metricsOf();
    const before = await scrape(metrics);
    expect(before.values.get('etcd_server_leader_changes_seen_total')).toBe(0);
    metrics.countLeaderChange();
    metrics.countLeaderChange();
    metrics.countProposalFailed();
    metrics.countReadIndexFailed();
    metrics.countSlowApply();
    metrics.onHealth(true);
    metrics.onHealth(false);
    metrics.onCheck('livez', 'serializable_read', true);
    metrics.onCheck('livez', 'serializable_read', false);
    metrics.observeSnapshotSent(16n, true, 1e9);
    metrics.observeSnapshotSent(16n, false, 1e9);
    metrics.observeSnapshotReceived(17n, true, 1e9);
    metrics.observeSnapshotReceived(17n, false, 1e9);
    const { values, types } = await scrape(metrics);
    const check = 'type="livez",name="serializable_read"';
    expect(Object.fromEntries(values)).toMatchObject({
      etcd_server_leader_changes_seen_total: 2,
      etcd_server_proposals_failed_total: 1,
      etcd_server_read_indexes_failed_total: 1,
      etcd_server_slow_apply_total: 1,
      etcd_server_health_success: 1,
      etcd_server_health_failures: 1,
      [`etcd_server_healthcheck{${check}}`]: 0,
      [`etcd_server_healthchecks_total{${check},status="success"}`]: 1,
      [`etcd_server_healthchecks_total{${check},status="error"}`]: 1,
      'etcd_network_snapshot_send_success{To="10"}': 1,
      'etcd_network_snapshot_send_failures{To="10"}': 1,
      'etcd_network_snapshot_receive_success{From="11"}': 1,
      'etcd_network_snapshot_receive_failures{From="11"}': 1,
      'etcd_network_snapshot_send_total_duration_seconds_count{To="10"}': 1,
      'etcd_network_snapshot_receive_total_duration_seconds_count{From="11"}': 1,
    });
    expect(types.get('etcd_server_leader_changes_seen_total')).toBe('counter');
  });

  test('the event loop, until told to stop', async () => {
    const metrics = metricsOf();
    const count = async (): Promise<number> =>
      (await scrape(metrics)).values.get('stormraft_event_loop_delay_seconds_count') ?? -1;
    expect(await count()).toBe(0);
    const stop = metrics.watchEventLoop();
    while ((await count()) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    stop();
    const stopped = await count();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await count()).toBe(stopped);
  });
});

describe('calls', () => {
  const call = { method: '/etcdserverpb.KV/Range', type: 'unary' } as const;
  const range = 'grpc_method="Range",grpc_service="etcdserverpb.KV",grpc_type="unary"';

  test('by method, status and version of the client', async () => {
    const metrics = metricsOf();
    const { calls } = metrics;
    for (const code of [0, 0, 1, 14]) {
      calls.started({ ...call, clientApiVersion: '3.5' });
      calls.transferred(10, 3);
      const startedNs = performance.now() * 1e6;
      calls.handled({ ...call, code, sentBytes: 10, receivedBytes: 3, startedNs });
    }
    const watch = { method: '/etcdserverpb.Watch/Watch', type: 'bidi_stream' } as const;
    calls.started({ ...watch, clientApiVersion: 'unknown' });
    const found = await scrape(metrics);
    expect(samples(found, 'grpc_server_started_total')).toEqual({
      [`{${range}}`]: 4,
      '{grpc_method="Watch",grpc_service="etcdserverpb.Watch",grpc_type="bidi_stream"}': 1,
    });
    expect(samples(found, 'grpc_server_handled_total')).toEqual({
      [`{grpc_code="OK",${range}}`]: 2,
      [`{grpc_code="Canceled",${range}}`]: 1,
      [`{grpc_code="Unavailable",${range}}`]: 1,
    });
    expect(samples(found, 'etcd_server_client_requests_total')).toEqual({
      '{client_api_version="3.5",type="unary"}': 4,
      '{client_api_version="unknown",type="stream"}': 1,
    });
    expect(found.values.get('etcd_network_client_grpc_sent_bytes_total')).toBe(40);
    expect(found.values.get('etcd_network_client_grpc_received_bytes_total')).toBe(12);
    expect(found.types.has('grpc_server_handling_seconds')).toBe(false);
  });

  test('how long they take, at level extensive', async () => {
    const metrics = metricsOf(BASIC, 'extensive');
    metrics.calls.started({ ...call, clientApiVersion: 'unknown' });
    const startedNs = (performance.now() - 3_000) * 1e6;
    metrics.calls.handled({ ...call, code: 0, sentBytes: 0, receivedBytes: 0, startedNs });
    const buckets = samples(await scrape(metrics), 'grpc_server_handling_seconds_bucket');
    expect(buckets).toMatchObject({
      [`{${range},le="2.5"}`]: 0,
      [`{${range},le="+Inf"}`]: 1,
    });
  });

  test('versions that clients make up do not fill the memory', async () => {
    const metrics = metricsOf();
    for (let n = 0; n < 1_000; n += 1) {
      metrics.calls.started({ ...call, clientApiVersion: `v${n}"\n` });
    }
    const text = await metrics.text();
    const rows = text.split('\n').filter((line) => line.startsWith('etcd_server_client_requests'));
    expect(rows).toHaveLength(33);
    expect(rows).toContain(
      'etcd_server_client_requests_total{client_api_version="other",type="unary"} 968',
    );
  });
});
