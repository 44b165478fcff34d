import { connect, createServer, type Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import { StartError } from './exit-code.ts';
import type { GatewaySettings, HostPort } from './gateway-settings.ts';

/**
 * A TCP forwarder, for clients that can be given one address only: whatever is spoken on a
 * connection goes on to one of the members, in turn. An address that cannot be reached is left
 * out until `retryMs` have passed, unless all are.
 */
export class TcpGateway {
  readonly #settings: GatewaySettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  readonly #sockets = new Set<Socket>();
  readonly #downUntilNs = new Map<HostPort, number>();
  #next = 0;

  constructor(settings: GatewaySettings, ports: { readonly clock: Clock; readonly log: Log }) {
    this.#settings = settings;
    this.#clock = ports.clock;
    this.#log = ports.log;
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Throws {@link StartError} if the port cannot be had. */
  open(): Promise<void> {
    const { host, port } = this.#settings.listen;
    return new Promise((resolve, reject) => {
      this.#server.on('error', (error: NodeJS.ErrnoException) => {
        const reason = error.code ?? error.message;
        const problem = `listen-addr: cannot listen on ${host}:${port} (${reason})`;
        reject(new StartError('port', problem, error));
      });
      this.#server.listen({ host, port }, () => {
        const endpoints = this.#settings.endpoints.map(({ host, port }) => `${host}:${port}`);
        this.#log.info('ready to proxy client requests', { endpoints });
        resolve();
      });
    });
  }

  /** The port that was had, if the system chose it. */
  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #accept(client: Socket): void {
    this.#keep(client);
    this.#dial(client, this.#candidates());
  }

  /** Reachable ones first, from the one whose turn it is; the others only when none is left. */
  #candidates(): readonly HostPort[] {
    const { endpoints } = this.#settings;
    const first = this.#next % endpoints.length;
    this.#next = first + 1;
    const inTurn = [...endpoints.slice(first), ...endpoints.slice(0, first)];
    const nowNs = this.#clock.nowNs();
    const isUp = (endpoint: HostPort) => (this.#downUntilNs.get(endpoint) ?? 0) <= nowNs;
    return [...inTurn.filter(isUp), ...inTurn.filter((endpoint) => !isUp(endpoint))];
  }

  #dial(client: Socket, [endpoint, ...others]: readonly HostPort[]): void {
    if (endpoint === undefined || client.destroyed) return void client.destroy();
    const server = connect({ ...endpoint, allowHalfOpen: true, timeout: DIAL_MS_MAX });
    this.#keep(server);
    const fail = (reason: string) => {
      server.destroy();
      this.#downUntilNs.set(endpoint, this.#clock.nowNs() + this.#settings.retryMs * 1e6);
      this.#log.warn('cannot reach a member', { ...endpoint, reason });
      this.#dial(client, others);
    };
    const onError = (error: NodeJS.ErrnoException) => fail(error.code ?? error.message);
    server.once('error', onError);
    server.once('timeout', () => fail('timeout'));
    server.once('connect', () => {
      server.off('error', onError).removeAllListeners('timeout').setTimeout(0);
      this.#downUntilNs.delete(endpoint);
      join(client, server);
    });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    // Whoever is at the other end learns by the close that follows.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

/** Beyond this the system closes what it accepts. */
const CONNECTIONS_MAX = 10_000;
const DIAL_MS_MAX = 5_000;

/** Each side's end is the other's; a broken side breaks the other. */
function join(client: Socket, server: Socket): void {
  if (client.destroyed) return void server.destroy();
  client.pipe(server);
  server.pipe(client);
  client.once('close', () => server.destroy());
  server.once('close', () => client.destroy());
}
