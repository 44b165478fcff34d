import type { FlagValues } from './flags.ts';
import { parseGoDuration } from './go-duration.ts';
import {
  choiceOf,
  countOf,
  durationMsOf,
  integerOf,
  listOf,
  positiveOf,
  switchOf,
  textOf,
} from './read-setting.ts';
import { SettingsError } from './settings-error.ts';

/** Groups of settings that need no look at each other. Times are milliseconds. */

export type AutoCompaction =
  | { readonly type: 'off' }
  /** Keeps what happened in the last `retentionMs`. */
  | { readonly type: 'periodic'; readonly retentionMs: number }
  /** Keeps the last `revisions`. */
  | { readonly type: 'revision'; readonly revisions: number };

export interface CompactionSettings {
  readonly auto: AutoCompaction;
  /** Rows that one batch looks at. */
  readonly batchLimit: number;
  /** Between two batches; 0: no pause. */
  readonly sleepMs: number;
}

export function compactionOf(values: FlagValues): CompactionSettings {
  return {
    auto: autoCompactionOf(values),
    batchLimit: positiveOf(values, 'compaction-batch-limit'),
    sleepMs: durationMsOf(values, 'compaction-sleep-interval'),
  };
}

const MS_PER_HOUR = 3_600_000;

function autoCompactionOf(values: FlagValues): AutoCompaction {
  const mode = choiceOf(values, 'auto-compaction-mode', ['periodic', 'revision']);
  const field = 'auto-compaction-retention';
  const text = textOf(values, field) || '0';
  const quoted = JSON.stringify(text);
  const number = /^\d+$/.test(text) ? Number(text) : undefined;
  if (mode === 'revision') {
    if (number === undefined || !Number.isSafeInteger(number)) {
      throw new SettingsError(field, `${quoted} is not a number of revisions`);
    }
    return number === 0 ? { type: 'off' } : { type: 'revision', revisions: number };
  }
  const retentionMs = number === undefined ? parseGoDuration(text) : number * MS_PER_HOUR;
  if (retentionMs === undefined || retentionMs < 0) {
    throw new SettingsError(field, `${quoted} is neither hours nor a duration; write 1, 30m or 8h`);
  }
  return retentionMs === 0 ? { type: 'off' } : { type: 'periodic', retentionMs };
}

/** etcd's quota where none is given. */
const QUOTA_BYTES = 2 * 1024 * 1024 * 1024;

/** Bytes of the store that raise the alarm; undefined: no quota. */
export function quotaBytesOf(values: FlagValues): number | undefined {
  const given = integerOf(values, 'quota-backend-bytes');
  if (given < 0) return undefined;
  return given === 0 ? QUOTA_BYTES : given;
}

export interface LimitSettings {
  readonly txnOpsMax: number;
  readonly requestBytesMax: number;
  readonly concurrentStreamsMax: number;
}

const STREAMS_MAX = 2 ** 32 - 1;
/** etcd warns above 10 MiB; a frame of a log this large is refused when it is read. */
const REQUEST_BYTES_MAX = 512 * 1024 * 1024;

export function limitsOf(values: FlagValues): LimitSettings {
  const requestBytesMax = positiveOf(values, 'max-request-bytes');
  if (requestBytesMax > REQUEST_BYTES_MAX) {
    throw new SettingsError('max-request-bytes', `is too large; at most ${REQUEST_BYTES_MAX}`);
  }
  const concurrentStreamsMax = positiveOf(values, 'max-concurrent-streams');
  if (concurrentStreamsMax > STREAMS_MAX) {
    throw new SettingsError('max-concurrent-streams', `is too large; at most ${STREAMS_MAX}`);
  }
  return {
    txnOpsMax: positiveOf(values, 'max-txn-ops'),
    requestBytesMax,
    concurrentStreamsMax,
  };
}

export interface GrpcSettings {
  /** 0: clients may ping as they like. */
  readonly keepAliveMinMs: number;
  /** 0: the server pings nobody. */
  readonly keepAliveIntervalMs: number;
  readonly keepAliveTimeoutMs: number;
}

/** gRPC's Go server pings no more often. */
const PING_INTERVAL_MS_MIN = 1_000;

export function grpcOf(values: FlagValues): GrpcSettings {
  const intervalMs = durationMsOf(values, 'grpc-keepalive-interval');
  return {
    keepAliveMinMs: durationMsOf(values, 'grpc-keepalive-min-time'),
    keepAliveIntervalMs: intervalMs === 0 ? 0 : Math.max(intervalMs, PING_INTERVAL_MS_MIN),
    keepAliveTimeoutMs: durationMsOf(values, 'grpc-keepalive-timeout'),
  };
}

export interface HttpSettings {
  /** Origins; `*` is any. */
  readonly cors: readonly string[];
  /** Host names; `*` is any. */
  readonly hostWhitelist: readonly string[];
  readonly gateway: boolean;
  readonly pprof: boolean;
}

export function httpOf(values: FlagValues): HttpSettings {
  const anyIfEmpty = (names: readonly string[]): readonly string[] =>
    names.length === 0 ? ['*'] : names;
  return {
    cors: anyIfEmpty(listOf(values, 'cors')),
    hostWhitelist: anyIfEmpty(listOf(values, 'host-whitelist')),
    gateway: switchOf(values, 'enable-grpc-gateway'),
    pprof: switchOf(values, 'enable-pprof'),
  };
}

export interface CorruptionSettings {
  /** Before the member serves anybody. */
  readonly initialCheck: boolean;
  /** 0: never. */
  readonly checkMs: number;
  readonly compactHashCheck: boolean;
  readonly compactHashCheckMs: number;
}

export function corruptionOf(
  values: FlagValues,
  gates: { readonly InitialCorruptCheck: boolean; readonly CompactHashCheck: boolean },
): CorruptionSettings {
  const compactHashCheckMs = durationMsOf(values, 'compact-hash-check-time');
  if (compactHashCheckMs === 0) {
    throw new SettingsError('compact-hash-check-time', 'must be more than 0; 1m is usual');
  }
  return {
    initialCheck: gates.InitialCorruptCheck,
    checkMs: durationMsOf(values, 'corrupt-check-time'),
    compactHashCheck: gates.CompactHashCheck,
    compactHashCheckMs,
  };
}

export interface WarningSettings {
  readonly applyMs: number;
  readonly unaryRequestMs: number;
}

const UNARY_REQUEST_MS = 300;

export function warningsOf(values: FlagValues): WarningSettings {
  return {
    applyMs: durationMsOf(values, 'warning-apply-duration'),
    // As etcd: 0 stands for the default.
    unaryRequestMs: durationMsOf(values, 'warning-unary-request-duration') || UNARY_REQUEST_MS,
  };
}

export interface RetentionSettings {
  /** Log segments to keep; 0: all. */
  readonly walsMax: number;
  /** Without effect: there is one checkpoint. */
  readonly snapshotsMax: number;
}

export function retentionOf(values: FlagValues): RetentionSettings {
  return { walsMax: countOf(values, 'max-wals'), snapshotsMax: countOf(values, 'max-snapshots') };
}
