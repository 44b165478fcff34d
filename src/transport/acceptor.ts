import { createServer, type Server, type Socket } from 'node:net';
import type { ClusterId, MemberId } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Message } from '../raft/message.ts';
import type { SnapshotSink } from '../snap/snapshot-files.ts';
import { decodePeerMessage } from '../wire/peer-message.ts';
import { FrameReader } from './frames.ts';
import {
  ACCEPTED,
  ACK,
  decodeHandshake,
  HANDSHAKE_BYTES_MAX,
  type Handshake,
  refusal,
} from './handshake.ts';
import { receiveSnapshot } from './snapshot-transfer.ts';

/** The receiving end of all lanes: one listening socket, any number of peers' connections. */
export class Acceptor {
  readonly #options: AcceptorOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: AcceptorOptions) {
    this.#options = options;
    this.#server = createServer(KEEP_ALIVE, (socket) => this.#onConnection(socket));
    this.#server.maxConnections = CONNECTIONS_MAX;
  }

  /** Rejects with the system's error (EADDRINUSE, EACCES, …). */
  listen(address: { readonly host: string; readonly port: number }): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...address, backlog: 128 }, () => {
        this.#server.removeListener('error', reject);
        this.#server.on('error', (error) => {
          this.#options.log.error('peer listener failed', { error: error.message });
        });
        resolve();
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  #onConnection(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    const timer = this.#options.clock.after(HANDSHAKE_MS_MAX, () => socket.destroy());
    const reader = new FrameReader();
    const onData = (chunk: Buffer): void => {
      reader.push(chunk);
      const rest = reader.takeRest();
      const end = rest.indexOf('\n');
      if (end < 0 && rest.length <= HANDSHAKE_BYTES_MAX) return reader.push(rest);
      socket.removeListener('data', onData);
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
      this.#options.log.warn('refused a peer connection', { reason: String(reason) });
      socket.end(refusal(String(reason)), () => socket.destroy());
      return;
    }
    socket.write(ACCEPTED);
    if (handshake.value.lane === 'snapshot') {
      const { sink, log, onMessage } = this.#options;
      receiveSnapshot(socket, rest, { sink, log, peer: handshake.value.from, onMessage });
    } else this.#receiveFrames(socket, handshake.value.from, rest);
  }

  #refuse({ clusterId, from, to }: Handshake): string | undefined {
    if (clusterId !== this.#options.clusterId) return 'another cluster';
    if (to !== this.#options.self) return 'another member listens here';
    return this.#options.isPeer(from) ? undefined : 'not a member of this cluster';
  }

  #receiveFrames(socket: Socket, from: MemberId, rest: Buffer): void {
    const reader = new FrameReader();
    const onData = (chunk: Buffer): void => {
      reader.push(chunk);
      for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
        const problem = frame === 'too-long' ? 'frame too long' : this.#onFrame(frame, from);
        if (problem === undefined) continue;
        this.#options.log.error('hung up on a peer', { reason: problem });
        socket.destroy();
        return;
      }
      socket.write(Buffer.of(ACK));
    };
    socket.on('data', onData);
    if (rest.length > 0) onData(rest);
  }

  /** Undefined, or what is wrong with the frame. */
  #onFrame(frame: Buffer, from: MemberId): string | undefined {
    const message = decodePeerMessage(frame);
    if (!message.ok) return message.error;
    if (message.value.from !== from || message.value.to !== this.#options.self) {
      return `${message.value.type} is addressed from or to somebody else`;
    }
    this.#options.onMessage(message.value);
    return undefined;
  }
}

export interface AcceptorOptions {
  readonly self: MemberId;
  readonly clusterId: ClusterId;
  readonly isPeer: (id: MemberId) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly sink: SnapshotSink;
  readonly onMessage: (message: Message) => void;
}

/** Two lanes and a snapshot for each of many peers, and room for connections about to die. */
const CONNECTIONS_MAX = 1_000;
const HANDSHAKE_MS_MAX = 5_000;
/** A peer that vanished without a word is found by the kernel, and its socket freed. */
const KEEP_ALIVE = { noDelay: true, keepAlive: true, keepAliveInitialDelay: 10_000 };
