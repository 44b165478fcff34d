import { clusterIdOf, memberIdOf } from '../host/member-ids.ts';
import { LOG_LEVELS, type LogLevel } from '../host/pino-log.ts';
import type { ClusterId, MemberId } from '../lib/ids.ts';
import type { FlagValues } from './flags.ts';
import { SettingsError } from './settings-error.ts';
import { type ListenAddress, parseInitialCluster, parseUrls } from './urls.ts';

/** Everything the server is told, checked as a whole before anything is opened. */
export interface Settings {
  readonly name: string;
  readonly dataDir: string;
  readonly listenPeer: readonly ListenAddress[];
  readonly listenClient: readonly ListenAddress[];
  readonly advertiseClientUrls: readonly string[];
  readonly initialMembers: readonly InitialMember[];
  readonly self: InitialMember;
  readonly clusterId: ClusterId;
  readonly initialClusterState: 'new' | 'existing';
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** Log entries between two checkpoints. */
  readonly snapshotCount: number;
  readonly logLevel: LogLevel;
}

export interface InitialMember {
  readonly id: MemberId;
  readonly name: string;
  readonly peerUrls: readonly string[];
}

const DEFAULT_PEER_URL = 'http://localhost:2380';
const DEFAULT_CLIENT_URL = 'http://localhost:2379';
const ELECTION_MS_MAX = 50_000;

/** Throws {@link SettingsError} for the first setting that is wrong. */
export function settingsOf(values: FlagValues): Settings {
  const name = values.name ?? 'default';
  if (name === '') throw new SettingsError('name', 'is empty; give the member a name');
  const token = values['initial-cluster-token'] ?? 'etcd-cluster';
  const ownPeerUrls = parseUrls(
    'initial-advertise-peer-urls',
    values['initial-advertise-peer-urls'] ?? DEFAULT_PEER_URL,
  ).map(({ url }) => url);
  const initialMembers = initialMembersOf(values, { name, token, ownPeerUrls });
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
  return {
    name,
    dataDir: values['data-dir'] ?? `${name}.etcd`,
    listenPeer: parseUrls('listen-peer-urls', values['listen-peer-urls'] ?? DEFAULT_PEER_URL),
    ...clientUrlsOf(values),
    initialMembers,
    self,
    clusterId: clusterIdOf(initialMembers.map(({ id }) => id)),
    initialClusterState: choice(values, 'initial-cluster-state', ['new', 'existing'], 'new'),
    ...timingOf(values),
    snapshotCount: positive(values, 'snapshot-count', 10_000),
    logLevel: choice(values, 'log-level', LOG_LEVELS, 'info'),
  };
}

function clientUrlsOf(values: FlagValues): Pick<Settings, 'listenClient' | 'advertiseClientUrls'> {
  const listen = values['listen-client-urls'];
  const advertise = values['advertise-client-urls'];
  if (listen !== undefined && advertise === undefined) {
    throw new SettingsError(
      'advertise-client-urls',
      'is required with listen-client-urls; say how clients reach this member',
    );
  }
  return {
    listenClient: parseUrls('listen-client-urls', listen ?? DEFAULT_CLIENT_URL),
    advertiseClientUrls: parseUrls('advertise-client-urls', advertise ?? DEFAULT_CLIENT_URL).map(
      ({ url }) => url,
    ),
  };
}

function initialMembersOf(
  values: FlagValues,
  own: { readonly name: string; readonly token: string; readonly ownPeerUrls: readonly string[] },
): readonly InitialMember[] {
  const text =
    values['initial-cluster'] ?? own.ownPeerUrls.map((url) => `${own.name}=${url}`).join();
  return [...parseInitialCluster(text)].map(([name, peerUrls]) => ({
    id: memberIdOf(peerUrls, own.token),
    name,
    peerUrls,
  }));
}

function timingOf(values: FlagValues): Pick<Settings, 'heartbeatMs' | 'electionMs'> {
  const heartbeatMs = positive(values, 'heartbeat-interval', 100);
  const electionMs = positive(values, 'election-timeout', 1_000);
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

function positive(values: FlagValues, field: keyof FlagValues, fallback: number): number {
  const text = values[field];
  if (text === undefined) return fallback;
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw new SettingsError(field, `${JSON.stringify(text)} is not a positive whole number`);
  }
  return value;
}

function choice<Value extends string>(
  values: FlagValues,
  field: keyof FlagValues,
  allowed: readonly Value[],
  fallback: Value,
): Value {
  const text = values[field];
  if (text === undefined) return fallback;
  const found = allowed.find((value) => value === text);
  if (found === undefined) {
    throw new SettingsError(field, `${JSON.stringify(text)} is not one of ${allowed.join(', ')}`);
  }
  return found;
}
