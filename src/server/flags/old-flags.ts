import type { FlagName } from '../flags.ts';

/** Names that etcd once had: what they are called now, and which of them nobody needs to obey. */

/** `--experimental-X` and others that only changed their name. */
export const RENAMED_FLAGS: Readonly<Record<string, FlagName>> = {
  'experimental-compact-hash-check-time': 'compact-hash-check-time',
  'experimental-compaction-batch-limit': 'compaction-batch-limit',
  'experimental-compaction-sleep-interval': 'compaction-sleep-interval',
  'experimental-corrupt-check-time': 'corrupt-check-time',
  'experimental-downgrade-check-time': 'downgrade-check-time',
  'experimental-max-learners': 'max-learners',
  'experimental-peer-skip-client-san-verification': 'peer-skip-client-san-verification',
  'experimental-snapshot-catch-up-entries': 'snapshot-catchup-entries',
  'experimental-snapshot-catchup-entries': 'snapshot-catchup-entries',
  'experimental-warning-apply-duration': 'warning-apply-duration',
  'experimental-warning-unary-request-duration': 'warning-unary-request-duration',
  'experimental-watch-progress-notify-interval': 'watch-progress-notify-interval',
  'log-output': 'log-outputs',
};

/** Switches of etcd 3.4 and 3.5 that are feature gates now. */
export const FLAGS_OF_GATES: Readonly<Record<string, string>> = {
  'experimental-compact-hash-check-enabled': 'CompactHashCheck',
  'experimental-enable-lease-checkpoint': 'LeaseCheckpoint',
  'experimental-enable-lease-checkpoint-persist': 'LeaseCheckpointPersist',
  'experimental-initial-corrupt-check': 'InitialCorruptCheck',
  'experimental-stop-grpc-service-on-defrag': 'StopGRPCServiceOnDefrag',
  'experimental-txn-mode-write-with-shared-buffer': 'TxnModeWriteWithSharedBuffer',
};

/** Taken with a warning: they tune what this server does not have. */
export const IGNORED_FLAGS: Readonly<Record<string, 'switch' | 'value'>> = {
  'backend-batch-interval': 'value',
  'backend-batch-limit': 'value',
  'backend-bbolt-freelist-type': 'value',
  'bootstrap-defrag-threshold-megabytes': 'value',
  debug: 'switch',
  'discovery-fallback': 'value',
  'discovery-proxy': 'value',
  'distributed-tracing-address': 'value',
  'distributed-tracing-instance-id': 'value',
  'distributed-tracing-sampling-rate': 'value',
  'distributed-tracing-service-name': 'value',
  'enable-distributed-tracing': 'switch',
  'enable-log-rotation': 'switch',
  'experimental-backend-bbolt-freelist-type': 'value',
  'experimental-bootstrap-defrag-threshold-megabytes': 'value',
  'experimental-distributed-tracing-address': 'value',
  'experimental-distributed-tracing-instance-id': 'value',
  'experimental-distributed-tracing-sampling-rate': 'value',
  'experimental-distributed-tracing-service-name': 'value',
  'experimental-enable-distributed-tracing': 'switch',
  'experimental-enable-v2v3': 'value',
  'experimental-memory-mlock': 'switch',
  'log-package-levels': 'value',
  'log-rotation-config-json': 'value',
  'memory-mlock': 'switch',
  'proxy-dial-timeout': 'value',
  'proxy-failure-wait': 'value',
  'proxy-read-timeout': 'value',
  'proxy-refresh-interval': 'value',
  'proxy-write-timeout': 'value',
  'v2-deprecation': 'value',
};

export interface RefusedFlag {
  /** Values that ask for nothing. */
  readonly harmless: readonly string[];
  readonly problem: string;
}

const NO_DISCOVERY: RefusedFlag = {
  harmless: [''],
  problem: 'is not supported; name all members in initial-cluster',
};

/** To ignore them would start something other than what was asked for. */
export const REFUSED_FLAGS: Readonly<Record<string, RefusedFlag>> = {
  discovery: NO_DISCOVERY,
  'discovery-endpoints': NO_DISCOVERY,
  'discovery-srv': NO_DISCOVERY,
  'discovery-srv-name': NO_DISCOVERY,
  'discovery-token': NO_DISCOVERY,
  proxy: {
    harmless: ['', 'off'],
    problem: 'is not supported; point clients at the members, or use a TCP proxy',
  },
};
