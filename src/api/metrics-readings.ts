import { formatId } from '../lib/ids.ts';
import type { MemberStatus } from '../member/node.ts';
import { API_VERSION } from '../service/api-version.ts';
import type { Labels, Reading, Sample } from './metrics-registry.ts';
import type {
  LeaseCounts,
  MetricsSource,
  OperationCounts,
  PeerCounts,
  WatchCounts,
} from './metrics-source.ts';

/** Metrics of etcd's names that are read from the member at each scrape. */

export function readingsOf(source: MetricsSource): readonly Reading[] {
  const { operations, watches, leases, peers } = source;
  return [
    ...memberReadings(source),
    ...partReadings(source),
    ...stateReadings(source),
    ...(operations === undefined ? [] : operationReadings(() => operations.call(source))),
    ...(watches === undefined ? [] : watchReadings(() => watches.call(source))),
    ...(leases === undefined ? [] : leaseReadings(() => leases.call(source))),
    ...(peers === undefined ? [] : peerReadings(source, () => peers.call(source))),
  ];
}

function flag(value: boolean): number {
  return value ? 1 : 0;
}

/** What etcd tells by a label, of a sample that is always 1. */
function one(labels: Labels): readonly Sample[] {
  return [{ labels, value: 1 }];
}

function memberReadings(source: MetricsSource): Reading[] {
  const status = (): MemberStatus => source.status();
  return [
    {
      name: 'etcd_server_has_leader',
      help: '1 while this member knows a leader.',
      type: 'gauge',
      read: () => flag(status().leader !== undefined),
    },
    {
      name: 'etcd_server_is_leader',
      help: '1 while this member is the leader.',
      type: 'gauge',
      read: () => flag(status().leader === status().memberId),
    },
    {
      name: 'etcd_server_is_learner',
      help: '1 while this member is a learner.',
      type: 'gauge',
      read: () => flag(status().isLearner),
    },
    {
      name: 'etcd_server_id',
      help: '1, with the id of this member.',
      type: 'gauge',
      read: () => one({ server_id: formatId(status().memberId) }),
    },
    {
      name: 'etcd_server_version',
      help: '1, with the version of the API that this member speaks.',
      type: 'gauge',
      read: () => one({ server_version: API_VERSION }),
    },
    {
      name: 'etcd_server_proposals_committed_total',
      help: 'Index of the newest committed entry known here.',
      type: 'gauge',
      read: () => status().raftIndex,
    },
    {
      name: 'etcd_server_proposals_applied_total',
      help: 'Index of the newest entry applied here.',
      type: 'gauge',
      read: () => status().appliedIndex,
    },
    {
      name: 'etcd_server_proposals_pending',
      help: 'Proposals of this member that wait to be applied.',
      type: 'gauge',
      read: () => source.pendingProposals(),
    },
    {
      name: 'etcd_mvcc_db_total_size_in_bytes',
      help: 'Bytes a checkpoint of the store takes.',
      type: 'gauge',
      read: () => status().dbSizeBytes,
    },
    {
      name: 'etcd_mvcc_db_total_size_in_use_in_bytes',
      help: 'Bytes of a checkpoint that hold data.',
      type: 'gauge',
      read: () => status().dbSizeInUseBytes,
    },
    {
      name: 'etcd_debugging_mvcc_current_revision',
      help: 'Revision of the store.',
      type: 'gauge',
      read: () => status().revision,
    },
  ];
}

function partReadings(source: MetricsSource): Reading[] {
  const readings: Reading[] = [];
  if (source.quotaBytes !== undefined) {
    const quotaBytes = source.quotaBytes.bind(source);
    readings.push({
      name: 'etcd_server_quota_backend_bytes',
      help: 'Bytes the store may take.',
      type: 'gauge',
      read: () => quotaBytes(),
    });
  }
  if (source.compactRevision !== undefined) {
    const compactRevision = source.compactRevision.bind(source);
    readings.push({
      name: 'etcd_debugging_mvcc_compact_revision',
      help: 'Revision of the newest compaction.',
      type: 'gauge',
      read: () => compactRevision(),
    });
  }
  if (source.keys !== undefined) {
    const keys = source.keys.bind(source);
    readings.push({
      name: 'etcd_debugging_mvcc_keys_total',
      help: 'Keys in the store.',
      type: 'gauge',
      read: () => keys(),
    });
  }
  if (source.authRevision !== undefined) {
    const authRevision = source.authRevision.bind(source);
    readings.push({
      name: 'etcd_debugging_auth_revision',
      help: 'Revision of users and roles.',
      type: 'gauge',
      read: () => authRevision(),
    });
  }
  return readings;
}

function stateReadings(source: MetricsSource): Reading[] {
  const readings: Reading[] = [];
  if (source.clusterVersion !== undefined) {
    const clusterVersion = source.clusterVersion.bind(source);
    readings.push({
      name: 'etcd_cluster_version',
      help: '1, with the level all members agreed on.',
      type: 'gauge',
      read: () => {
        // etcd's label has no patch level.
        const level = clusterVersion().split('.').slice(0, 2).join('.');
        return level === '' ? [] : one({ cluster_version: level });
      },
    });
  }
  if (source.alarms !== undefined) {
    const alarms = source.alarms.bind(source);
    readings.push({
      name: 'etcd_debugging_server_alarms',
      help: '1 for each alarm that is on.',
      type: 'gauge',
      read: () =>
        alarms().flatMap(({ memberId, type }) =>
          one({ server_id: formatId(memberId), alarm_type: type }),
        ),
    });
  }
  if (source.walWrittenBytes !== undefined) {
    const walWrittenBytes = source.walWrittenBytes.bind(source);
    readings.push({
      name: 'etcd_disk_wal_write_bytes_total',
      help: 'Bytes written to the log.',
      type: 'gauge',
      read: () => walWrittenBytes(),
    });
  }
  if (source.isDefragmenting !== undefined) {
    const isDefragmenting = source.isDefragmenting.bind(source);
    readings.push({
      name: 'etcd_disk_defrag_inflight',
      help: '1 while the store is defragmented.',
      type: 'gauge',
      read: () => flag(isDefragmenting()),
    });
  }
  if (source.isInstallingSnapshot !== undefined) {
    const isInstallingSnapshot = source.isInstallingSnapshot.bind(source);
    readings.push({
      name: 'etcd_server_snapshot_apply_in_progress_total',
      help: "1 while a leader's snapshot is being installed.",
      type: 'gauge',
      read: () => flag(isInstallingSnapshot()),
    });
  }
  return readings;
}

function operationReadings(operations: () => OperationCounts): Reading[] {
  return [
    {
      name: 'etcd_mvcc_range_total',
      help: 'Ranges read here.',
      type: 'counter',
      read: () => operations().ranges,
    },
    {
      name: 'etcd_mvcc_put_total',
      help: 'Puts applied here.',
      type: 'counter',
      read: () => operations().puts,
    },
    {
      name: 'etcd_mvcc_delete_total',
      help: 'Deletes applied here.',
      type: 'counter',
      read: () => operations().deletes,
    },
    {
      name: 'etcd_mvcc_txn_total',
      help: 'Transactions of more than one operation run here.',
      type: 'counter',
      read: () => operations().txns,
    },
    {
      name: 'etcd_debugging_mvcc_total_put_size_in_bytes',
      help: 'Bytes of the keys and values put here.',
      type: 'gauge',
      read: () => operations().putBytes,
    },
  ];
}

function watchReadings(watches: () => WatchCounts): Reading[] {
  return [
    {
      name: 'etcd_debugging_mvcc_watch_stream_total',
      help: 'Watch streams open here.',
      type: 'gauge',
      read: () => watches().streams,
    },
    {
      name: 'etcd_debugging_mvcc_watcher_total',
      help: 'Watchers of those streams.',
      type: 'gauge',
      read: () => watches().watchers,
    },
    {
      name: 'etcd_debugging_mvcc_slow_watcher_total',
      help: 'Watchers that are behind the store.',
      type: 'gauge',
      read: () => watches().slowWatchers,
    },
    {
      name: 'etcd_debugging_mvcc_events_total',
      help: 'Events sent to watchers.',
      type: 'counter',
      read: () => watches().eventsSent,
    },
  ];
}

function leaseReadings(leases: () => LeaseCounts): Reading[] {
  return [
    {
      name: 'etcd_debugging_lease_granted_total',
      help: 'Leases granted.',
      type: 'counter',
      read: () => leases().granted,
    },
    {
      name: 'etcd_debugging_lease_revoked_total',
      help: 'Leases revoked, expired ones too.',
      type: 'counter',
      read: () => leases().revoked,
    },
  ];
}

function peerReadings(source: MetricsSource, peers: () => readonly PeerCounts[]): Reading[] {
  const pair = (id: bigint, value: number): Sample => ({
    labels: { Local: formatId(source.status().memberId), Remote: formatId(id) },
    value,
  });
  return [
    {
      name: 'etcd_network_known_peers',
      help: '1 for each other member.',
      type: 'gauge',
      read: () => peers().map(({ id }) => pair(id, 1)),
    },
    {
      name: 'etcd_network_active_peers',
      help: '1 for each member there is a connection to.',
      type: 'gauge',
      read: () => peers().map(({ id, connected }) => pair(id, flag(connected))),
    },
    {
      name: 'etcd_network_disconnected_peers_total',
      help: 'Connections to members that were lost.',
      type: 'counter',
      read: () => peers().map(({ id, disconnects }) => pair(id, disconnects)),
    },
    {
      name: 'etcd_network_peer_sent_bytes_total',
      help: 'Bytes sent to members.',
      type: 'counter',
      read: () =>
        peers().map(({ id, sentBytes }) => ({ labels: { To: formatId(id) }, value: sentBytes })),
    },
    {
      name: 'etcd_network_peer_received_bytes_total',
      help: 'Bytes received from members.',
      type: 'counter',
      read: () =>
        peers().map(({ id, receivedBytes }) => ({
          labels: { From: formatId(id) },
          value: receivedBytes,
        })),
    },
    {
      name: 'etcd_network_peer_sent_failures_total',
      help: 'Messages to members that could not be sent.',
      type: 'counter',
      read: () =>
        peers().map(({ id, sendFailures }) => ({
          labels: { To: formatId(id) },
          value: sendFailures,
        })),
    },
  ];
}
