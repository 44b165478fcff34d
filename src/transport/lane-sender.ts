import type { Socket } from 'node:net';
import type { Clock } from '../ports/clock.ts';
import { type ConnectTls, type Dial, type DialFailure, dial, type PeerAddress } from './dialler.ts';
import { encodeFrames } from './frames.ts';
import type { Handshake } from './handshake.ts';

/**
 * The sending end of one lane to one peer: a connection that is always being kept up, and
 * given up as soon as the other end stops acknowledging. After a healed partition TCP alone
 * would wait out its back-off, for seconds; a fresh connection works at once.
 *
 * A frame is written at most once. What is lost with a connection is not sent again: raft
 * repeats what matters, and a proposal sent twice would be applied twice.
 */
export class LaneSender {
  readonly #options: LaneOptions;
  readonly #callbacks: LaneCallbacks;
  #state: LaneState = { type: 'closed' };

  constructor(options: LaneOptions, callbacks: LaneCallbacks) {
    this.#options = options;
    this.#callbacks = callbacks;
  }

  open(): void {
    const held: Uint8Array[] = [];
    const { address, handshake, clock, timeoutMs, connectTls } = this.#options;
    const dialling = dial(
      address,
      handshake,
      { clock, timeoutMs, connectTls },
      {
        onReady: (socket) => this.#onReady(socket, held),
        onFailure: (failure) => this.#onDialFailure(failure),
      },
    );
    this.#state = { type: 'dialling', dialling, held, heldBytes: 0 };
  }

  /** Since when there has been a connection; undefined: there is none. */
  get readySinceNs(): number | undefined {
    return this.#state.type === 'ready' ? this.#state.sinceNs : undefined;
  }

  /** False: the frame was not taken and will not arrive. */
  send(payload: Uint8Array): boolean {
    const state = this.#state;
    switch (state.type) {
      case 'ready':
        if (queuedBytes(state) + payload.length > this.#options.queueBytesMax) return false;
        this.#write(state, payload);
        return true;
      case 'dialling':
        if (state.heldBytes + payload.length > HELD_BYTES_MAX) return false;
        state.held.push(payload);
        state.heldBytes += payload.length;
        return true;
      case 'closed':
      case 'waiting':
        return false;
      default:
        return state satisfies never;
    }
  }

  close(): void {
    const state = this.#state;
    this.#state = { type: 'closed' };
    if (state.type === 'dialling') state.dialling.cancel();
    else if (state.type === 'waiting') state.timer[Symbol.dispose]();
    else if (state.type === 'ready') {
      state.watch[Symbol.dispose]();
      state.socket.destroy();
    }
  }

  #onReady(socket: Socket, held: readonly Uint8Array[]): void {
    const { clock, timeoutMs } = this.#options;
    const watch = clock.every(timeoutMs / 4, () => this.#onWatch());
    const ready: Ready = {
      type: 'ready',
      socket,
      watch,
      sinceNs: clock.nowNs(),
      unackedSinceNs: undefined,
      unwritten: [],
      unwrittenBytes: 0,
    };
    this.#state = ready;
    socket.on('data', () => {
      if (ready.unackedSinceNs === undefined) return;
      this.#callbacks.onRoundTrip(clock.nowNs() - ready.unackedSinceNs);
      ready.unackedSinceNs = undefined;
    });
    socket.on('close', () => this.#onLost(ready, 'hung up'));
    for (const payload of held) this.#write(ready, payload);
  }

  /** Frames of one turn leave in one system call. */
  #write(ready: Ready, payload: Uint8Array): void {
    ready.unackedSinceNs ??= this.#options.clock.nowNs();
    ready.unwritten.push(payload);
    ready.unwrittenBytes += payload.length;
    if (ready.unwritten.length > 1) return;
    process.nextTick(() => {
      const payloads = ready.unwritten;
      ready.unwritten = [];
      ready.unwrittenBytes = 0;
      if (this.#state === ready) ready.socket.write(encodeFrames(payloads));
    });
  }

  #onWatch(): void {
    const state = this.#state;
    if (state.type !== 'ready' || state.unackedSinceNs === undefined) return;
    const silentMs = (this.#options.clock.nowNs() - state.unackedSinceNs) / 1e6;
    if (silentMs > this.#options.timeoutMs) this.#onLost(state, 'stopped acknowledging');
  }

  #onLost(ready: Ready, reason: string): void {
    if (this.#state !== ready) return;
    ready.watch[Symbol.dispose]();
    ready.socket.destroy();
    this.#callbacks.onLost(reason);
    const livedMs = (this.#options.clock.nowNs() - ready.sinceNs) / 1e6;
    // Whoever takes the handshake and then hangs up would do it again at once.
    if (livedMs < SHORT_LIFE_MS) this.#pause();
    else this.open();
  }

  #pause(): void {
    const timer = this.#options.clock.after(this.#options.redialMs, () => this.open());
    this.#state = { type: 'waiting', timer };
  }

  #onDialFailure(failure: DialFailure): void {
    this.#pause();
    this.#callbacks.onDialFailed(failure);
  }
}

export interface LaneOptions {
  readonly address: PeerAddress;
  readonly handshake: Handshake;
  readonly connectTls: ConnectTls | undefined;
  readonly clock: Clock;
  /** Frames beyond this many unsent bytes are refused. */
  readonly queueBytesMax: number;
  /** Dialling, and then silence after a frame, is given up after this long. */
  readonly timeoutMs: number;
  /** Pause after a failed attempt. */
  readonly redialMs: number;
}

export interface LaneCallbacks {
  onLost(reason: string): void;
  onDialFailed(failure: DialFailure): void;
  /** From the first frame since the last acknowledgement to this one. */
  onRoundTrip(latencyNs: number): void;
}

/** Frames kept while a connection is being made, so that a restart loses no first message. */
const HELD_BYTES_MAX = 256 * 1024;
const SHORT_LIFE_MS = 1_000;

interface Ready {
  readonly type: 'ready';
  readonly socket: Socket;
  readonly watch: Disposable;
  readonly sinceNs: number;
  /** When the oldest frame without any acknowledgement after it was written. */
  unackedSinceNs: number | undefined;
  /** Of this turn, and what they take. */
  unwritten: Uint8Array[];
  unwrittenBytes: number;
}

type LaneState =
  | { readonly type: 'closed' }
  | { readonly type: 'waiting'; readonly timer: Disposable }
  | {
      readonly type: 'dialling';
      readonly dialling: Dial;
      readonly held: Uint8Array[];
      heldBytes: number;
    }
  | Ready;

function queuedBytes({ socket, unwrittenBytes }: Ready): number {
  return socket.writableLength + unwrittenBytes;
}
