import type { FlagSpec } from './flag-spec.ts';

/** What the member is, where it listens and how it keeps time. */

export type MemberFlag =
  | 'name'
  | 'data-dir'
  | 'wal-dir'
  | 'listen-peer-urls'
  | 'listen-client-urls'
  | 'listen-client-http-urls'
  | 'listen-metrics-urls'
  | 'heartbeat-interval'
  | 'election-timeout'
  | 'initial-election-tick-advance'
  | 'pre-vote'
  | 'raft-read-timeout'
  | 'raft-write-timeout'
  | 'snapshot-count'
  | 'snapshot-catchup-entries'
  | 'max-wals'
  | 'max-snapshots'
  | 'unsafe-no-fsync'
  | 'socket-reuse-port'
  | 'socket-reuse-address';

export const MEMBER_FLAGS: Readonly<Record<MemberFlag, FlagSpec>> = {
  name: { argument: 'NAME', fallback: 'default', help: 'human-readable name of this member' },
  'data-dir': {
    argument: 'PATH',
    fallback: '',
    help: 'where the member keeps its data; NAME.etcd unless given',
  },
  'wal-dir': {
    argument: 'PATH',
    fallback: '',
    help: 'where the log goes, if not into the data directory',
  },
  'listen-peer-urls': {
    argument: 'URLS',
    fallback: 'http://localhost:2380',
    help: 'where peers connect',
  },
  'listen-client-urls': {
    argument: 'URLS',
    fallback: 'http://localhost:2379',
    help: 'where clients connect',
  },
  'listen-client-http-urls': {
    argument: 'URLS',
    fallback: '',
    help: 'where HTTP clients connect, if not with gRPC clients',
  },
  'listen-metrics-urls': {
    argument: 'URLS',
    fallback: '',
    help: 'where else /metrics and health checks are served',
  },
  'heartbeat-interval': { argument: 'MS', fallback: '100', help: 'time between heartbeats' },
  'election-timeout': {
    argument: 'MS',
    fallback: '1000',
    help: 'silence of the leader before an election, at least 5 heartbeats',
  },
  'initial-election-tick-advance': {
    argument: undefined,
    fallback: 'true',
    help: 'let the first election of a start come early',
  },
  'pre-vote': {
    argument: undefined,
    fallback: 'true',
    help: 'ask whether an election can be won before disturbing others',
  },
  'raft-read-timeout': {
    argument: 'TIME',
    fallback: '5s',
    help: 'silence of a peer that dials or sends a snapshot before its connection is closed',
  },
  'raft-write-timeout': {
    argument: 'TIME',
    fallback: '5s',
    help: 'time in which a peer takes nothing before its connection is closed',
  },
  'snapshot-count': {
    argument: 'ENTRIES',
    fallback: '10000',
    help: 'log entries between two checkpoints',
  },
  'snapshot-catchup-entries': {
    argument: 'ENTRIES',
    fallback: '5000',
    help: 'log entries kept behind a checkpoint for slow followers',
  },
  'max-wals': {
    argument: 'FILES',
    fallback: '5',
    help: 'log segments to keep, needed or not; 0: all',
  },
  'max-snapshots': {
    argument: 'FILES',
    fallback: '5',
    help: 'without effect: there is one checkpoint',
  },
  'unsafe-no-fsync': {
    argument: undefined,
    fallback: 'false',
    help: 'do not wait for the disk: loses data in a crash',
  },
  'socket-reuse-port': {
    argument: undefined,
    fallback: 'false',
    help: 'let several processes listen on one port',
  },
  'socket-reuse-address': {
    argument: undefined,
    fallback: 'false',
    help: 'listen on an address that is still in TIME_WAIT; always so',
  },
};
