import { join } from 'node:path';
import { Registry } from 'prom-client';
import { DEFAULT_API_LIMITS } from '../api/limits.ts';
import { createMetrics } from '../api/metrics.ts';
import type { Services } from '../api/services.ts';
import { type ApiServer, startApi } from '../api/start-api.ts';
import { type DirectoryLock, lockDirectory } from '../host/directory-lock.ts';
import { NodeDisk } from '../host/node-disk.ts';
import { RealClock } from '../host/real-clock.ts';
import { SystemRandom } from '../host/system-random.ts';
import { formatId } from '../lib/ids.ts';
import type { MemberConfig } from '../member/config.ts';
import { DEFAULT_LIMITS } from '../member/limits.ts';
import { Member } from '../member/member.ts';
import { type RecoveredMember, recover } from '../member/recover.ts';
import { StartedMember } from '../member/started-member.ts';
import { Storage } from '../member/storage.ts';
import { timingOf } from '../member/timing.ts';
import type { Clock } from '../ports/clock.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { Log } from '../ports/log.ts';
import { RAFT_DEFAULTS } from '../raft/config.ts';
import { ClusterService } from '../service/cluster.ts';
import { HealthService } from '../service/health.ts';
import { KvService } from '../service/kv.ts';
import { MaintenanceService } from '../service/maintenance.ts';
import { checkpointSink, checkpointSource, removeReceived } from '../snap/snapshot-files.ts';
import { TcpNetwork } from '../transport/tcp-network.ts';
import { SEGMENT_BYTES_MAX } from '../wal/wal.ts';
import { StartError } from './exit-code.ts';
import { observerOf } from './observer.ts';
import { checkPorts } from './ports-free.ts';
import type { Settings } from './settings.ts';

/** Puts a member together over the real ports: disk, network, clock. */

export interface RunningServer {
  /** Hands leadership over, answers who still waits, closes everything. */
  stop(): Promise<void>;
}

/** Throws {@link StartError}; nothing in the data directory is changed before the ports are had. */
export async function startServer(
  settings: Settings,
  log: Log,
  onFatal: (what: string, cause: unknown) => void,
): Promise<RunningServer> {
  const [clock, disk, random] = [new RealClock(), new NodeDisk(), new SystemRandom()];
  const snapDirectory = join(settings.dataDir, 'member', 'snap');
  const config = memberConfig(settings);
  const network = openNetwork(settings, { config, clock, log, disk, snapDirectory });
  await bindPeers(network, settings);
  await checkPorts(settings.listenClient);
  const lock = await lockOrRefuse(settings, disk, log);
  const metrics = createMetrics({
    registry: new Registry(),
    // Asked when scraped, and nobody can scrape before the member is there.
    source: { status: () => member.status(), pendingProposals: () => member.pendingCount() },
  });
  const { recovered, wal, notes } = await recoverOrRefuse(settings, {
    disk,
    clock,
    snapDirectory,
    onSync: metrics.observeFsync,
  });
  // Only now: whoever is refused gets one line that says why, and nothing else.
  log.info('starting', describe(settings));
  for (const note of notes) log.warn(note);
  await removeReceived(disk, snapDirectory);
  const storage = new Storage({ disk, clock, snapDirectory, wal });
  const observer = observerOf(log, metrics);
  const ports = { clock, network, storage, log, observer, onFatal, random };
  const member = new StartedMember(new Member(config, recovered, random), config, ports);
  member.start();
  const api = await openApi(settings, { services: servicesOf(member), metrics, log });
  log.info('ready to serve client requests', { urls: settings.listenClient.map(({ url }) => url) });
  return {
    // In this order: a request refused because its connection closes must not have been
    // proposed, and clients count on that.
    stop: async () => {
      await member.stop();
      await api.close();
      await network.close();
      await storage.close();
      await lock?.release();
    },
  };
}

interface NetworkParts {
  readonly config: MemberConfig;
  readonly clock: Clock;
  readonly log: Log;
  readonly disk: Disk;
  readonly snapDirectory: string;
}

function openNetwork(settings: Settings, parts: NetworkParts): TcpNetwork {
  const { config, clock, log, disk, snapDirectory } = parts;
  return new TcpNetwork({
    self: config.memberId,
    clusterId: config.clusterId,
    peers: peersOf(settings),
    clock,
    log,
    source: checkpointSource(disk, snapDirectory),
    sink: checkpointSink(disk, snapDirectory),
    timeoutMs: Math.max(3 * settings.heartbeatMs, 300),
    redialMs: Math.max(settings.heartbeatMs / 4, 10),
  });
}

async function lockOrRefuse(
  settings: Settings,
  disk: Disk,
  log: Log,
): Promise<DirectoryLock | undefined> {
  const { dataDir } = settings;
  try {
    await disk.makeDirectory(dataDir);
  } catch (error) {
    throw unusable(error);
  }
  const lock = await lockDirectory(dataDir);
  if (lock === 'taken') {
    throw new StartError(
      'dataDir',
      `data-dir: another process uses ${dataDir}; stop it or choose another directory`,
    );
  }
  if (lock !== 'unsupported') return lock;
  log.warn('this system cannot lock the data directory; start one member on it only', { dataDir });
  return undefined;
}

function memberConfig(settings: Settings): MemberConfig {
  return {
    memberId: settings.self.id,
    clusterId: settings.clusterId,
    name: settings.name,
    clientUrls: settings.advertiseClientUrls,
    timing: timingOf(settings.heartbeatMs, settings.electionMs),
    limits: DEFAULT_LIMITS,
    raft: RAFT_DEFAULTS,
    snapshotCount: settings.snapshotCount,
    catchupEntries: Math.min(CATCHUP_ENTRIES, settings.snapshotCount),
  };
}

/** etcd's --snapshot-catchup-entries. */
const CATCHUP_ENTRIES = 5_000;

function peersOf(settings: Settings): Map<bigint, { host: string; port: number }> {
  return new Map(
    settings.initialMembers.map(({ id, peerUrls }) => {
      const url = new URL(peerUrls[0]!);
      return [id, { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || 80) }];
    }),
  );
}

async function bindPeers(network: TcpNetwork, settings: Settings): Promise<void> {
  for (const address of settings.listenPeer) {
    try {
      await network.bind(address);
    } catch (error) {
      const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new StartError(
        'port',
        `listen-peer-urls: cannot listen on ${address.url} (${reason}); free the port or choose another`,
        error,
      );
    }
  }
}

async function recoverOrRefuse(
  settings: Settings,
  ports: Pick<Parameters<typeof recover>[0], 'disk' | 'clock' | 'snapDirectory' | 'onSync'>,
): Promise<RecoveredMember> {
  try {
    const recovered = await recover({
      ...ports,
      walDirectory: join(settings.dataDir, 'member', 'wal'),
      segmentBytesMax: SEGMENT_BYTES_MAX,
      memberId: settings.self.id,
      clusterId: settings.clusterId,
      mayBootstrap: settings.initialClusterState === 'new',
      initialMembers: settings.initialMembers.map((member) => ({
        ...member,
        clientUrls: [],
        isLearner: false,
      })),
    });
    if (recovered.ok) return recovered.value;
    throw new StartError('dataDir', recovered.error);
  } catch (error) {
    throw unusable(error);
  }
}

function unusable(error: unknown): unknown {
  if (!(error instanceof DiskError)) return error;
  return new StartError(
    'dataDir',
    `data-dir: ${error.path} cannot be used (${error.code}); check that it exists and is writable`,
    error,
  );
}

function servicesOf(member: StartedMember): Services {
  return {
    kv: new KvService(member),
    maintenance: new MaintenanceService(member),
    cluster: new ClusterService(member),
    health: new HealthService(member),
  };
}

async function openApi(
  settings: Settings,
  parts: Pick<Parameters<typeof startApi>[0], 'services' | 'metrics' | 'log'>,
): Promise<ApiServer> {
  try {
    return await startApi({ ...parts, listen: settings.listenClient, limits: DEFAULT_API_LIMITS });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError('port', `listen-client-urls: ${reason}`, error);
  }
}

function describe(settings: Settings): Record<string, string | number> {
  return {
    name: settings.name,
    memberId: formatId(settings.self.id),
    clusterId: formatId(settings.clusterId),
    dataDir: settings.dataDir,
    initialCluster: settings.initialMembers
      .map(({ name, peerUrls }) => `${name}=${peerUrls}`)
      .join(),
    listenPeerUrls: settings.listenPeer.map(({ url }) => url).join(),
    listenClientUrls: settings.listenClient.map(({ url }) => url).join(),
    heartbeatMs: settings.heartbeatMs,
    electionMs: settings.electionMs,
    snapshotCount: settings.snapshotCount,
  };
}
