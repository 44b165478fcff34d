import { formatId } from '../lib/ids.ts';
import type { MemberConfig } from '../member/config.ts';
import type { RecoveredMember } from '../member/recover.ts';
import type { StartedMember } from '../member/started-member.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Log } from '../ports/log.ts';
import { API_VERSION } from '../service/api-version.ts';
import { checkpointSink, checkpointSource } from '../snap/snapshot-files.ts';
import type { PeerAddress } from '../transport/dialler.ts';
import type { NetworkObserver } from '../transport/peer-counters.ts';
import type { PeerPage } from '../transport/peer-page.ts';
import { TcpNetwork } from '../transport/tcp-network.ts';
import { StartError } from './exit-code.ts';
import { localAddressOf } from './local-address.ts';
import type { OpenedTls } from './open-tls.ts';
import { membersPage } from './peer-members.ts';
import type { Settings } from './settings.ts';
import { dialAddressOf } from './urls.ts';

/** The connections to the other members. */

export interface NetworkParts {
  readonly config: MemberConfig;
  readonly opened: RecoveredMember;
  readonly clock: Clock;
  readonly log: Log;
  readonly disk: Disk;
  readonly tls: OpenedTls;
  readonly snapDirectory: string;
  /** Asked only once the network listens, and then it is there. */
  readonly member: () => StartedMember;
  readonly observer: NetworkObserver;
}

export function openNetwork(settings: Settings, parts: NetworkParts): TcpNetwork {
  const { config, opened, clock, log, disk, tls, snapDirectory, member, observer } = parts;
  const { raft, heartbeatMs, featureGates, self } = settings;
  const { readTimeoutMs, writeTimeoutMs } = raft;
  const localAddress = featureGates.SetMemberLocalAddr ? localAddressOf(self.peerUrls) : undefined;
  return new TcpNetwork({
    self: config.memberId,
    selfUrls: self.peerUrls,
    clusterId: config.clusterId,
    peers: opened.members,
    addressOf: (peerUrls) => dialledFrom(dialAddressOf(peerUrls), localAddress),
    isRemoved: (id) => member().isRemoved(id),
    page: (path) => pageOf(path, config, member()),
    connectTls: tls.connectPeer,
    openTls: tls.peerPort,
    clock,
    log,
    observer,
    source: checkpointSource(disk, snapDirectory),
    sink: checkpointSink(disk, snapDirectory),
    // Far sooner than etcd gives up a connection: a fresh one works at once.
    timeoutMs: Math.min(Math.max(3 * heartbeatMs, 300), writeTimeoutMs),
    readTimeoutMs,
    writeTimeoutMs,
    reusePort: settings.sockets.reusePort,
    redialMs: Math.max(heartbeatMs / 4, 10),
  });
}

function dialledFrom(
  address: PeerAddress | undefined,
  localAddress: string | undefined,
): PeerAddress | undefined {
  return address === undefined || localAddress === undefined
    ? address
    : { ...address, localAddress };
}

function pageOf(path: string, config: MemberConfig, member: StartedMember): PeerPage {
  const { clusterId } = config;
  if (path === '/members') return membersPage({ clusterId, members: member.members() });
  if (path === '/version') {
    const etcdcluster = member.clusterVersion === '' ? 'not_decided' : member.clusterVersion;
    const body = `${JSON.stringify({ etcdserver: API_VERSION, etcdcluster })}\n`;
    return { status: 200, headers: { 'content-type': 'application/json' }, body };
  }
  const headers = { 'x-etcd-cluster-id': formatId(clusterId) };
  return { status: 404, headers, body: 'Not Found\n' };
}

/** Throws {@link StartError} for the first address that cannot be had. */
export async function bindPeers(network: TcpNetwork, settings: Settings): Promise<void> {
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
