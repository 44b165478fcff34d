import type { FlagSpec } from './flag-spec.ts';

/** What one client, one request and the whole store may take. */

export type LimitFlag =
  | 'quota-backend-bytes'
  | 'max-txn-ops'
  | 'max-request-bytes'
  | 'max-concurrent-streams'
  | 'grpc-keepalive-min-time'
  | 'grpc-keepalive-interval'
  | 'grpc-keepalive-timeout'
  | 'auto-compaction-mode'
  | 'auto-compaction-retention'
  | 'compaction-batch-limit'
  | 'compaction-sleep-interval';

export const LIMIT_FLAGS: Readonly<Record<LimitFlag, FlagSpec>> = {
  'quota-backend-bytes': {
    argument: 'BYTES',
    fallback: '0',
    help: 'size of the store that raises the alarm NOSPACE; 0: 2 GiB, negative: none',
  },
  'max-txn-ops': { argument: 'COUNT', fallback: '128', help: 'operations in a transaction' },
  'max-request-bytes': { argument: 'BYTES', fallback: '1572864', help: 'size of a request' },
  'max-concurrent-streams': {
    argument: 'COUNT',
    fallback: '4294967295',
    help: 'requests in flight on one connection',
  },
  'grpc-keepalive-min-time': {
    argument: 'TIME',
    fallback: '5s',
    help: 'shortest time between two pings of a client; 0 means no limit',
  },
  'grpc-keepalive-interval': {
    argument: 'TIME',
    fallback: '2h',
    help: 'time between two pings of the server; 0: none',
  },
  'grpc-keepalive-timeout': {
    argument: 'TIME',
    fallback: '20s',
    help: 'time to answer a ping of the server; 0: none is sent',
  },
  'auto-compaction-mode': {
    argument: 'periodic|revision',
    fallback: 'periodic',
    help: 'what auto-compaction-retention counts',
  },
  'auto-compaction-retention': {
    argument: 'TIME|COUNT',
    fallback: '0',
    help: 'history to keep: hours, a time, or revisions; 0: all',
  },
  'compaction-batch-limit': {
    argument: 'COUNT',
    fallback: '1000',
    help: 'revisions that compaction looks at in one batch',
  },
  'compaction-sleep-interval': {
    argument: 'TIME',
    fallback: '10ms',
    help: 'pause between two batches of compaction; 0: none',
  },
};
