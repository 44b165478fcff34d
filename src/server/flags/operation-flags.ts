import type { FlagSpec } from './flag-spec.ts';

/** Log, metrics, checks, and where settings come from. */

export type OperationFlag =
  | 'config-file'
  | 'log-level'
  | 'log-outputs'
  | 'log-format'
  | 'logger'
  | 'metrics'
  | 'enable-pprof'
  | 'enable-grpc-gateway'
  | 'enable-v2'
  | 'watch-progress-notify-interval'
  | 'corrupt-check-time'
  | 'compact-hash-check-time'
  | 'downgrade-check-time'
  | 'warning-apply-duration'
  | 'warning-unary-request-duration'
  | 'feature-gates'
  | 'version'
  | 'help';

export const OPERATION_FLAGS: Readonly<Record<OperationFlag, FlagSpec>> = {
  'config-file': {
    argument: 'PATH',
    fallback: '',
    help: 'YAML file with all settings; flags and environment are then ignored',
  },
  'log-level': {
    argument: 'LEVEL',
    fallback: 'info',
    help: 'debug, info, warn, error, panic or fatal',
  },
  'log-outputs': {
    argument: 'WHERE',
    fallback: 'default',
    help: 'stderr, stdout or paths of files; default is stderr',
  },
  'log-format': { argument: 'json|console', fallback: 'json', help: 'how log lines look' },
  logger: {
    argument: 'zap',
    fallback: 'zap',
    help: 'only for the sake of etcd, which has no other either',
  },
  metrics: {
    argument: 'basic|extensive',
    fallback: 'basic',
    help: 'extensive: with histograms of all calls',
  },
  'enable-pprof': {
    argument: undefined,
    fallback: 'false',
    help: 'without effect: profiles of Go are not served',
  },
  'enable-grpc-gateway': { argument: undefined, fallback: 'true', help: 'serve JSON under /v3/' },
  'enable-v2': {
    argument: undefined,
    fallback: 'false',
    help: 'accepted for the sake of old scripts; API 2 is not served',
  },
  'watch-progress-notify-interval': {
    argument: 'TIME',
    fallback: '10m',
    help: 'time between two progress notices of a quiet watch',
  },
  'corrupt-check-time': {
    argument: 'TIME',
    fallback: '0s',
    help: 'time between two comparisons of the data of all members; 0: never',
  },
  'compact-hash-check-time': {
    argument: 'TIME',
    fallback: '1m',
    help: 'time between two comparisons of hashes at compactions',
  },
  'downgrade-check-time': {
    argument: 'TIME',
    fallback: '5s',
    help: 'without effect: members write the same during a downgrade',
  },
  'warning-apply-duration': {
    argument: 'TIME',
    fallback: '100ms',
    help: 'applying a request longer than this is logged',
  },
  'warning-unary-request-duration': {
    argument: 'TIME',
    fallback: '300ms',
    help: 'a request that takes longer than this is logged',
  },
  'feature-gates': { argument: 'NAME=BOOL,…', fallback: '', help: 'features to switch on or off' },
  version: { argument: undefined, fallback: '', help: 'print the version and exit' },
  help: { argument: undefined, fallback: '', help: 'print this text and exit' },
};
