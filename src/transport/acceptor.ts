import { createServer, type Server, type Socket } from 'node:net';
import { assert } from '../lib/assert.ts';
import type { ClusterId, MemberId } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Message } from '../raft/message.ts';
import type { SnapshotSink } from '../snap/snapshot-files.ts';
import { decodeLoggedRequest } from '../wire/logged-request.ts';
import { decodePeerMessage } from '../wire/peer-message.ts';
import { type AskFrame, decodeAskFrame } from './asking.ts';
import type { PeerAddress } from './dialler.ts';
import { FrameReader } from './frames.ts';
import {
  ACCEPTED,
  ACK,
  decodeHandshake,
  HANDSHAKE_BYTES_MAX,
  type Handshake,
  REMOVED,
  refusal,
} from './handshake.ts';
import type { NetworkObserver } from './peer-counters.ts';
import { answerPage, type PeerPage } from './peer-page.ts';
import { receiveSnapshot } from './snapshot-transfer.ts';

/** The receiving end of all lanes: a few listening sockets, any number of connections. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #tls: PeerTls | undefined;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();
  /** Of the connections that got through the handshake, who they are. */
  readonly #peers = new WeakMap<Socket, MemberId>();

  #refused = { reason: '', atNs: 0 };

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#tls = options.openTls?.((socket) => this.#onConnection(socket));
  }

  /** Once for each address; rejects with the system's error (EADDRINUSE, EACCES, …). */
  listen({ host, port, path, secure = false }: PeerAddress): Promise<void> {
    const tls = secure ? this.#tls : undefined;
    assert(!secure || tls !== undefined, 'https:// needs a certificate');
    const server = createServer(KEEP_ALIVE, (socket) => {
      if (tls === undefined) this.#onConnection(socket);
      else tls.accept(socket);
    });
    server.maxConnections = CONNECTIONS_MAX;
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      const { reusePort = false } = this.#options;
      const at = path === undefined ? { host, port, reusePort } : { path };
      server.listen({ ...at, backlog: 128 }, () => {
        this.#servers.push(server);
        server.removeListener('error', reject);
        server.on('error', (error) => {
          this.#options.log.error('peer listener failed', { error: error.message });
        });
        resolve();
      });
    });
  }

  /** They dial again, and are told. */
  hangUpOnRemoved(): void {
    for (const socket of this.#sockets) {
      const peer = this.#peers.get(socket);
      if (peer !== undefined && this.#options.isRemoved(peer)) socket.destroy();
    }
  }

  async close(): Promise<void> {
    this.#tls?.close();
    for (const socket of this.#sockets) socket.destroy();
    const closed = this.#servers.map(
      (server) => new Promise((resolve) => server.close(() => resolve(undefined))),
    );
    await Promise.all(closed);
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    const handshakeMs = this.#options.readTimeoutMs ?? HANDSHAKE_MS_MAX;
    const timer = this.#options.clock.after(handshakeMs, () => socket.destroy());
    const reader = new FrameReader();
    const onData = (chunk: Buffer): void => {
      reader.push(chunk);
      const rest = reader.takeRest();
      const end = rest.indexOf('\n');
      if (end < 0 && rest.length <= HANDSHAKE_BYTES_MAX) return reader.push(rest);
      socket.removeListener('data', onData);
      if (rest.toString('latin1', 0, 4) === 'GET ') {
        // The timer stays: whoever asked may neither read nor hang up.
        return answerPage(socket, rest.toString('latin1', 0, Math.max(end, 0)), this.#options.page);
      }
      timer[Symbol.dispose]();
      this.#onHandshake(
        socket,
        rest.toString('latin1', 0, Math.max(end, 0)),
        rest.subarray(end + 1),
      );
    };
    socket.on('data', onData);
    socket.on('close', () => timer[Symbol.dispose]());
  }

  #onHandshake(socket: Socket, line: string, rest: Buffer): void {
    const handshake = decodeHandshake(line);
    const reason = handshake.ok ? this.#refuse(handshake.value) : handshake.error;
    if (!handshake.ok || reason !== undefined) {
      this.#logRefusal(String(reason));
      socket.end(refusal(String(reason)), () => socket.destroy());
      return;
    }
    socket.write(ACCEPTED);
    this.#admitted(socket, handshake.value.from);
    if (handshake.value.lane === 'snapshot') {
      const { sink, log, clock, onMessage, onSnapshotReceived, readTimeoutMs } = this.#options;
      const [peer, startNs] = [handshake.value.from, clock.nowNs()];
      const onEnd = (success: boolean): void =>
        onSnapshotReceived?.(peer, success, clock.nowNs() - startNs);
      const idleMs = readTimeoutMs;
      receiveSnapshot(socket, rest, { sink, log, peer, onMessage, idleMs, onEnd });
    } else this.#receiveFrames(socket, handshake.value.from, rest);
  }

  #admitted(socket: Socket, from: MemberId): void {
    this.#peers.set(socket, from);
    socket.on('close', () => {
      const isLast = ![...this.#sockets].some((other) => this.#peers.get(other) === from);
      if (isLast) this.#options.onGone(from);
    });
  }

  /** Whoever is refused dials again at once: said now and then only. */
  #logRefusal(reason: string): void {
    const nowNs = this.#options.clock.nowNs();
    const { reason: before, atNs } = this.#refused;
    if (reason === before && nowNs - atNs < REFUSED_LOG_MS * 1e6) return;
    this.#refused = { reason, atNs: nowNs };
    this.#options.log.warn('refused a peer connection', { reason });
  }

  #refuse({ clusterId, from, to, peerUrls }: Handshake): string | undefined {
    if (clusterId !== this.#options.clusterId) {
      return 'another cluster; compare --initial-cluster and --initial-cluster-token of both';
    }
    if (to !== this.#options.self) return 'another member listens here';
    if (from === to) return 'this is that member';
    if (this.#options.isRemoved(from)) return REMOVED;
    return this.#options.admits(from, peerUrls) ? undefined : 'not a member of this cluster';
  }

  #receiveFrames(socket: Socket, from: MemberId, rest: Buffer): void {
    const reader = new FrameReader();
    let acknowledgement: Disposable | undefined;
    const onData = (chunk: Buffer): void => {
      this.#options.onReceived(from, chunk.length);
      reader.push(chunk);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        const problem = frame === 'too-long' ? 'frame too long' : this.#onFrame(frame, from);
        if (problem === undefined) continue;
        this.#options.log.error('hung up on a peer', { reason: problem });
        socket.destroy();
        return;
      }
      acknowledgement ??= this.#options.clock.after(ACK_DELAY_MS, () => {
        acknowledgement = undefined;
        // One that waits to be read says enough: whoever reads none must not make them pile up.
        if (socket.writableLength === 0) socket.write(Buffer.of(ACK));
      });
    };
    socket.on('data', onData);
    socket.on('close', () => acknowledgement?.[Symbol.dispose]());
    if (rest.length > 0) onData(rest);
  }

  /** Undefined, or what is wrong with the frame. */
  #onFrame(frame: Buffer, from: MemberId): string | undefined {
    const ask = decodeAskFrame(frame);
    if (ask !== undefined) {
      this.#options.onAsk(from, ask);
      return undefined;
    }
    const message = decodePeerMessage(frame);
    if (!message.ok) return message.error;
    if (message.value.from !== from || message.value.to !== this.#options.self) {
      return `${message.value.type} is addressed from or to somebody else`;
    }
    const problem = problemOf(message.value);
    if (problem === undefined) this.#options.onMessage(message.value);
    return problem;
  }
}

/** Undefined: it may be believed, as far as members believe each other. */
function problemOf(message: Message): string | undefined {
  if (message.type === 'MsgSnap') return 'MsgSnap without its file';
  if (message.type !== 'MsgProp') return undefined;
  // In the log it would stop every member for good: nobody could apply it.
  const isReadable = message.entries.every(
    ({ type, data }) => type !== 'normal' || data.length === 0 || decodeLoggedRequest(data).ok,
  );
  return isReadable ? undefined : 'a proposal holds no request that this version knows';
}

/** Does the handshakes of whoever dials. */
export interface PeerTls {
  /** The connection comes back by `onSecure` of {@link OpenPeerTls}, or is closed. */
  accept(socket: Socket): void;
  /** Cuts connections whose handshake is not over. */
  close(): void;
}

export type OpenPeerTls = (onSecure: (socket: Socket) => void) => PeerTls;

export interface AcceptorOptions {
  /** Undefined: no address is secure. */
  readonly openTls: OpenPeerTls | undefined;
  /** --socket-reuse-port. */
  readonly reusePort?: boolean | undefined;
  /** Silence before the handshake is over, or amid a snapshot, after which a connection closes. */
  readonly readTimeoutMs?: number | undefined;
  readonly self: MemberId;
  readonly clusterId: ClusterId;
  /** Whether the member is known, or may be as far as is known here: then it can be answered. */
  readonly admits: (id: MemberId, peerUrls: readonly string[]) => boolean;
  readonly isRemoved: (id: MemberId) => boolean;
  /** The last of an admitted member's connections has closed. */
  readonly onGone: (id: MemberId) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: SnapshotSink;
  readonly onMessage: (message: Message) => void;
  readonly onAsk: (from: MemberId, frame: AskFrame) => void;
  /** Bytes of frames, as they come. */
  readonly onReceived: (from: MemberId, sizeBytes: number) => void;
  readonly onSnapshotReceived: NetworkObserver['onSnapshotReceived'] | undefined;
  /** A page of the few that members show each other over HTTP/1.1 on this port. */
  readonly page: (path: string) => PeerPage;
}

/** Two lanes and a snapshot for each of many peers, and room for connections about to die. */
const CONNECTIONS_MAX = 1_000;
const HANDSHAKE_MS_MAX = 5_000;
/**
 * Far below any time after which a sender takes silence for a dead connection. An answer to every
 * chunk would wake the sender as often as all that it is told.
 */
const ACK_DELAY_MS = 25;
const REFUSED_LOG_MS = 10_000;
/** A peer that vanished without a word is found by the kernel, and its socket freed. */
const KEEP_ALIVE = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 };
