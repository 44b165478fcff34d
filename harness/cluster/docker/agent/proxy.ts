/**
 * The proxy beside a server: what peers dial while links are not good. It is led here by the packet
 * filter, so a peer is known by its address and nobody's configuration changes.
 */

import { createServer } from 'node:net';
import { RealClock } from '../../../../src/host/real-clock.ts';
import { SystemRandom } from '../../../../src/host/system-random.ts';
import type { DirectedQuality } from '../../../network/link-quality.ts';
import { type LinkTally, NO_TALLY } from '../../../network/link-tally.ts';
import { Connection } from '../../process/links/connection.ts';
import { Switchboard } from '../../process/links/switchboard.ts';
import { type PeerLinks, type ProxyPorts, proxyShare } from './link-rules.ts';

/** The node's own name among addresses. */
const SELF = 'self';
/** Further dials are refused. Members keep a handful per peer. */
const CONNECTIONS_MAX = 512;

export class LinkProxy {
  readonly #ports: ProxyPorts;
  /** Undefined until somebody says who the peers are. */
  #switchboard: Switchboard | undefined;

  constructor(ports: ProxyPorts) {
    this.#ports = ports;
  }

  /** Listens from the first call on. */
  async setLinks(peers: readonly PeerLinks[]): Promise<void> {
    if (this.#switchboard === undefined) {
      const members = [SELF, ...peers.map(({ ip }) => ip)];
      const switchboard = new Switchboard(members, {
        clock: new RealClock(),
        random: new SystemRandom(),
      });
      await this.#listen(switchboard);
      this.#switchboard = switchboard;
    }
    this.#switchboard.setQualities(
      peers.flatMap(({ ip, incoming, outgoing }): DirectedQuality[] => [
        { from: ip, to: SELF, quality: proxyShare(incoming) },
        { from: SELF, to: ip, quality: proxyShare(outgoing) },
      ]),
    );
  }

  reset(ips: readonly string[]): void {
    this.#switchboard?.reset(ips.map((ip) => ({ from: ip, to: SELF })));
  }

  get tally(): LinkTally {
    return this.#switchboard?.readings().tally ?? NO_TALLY;
  }

  #listen(switchboard: Switchboard): Promise<void> {
    const options = {
      acceptor: SELF,
      peerPort: this.#ports.peer,
      identify: () => ({ kind: 'anonymous' as const }),
      nameOf: () => undefined,
      switchboard,
    };
    const server = createServer({ allowHalfOpen: true }, (client) => {
      const ip = client.remoteAddress?.replace(/^::ffff:/, '');
      if (ip === undefined) client.destroy();
      else new Connection(client, options, ip);
    });
    server.maxConnections = CONNECTIONS_MAX;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(this.#ports.proxy, '0.0.0.0', resolve);
    return promise;
  }
}
