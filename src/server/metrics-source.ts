import type { Metrics } from '../api/metrics.ts';
import type { MetricsSource } from '../api/metrics-source.ts';
import type { StartedMember } from '../member/started-member.ts';
import { Storage, type StorageOptions } from '../member/storage.ts';
import type { Clock } from '../ports/clock.ts';
import type { NetworkObserver } from '../transport/peer-counters.ts';
import type { TcpNetwork } from '../transport/tcp-network.ts';
import type { Wal } from '../wal/wal.ts';
import { timedDisk } from './timed-disk.ts';

/** The parts of a running server that know something a scrape asks for. */
export interface MeasuredParts {
  readonly member: StartedMember;
  readonly storage: Storage;
  readonly network: TcpNetwork;
  readonly wal: Wal;
  readonly defragments: DefragmentMeter;
  readonly quotaBytes: number | undefined;
}

/** What a scrape reads of a member. */
export function metricsSourceOf(running: () => MeasuredParts): MetricsSource {
  const member = (): StartedMember => running().member;
  return {
    status: () => member().status(),
    pendingProposals: () => member().pendingCount(),
    quotaBytes: () => running().quotaBytes ?? 0,
    compactRevision: () => member().store.compactRevision,
    keys: () => member().store.keyCount,
    authRevision: () => member().auth.revision,
    clusterVersion: () => member().clusterVersion,
    alarms: () => member().alarms(),
    operations: () => member().operationCounts(),
    watches: () => {
      const { streams, watchers, slowWatchers, events: eventsSent } = member().watches.stats();
      return { streams, watchers, slowWatchers, eventsSent };
    },
    leases: () => {
      const { leasesGranted: granted, leasesRevoked: revoked } = member().operationCounts();
      return { granted, revoked };
    },
    walWrittenBytes: () => running().wal.writtenBytes,
    isDefragmenting: () => running().defragments.isRunning,
    isInstallingSnapshot: () => running().storage.isInstalling,
    peers: () => running().network.peers(),
  };
}

/** The member's durable half, with the time told that checkpoints take. */
export function openStorage(options: StorageOptions, metrics: Metrics): Storage {
  return new Storage({
    ...options,
    disk: timedDisk(options.disk, options.clock, metrics.observeBackendCommit),
    onCheckpoint: metrics.observeCheckpoint,
  });
}

export function networkObserverOf(metrics: Metrics): NetworkObserver {
  return {
    onRoundTrip: metrics.observePeerRoundTrip,
    onSnapshotSent: metrics.observeSnapshotSent,
    onSnapshotReceived: metrics.observeSnapshotReceived,
  };
}

/** Times defragmentations; there may be several, of several clients. */
export class DefragmentMeter {
  readonly #clock: Pick<Clock, 'nowNs'>;
  readonly #onEnd: (latencyNs: number) => void;
  #running = 0;

  constructor(clock: Pick<Clock, 'nowNs'>, onEnd: (latencyNs: number) => void) {
    this.#clock = clock;
    this.#onEnd = onEnd;
  }

  get isRunning(): boolean {
    return this.#running > 0;
  }

  /** The result is called when it ends. */
  begin(): () => void {
    const startNs = this.#clock.nowNs();
    this.#running += 1;
    return () => {
      this.#running -= 1;
      this.#onEnd(this.#clock.nowNs() - startNs);
    };
  }
}
