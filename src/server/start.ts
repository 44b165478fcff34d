import { Registry } from 'prom-client';
import { DEFAULT_API_LIMITS } from '../api/limits.ts';
import { createMetrics, type Metrics } from '../api/metrics.ts';
import { pagesSourceOf } from '../api/pages/pages-source.ts';
import { ServingStatus } from '../api/serving-status.ts';
import { type ApiServer, startApi } from '../api/start-api.ts';
import { NodeDisk } from '../host/node-disk.ts';
import { RealClock } from '../host/real-clock.ts';
import { SystemRandom } from '../host/system-random.ts';
import { formatId } from '../lib/ids.ts';
import { Member } from '../member/member.ts';
import type { RecoveredMember } from '../member/recover.ts';
import { StartedMember } from '../member/started-member.ts';
import type { Clock } from '../ports/clock.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Log } from '../ports/log.ts';
import { type AllServices, createServices } from '../service/all-services.ts';
import { removeReceived } from '../snap/snapshot-files.ts';
import { clientAddressesOf } from './client-addresses.ts';
import { markerOf } from './directory-mark.ts';
import { StartError } from './exit-code.ts';
import { type OpenedFailpoints, openFailpoints } from './failpoints/open-failpoints.ts';
import { bringElectionForward } from './first-election.ts';
import { refuseCorrupt } from './initial-corruption.ts';
import { memberConfigOf, RECEIVE_EXTRA_BYTES, serviceSettingsOf } from './member-config.ts';
import {
  DefragmentMeter,
  metricsSourceOf,
  networkObserverOf,
  openStorage,
} from './metrics-source.ts';
import { observerOf } from './observer.ts';
import { directoriesOf, lockOrRefuse, openDirectory } from './open-directory.ts';
import { bindPeers, openNetwork } from './open-network.ts';
import { type OpenedTls, openTls } from './open-tls.ts';
import { checkAllPorts } from './ports-free.ts';
import { closePorts, openServicePorts } from './service-ports.ts';
import type { Settings } from './settings.ts';
import { SlowApplies, warnOfSlowCalls } from './slow-warnings.ts';
import { unsyncedDisk } from './unsynced-disk.ts';
import { warnOfSettings } from './warn-of-settings.ts';

/** Puts a member together over the real ports: disk, network, clock. */

export interface RunningServer {
  /** Hands leadership over, answers who still waits, closes everything. */
  stop(): Promise<void>;
}

export interface ServerEvents {
  /** The member cannot go on; called at most a few times. */
  onFatal(what: string, cause: unknown): void;
  /** The others removed this member: it has to stop. */
  onRemoved(): void;
}

/** Throws {@link StartError}; nothing in the data directory is changed before the ports are had. */
export async function startServer(
  settings: Settings,
  log: Log,
  events: ServerEvents,
): Promise<RunningServer> {
  const [clock, random] = [new RealClock(), new SystemRandom()];
  const disk = settings.unsafeNoFsync ? unsyncedDisk(new NodeDisk()) : new NodeDisk();
  const directories = directoriesOf(settings);
  const snapDirectory = directories.snap;
  const tls = openTls(settings.tls, { clock, log });
  await checkAllPorts(settings);
  const lock = await lockOrRefuse(settings, disk, log);
  const { failpoints, ...opening } = await openFailpoints(process.env, { log, random });
  const metrics = createMetrics({
    registry: new Registry(),
    clock,
    level: settings.metrics,
    // Asked when scraped, and nobody can scrape before the member is there.
    source: metricsSourceOf(() => measured),
  });
  const onSync = settings.unsafeNoFsync ? () => undefined : metrics.observeFsync;
  const defragments = new DefragmentMeter(clock, metrics.observeDefrag);
  const parts = { disk, clock, onSync, tls: tls.peerRequest ?? {}, failpoints };
  const opened = await openDirectory(settings, directories, parts);
  // Only now: whoever is refused gets one line that says why, and nothing else.
  announce(settings, opened, log, opening);
  const config = memberConfigOf(settings, opened);
  const network = openNetwork(settings, {
    config,
    opened,
    clock,
    log,
    disk,
    tls,
    snapDirectory,
    member: () => member,
    observer: networkObserverOf(metrics),
  });
  const { wal } = opened;
  const storage = openStorage({ disk, clock, snapDirectory, wal, failpoints }, metrics);
  const mark = markerOf(settings, { disk, log, memberId: config.memberId });
  const { onFatal, onRemoved } = events;
  const observer = observerOf(log, metrics, {
    onRemoved: () => {
      mark.removed();
      clock.after(REMOVED_GRACE_MS, onRemoved);
    },
    onLostEntries: mark.lostEntries,
  });
  const ports = { clock, network, storage, log, observer, onFatal, random, failpoints };
  const [limitMs, quotaBytes] = [settings.warning.applyMs, settings.quota.backendBytes];
  const applies = new SlowApplies({ clock, log, limitMs, onSlow: metrics.countSlowApply });
  const inner = new Member(config, opened.recovered, random, applies, failpoints);
  const member = new StartedMember(inner, config, ports);
  const measured = { member, storage, network, wal, defragments, quotaBytes };
  // Whoever connects asks the member who is in the cluster, so it comes first.
  await bindPeers(network, settings);
  await removeReceived(disk, snapDirectory);
  const serving = new ServingStatus();
  const onDefragment = onDefragmentOf(settings, { defragments, serving, failpoints });
  const portParts = { clock, disk, random, snapDirectory, member, onDefragment };
  const servicePorts = await openServicePorts(settings, portParts);
  const services = createServices(member, servicePorts, serviceSettingsOf(settings));
  member.answerWith(services.answers);
  member.start();
  const isWanted = settings.raft.initialElectionTickAdvance;
  bringElectionForward(member, clock, { timing: config.timing, isWanted });
  if (settings.corruption.initialCheck) await refuseCorrupt(member, settings, clock);
  const api = await openApi(settings, { member, services, metrics, log, clock, tls, serving });
  const endWatch = metrics.watchEventLoop();
  log.info('ready to serve client requests', { urls: settings.listenClient.map(({ url }) => url) });
  return {
    // In this order: a request refused because its connection closes must not have been
    // proposed, and clients count on that.
    stop: async () => {
      endWatch();
      await member.stop();
      await api.close();
      services.close();
      await network.close();
      await storage.close();
      await closePorts(servicePorts);
      await opening.close();
      await lock?.release();
    },
  };
}

/** So that the others hear that their decision has been taken up (as etcd). */
const REMOVED_GRACE_MS = 1_000;

interface ApiParts {
  readonly member: StartedMember;
  readonly services: AllServices;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
  readonly tls: OpenedTls;
  readonly serving: ServingStatus;
}

async function openApi(settings: Settings, parts: ApiParts): Promise<ApiServer> {
  const { member, services, metrics, log, clock, tls, serving } = parts;
  const { http, limits, grpc, warning, sockets } = settings;
  const limitMs = warning.unaryRequestMs;
  try {
    return await startApi({
      services,
      pages: pagesSourceOf(member, clock),
      metrics,
      pagesObserver: metrics,
      serving,
      observer: warnOfSlowCalls(metrics.calls, { clock, log, limitMs }),
      log,
      clock,
      jsonGateway: http.gateway,
      access: {
        origins: http.cors,
        hosts: http.hostWhitelist,
        isAuthEnabled: () => member.auth.enabled,
      },
      listen: clientAddressesOf(settings),
      listenMetrics: settings.listenMetrics,
      tls: tls.clientPort,
      certificateIsUser: settings.tls.clientCertAuth,
      reusePort: sockets.reusePort,
      keepAlive: {
        intervalMs: grpc.keepAliveIntervalMs,
        timeoutMs: grpc.keepAliveTimeoutMs,
        minTimeMs: grpc.keepAliveMinMs,
      },
      limits: {
        ...DEFAULT_API_LIMITS,
        concurrentStreamsMax: limits.concurrentStreamsMax,
        receiveBytesMax: limits.requestBytesMax + RECEIVE_EXTRA_BYTES,
      },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartError('port', `listen-client-urls: ${reason}`, error);
  }
}

interface DefragmentParts {
  readonly defragments: DefragmentMeter;
  readonly serving: ServingStatus;
  readonly failpoints: Failpoints | undefined;
}

/** --feature-gates StopGRPCServiceOnDefrag: health checks say so while a defragmentation runs. */
function onDefragmentOf({ featureGates }: Settings, parts: DefragmentParts): () => () => void {
  const { defragments, serving, failpoints } = parts;
  return () => {
    failpoints?.hit('defragBeforeCopy');
    const measured = defragments.begin();
    const resume = featureGates.StopGRPCServiceOnDefrag ? serving.pause() : undefined;
    return () => {
      failpoints?.hit('defragBeforeRename');
      measured();
      resume?.();
    };
  };
}

function announce(
  settings: Settings,
  opened: RecoveredMember,
  log: Log,
  failpoints: Pick<OpenedFailpoints, 'announce'>,
): void {
  log.info('starting', describe(settings, opened));
  failpoints.announce();
  warnOfSettings(settings, log);
  for (const note of opened.notes) log.warn(note);
}

function describe(
  settings: Settings,
  { memberId, clusterId, members }: RecoveredMember,
): Record<string, string | number> {
  return {
    name: settings.name,
    memberId: formatId(memberId),
    clusterId: formatId(clusterId),
    dataDir: settings.dataDir,
    members: members.map(({ name, peerUrls }) => `${name}=${peerUrls}`).join(),
    listenPeerUrls: settings.listenPeer.map(({ url }) => url).join(),
    listenClientUrls: settings.listenClient.map(({ url }) => url).join(),
    heartbeatMs: settings.heartbeatMs,
    electionMs: settings.electionMs,
    snapshotCount: settings.snapshotCount,
  };
}
