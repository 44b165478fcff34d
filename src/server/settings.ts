import { clusterIdOf, memberIdOf } from '../host/member-ids.ts';
import { LOG_LEVELS, type LogLevel } from '../host/pino-log.ts';
import type { ClusterId, MemberId } from '../lib/ids.ts';
import { type AuthSettings, authOf } from './auth-settings.ts';
import { type FeatureGates, featureGatesOf } from './feature-gates.ts';
import { FLAGS, type FlagName, type FlagValues } from './flags.ts';
import {
  type CompactionSettings,
  type CorruptionSettings,
  compactionOf,
  corruptionOf,
  type GrpcSettings,
  grpcOf,
  type HttpSettings,
  httpOf,
  type LimitSettings,
  limitsOf,
  quotaBytesOf,
  type RetentionSettings,
  retentionOf,
  type WarningSettings,
  warningsOf,
} from './operation-settings.ts';
import {
  choiceOf,
  countOf,
  durationMsOf,
  listOf,
  pathOf,
  positiveOf,
  switchOf,
  textOf,
} from './read-setting.ts';
import { SettingsError } from './settings-error.ts';
import { type ServerTls, tlsOf } from './tls-settings.ts';
import { type ListenAddress, parseInitialCluster, parseUrls } from './urls.ts';

/** Everything the server is told, checked as a whole before anything is opened. */
export interface Settings {
  readonly name: string;
  readonly dataDir: string;
  /** Undefined: in the data directory. */
  readonly walDir: string | undefined;
  readonly listenPeer: readonly ListenAddress[];
  readonly listenClient: readonly ListenAddress[];
  /** Not empty: HTTP/1.1 is served here and no more on `listenClient`. */
  readonly listenClientHttp: readonly ListenAddress[];
  readonly listenMetrics: readonly ListenAddress[];
  readonly advertiseClientUrls: readonly string[];
  readonly initialMembers: readonly InitialMember[];
  readonly self: InitialMember;
  readonly clusterId: ClusterId;
  readonly initialClusterState: 'new' | 'existing';
  readonly initialClusterToken: string;
  readonly forceNewCluster: boolean;
  readonly strictReconfigCheck: boolean;
  readonly learnersMax: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** Log entries between two checkpoints. */
  readonly snapshotCount: number;
  readonly raft: RaftSettings;
  readonly retention: RetentionSettings;
  readonly unsafeNoFsync: boolean;
  readonly logLevel: LogLevel;
  readonly log: LogSettings;
  readonly tls: ServerTls;
  readonly auth: AuthSettings;
  readonly compaction: CompactionSettings;
  readonly quota: { readonly backendBytes: number | undefined };
  readonly corruption: CorruptionSettings;
  readonly limits: LimitSettings;
  readonly http: HttpSettings;
  readonly grpc: GrpcSettings;
  readonly watch: { readonly progressNotifyMs: number };
  readonly lease: { readonly checkpoint: boolean; readonly checkpointPersist: boolean };
  readonly warning: WarningSettings;
  readonly downgradeCheckMs: number;
  readonly metrics: 'basic' | 'extensive';
  readonly sockets: { readonly reusePort: boolean; readonly reuseAddress: boolean };
  readonly featureGates: FeatureGates;
}

export interface RaftSettings {
  readonly preVote: boolean;
  readonly initialElectionTickAdvance: boolean;
  /** Entries kept behind a checkpoint for slow followers. */
  readonly catchupEntries: number;
  readonly readTimeoutMs: number;
  readonly writeTimeoutMs: number;
}

export interface LogSettings {
  /** `stdout`, `stderr` or paths of files. */
  readonly outputs: readonly string[];
  readonly format: 'json' | 'console';
}

export interface InitialMember {
  readonly id: MemberId;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

const ELECTION_MS_MAX = 50_000;

/** Throws {@link SettingsError} for the first setting that is wrong. */
export function settingsOf(values: FlagValues): Settings {
  const name = textOf(values, 'name');
  if (name === '') throw new SettingsError('name', 'is empty; give the member a name');
  const dataDir = textOf(values, 'data-dir') || `${name}.etcd`;
  const membership = membershipOf(values, name);
  const listen = listenOf(values);
  const gates = featureGatesOf(values);
  return {
    name,
    dataDir,
    walDir: pathOf(values, 'wal-dir'),
    ...listen,
    ...membership,
    initialClusterState: choiceOf(values, 'initial-cluster-state', ['new', 'existing']),
    forceNewCluster: switchOf(values, 'force-new-cluster'),
    strictReconfigCheck: switchOf(values, 'strict-reconfig-check'),
    learnersMax: positiveOf(values, 'max-learners'),
    ...timingOf(values),
    snapshotCount: positiveOf(values, 'snapshot-count'),
    raft: raftOf(values),
    retention: retentionOf(values),
    unsafeNoFsync: switchOf(values, 'unsafe-no-fsync'),
    logLevel: choiceOf(values, 'log-level', LOG_LEVELS),
    log: logOf(values),
    tls: tlsOf(values, {
      dataDir,
      listenClient: [...listen.listenClient, ...listen.listenClientHttp, ...listen.listenMetrics],
      listenPeer: listen.listenPeer,
      peerUrls: membership.initialMembers.flatMap(({ peerUrls }) => peerUrls),
    }),
    auth: authOf(values),
    compaction: compactionOf(values),
    quota: { backendBytes: quotaBytesOf(values) },
    corruption: corruptionOf(values, gates),
    limits: limitsOf(values),
    http: httpOf(values),
    grpc: grpcOf(values),
    watch: { progressNotifyMs: durationMsOf(values, 'watch-progress-notify-interval') },
    lease: { checkpoint: gates.LeaseCheckpoint, checkpointPersist: gates.LeaseCheckpointPersist },
    warning: warningsOf(values),
    downgradeCheckMs: durationMsOf(values, 'downgrade-check-time'),
    metrics: choiceOf(values, 'metrics', ['basic', 'extensive']),
    sockets: {
      reusePort: switchOf(values, 'socket-reuse-port'),
      reuseAddress: switchOf(values, 'socket-reuse-address'),
    },
    featureGates: gates,
  };
}

type Membership = Pick<Settings, 'initialMembers' | 'self' | 'clusterId' | 'initialClusterToken'>;

function membershipOf(values: FlagValues, name: string): Membership {
  const initialClusterToken = textOf(values, 'initial-cluster-token');
  const ownPeerUrls = urlsOf(values, 'initial-advertise-peer-urls').map(({ url }) => url);
  const own = { name, token: initialClusterToken, ownPeerUrls };
  const initialMembers = initialMembersOf(values, own);
  const self = initialMembers.find((member) => member.name === name);
  if (self === undefined) {
    const known = initialMembers.map((member) => member.name).join(', ');
    throw new SettingsError(
      'initial-cluster',
      `does not contain this member's name ${JSON.stringify(name)} (it has ${known}); add ${name}=URL or change --name`,
    );
  }
  if ([...self.peerUrls].sort().join() !== [...ownPeerUrls].sort().join()) {
    throw new SettingsError(
      'initial-advertise-peer-urls',
      `is ${ownPeerUrls.join()} but initial-cluster says ${name}=${self.peerUrls.join()}; make them the same`,
    );
  }
  const clusterId = clusterIdOf(initialMembers.map(({ id }) => id));
  return { initialMembers, self, clusterId, initialClusterToken };
}

type Listen = Pick<
  Settings,
  'listenPeer' | 'listenClient' | 'listenClientHttp' | 'listenMetrics' | 'advertiseClientUrls'
>;

function listenOf(values: FlagValues): Listen {
  if (values['listen-client-urls'] !== undefined && !values['advertise-client-urls']) {
    throw new SettingsError(
      'advertise-client-urls',
      'is required with listen-client-urls; say how clients reach this member',
    );
  }
  const listenPeer = urlsOf(values, 'listen-peer-urls');
  for (const { host, port, secure } of listenPeer) {
    const other = listenPeer.find((each) => each.host === host && each.port === port);
    if (other?.secure !== secure) {
      throw new SettingsError(
        'listen-peer-urls',
        `has ${host}:${port} with TLS and without; keep one of them`,
      );
    }
  }
  return {
    listenPeer,
    listenClient: urlsOf(values, 'listen-client-urls'),
    listenClientHttp: urlsOf(values, 'listen-client-http-urls'),
    listenMetrics: urlsOf(values, 'listen-metrics-urls'),
    advertiseClientUrls: urlsOf(values, 'advertise-client-urls').map(({ url }) => url),
  };
}

/** None only where the fallback is none. */
function urlsOf(values: FlagValues, field: FlagName): readonly ListenAddress[] {
  const text = values[field] || FLAGS[field].fallback;
  return text === '' ? [] : parseUrls(field, text);
}

function initialMembersOf(
  values: FlagValues,
  own: { readonly name: string; readonly token: string; readonly ownPeerUrls: readonly string[] },
): readonly InitialMember[] {
  const text =
    textOf(values, 'initial-cluster') || own.ownPeerUrls.map((url) => `${own.name}=${url}`).join();
  return [...parseInitialCluster(text)].map(([name, peerUrls]) => ({
    id: memberIdOf(peerUrls, own.token),
    name,
    peerUrls,
  }));
}

function timingOf(values: FlagValues): Pick<Settings, 'heartbeatMs' | 'electionMs'> {
  const heartbeatMs = positiveOf(values, 'heartbeat-interval');
  const electionMs = positiveOf(values, 'election-timeout');
  if (electionMs < 5 * heartbeatMs) {
    throw new SettingsError(
      'election-timeout',
      `${electionMs} ms is below 5 × heartbeat-interval (${heartbeatMs} ms); set it to at least ${5 * heartbeatMs}`,
    );
  }
  if (electionMs > ELECTION_MS_MAX) {
    throw new SettingsError(
      'election-timeout',
      `${electionMs} ms is too long; set it to at most ${ELECTION_MS_MAX}`,
    );
  }
  return { heartbeatMs, electionMs };
}

/** etcd takes no less. */
const PEER_TIMEOUT_MS_MIN = 5_000;

function raftOf(values: FlagValues): RaftSettings {
  return {
    preVote: switchOf(values, 'pre-vote'),
    initialElectionTickAdvance: switchOf(values, 'initial-election-tick-advance'),
    catchupEntries: countOf(values, 'snapshot-catchup-entries'),
    readTimeoutMs: Math.max(durationMsOf(values, 'raft-read-timeout'), PEER_TIMEOUT_MS_MIN),
    writeTimeoutMs: Math.max(durationMsOf(values, 'raft-write-timeout'), PEER_TIMEOUT_MS_MIN),
  };
}

function logOf(values: FlagValues): LogSettings {
  choiceOf(values, 'logger', ['zap']);
  const outputs = listOf(values, 'log-outputs').map((output) =>
    // Under systemd the journal takes what is on standard error.
    output === 'default' || output === 'systemd/journal' ? 'stderr' : output,
  );
  if (outputs.length === 0) {
    throw new SettingsError('log-outputs', 'is empty; write stderr, stdout or the path of a file');
  }
  return {
    outputs: [...new Set(outputs)],
    format: choiceOf(values, 'log-format', ['json', 'console']),
  };
}
