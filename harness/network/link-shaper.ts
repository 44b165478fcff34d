/**
 * One directed link: how long pieces of the byte streams on it take, and when it is free for the
 * next piece. All streams of the link share its rate, a piece each in turn, so that a bulk transfer
 * does not starve the heartbeats on another connection.
 */
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawDelayMs } from './draw-delay.ts';
import { GOOD_LINKS, isGood, type LinkQuality } from './link-quality.ts';
import { type LinkTally, NO_TALLY } from './link-tally.ts';
import { drawRecovery, SEGMENT_BYTES } from './retransmission.ts';
import { ShapedStream } from './shaped-stream.ts';

/** Timers are some ms late: a link on which pieces wait may make up for that much. */
export const BURST_MS = 25;
/** A piece takes about this long on a thin link, between a segment and what a socket reads. */
const PIECE_MS = 1;
export const PIECE_BYTES_MAX = 65_536;

type Counts = { -readonly [Name in keyof LinkTally]: LinkTally[Name] };

export class LinkShaper {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #streams = new Set<ShapedStream>();
  /** Streams with pieces that wait for the link, in turn. */
  readonly #round: ShapedStream[] = [];
  readonly #counts: Counts = { ...NO_TALLY };
  #quality: LinkQuality = GOOD_LINKS;
  #isGood = true;
  /** When the last piece has left; in the past: the link is free. */
  #freeAtNs = 0;
  #timer: Disposable | undefined;
  /** The piece that others wait for; undefined: none waits. */
  #ahead: { readonly startNs: number; readonly sizeBytes: number } | undefined;
  #last: { readonly startNs: number; readonly sizeBytes: number } | undefined;

  constructor(clock: Clock, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  get isGood(): boolean {
    return this.#isGood;
  }

  get tally(): LinkTally {
    return { ...this.#counts };
  }

  /** Of the pieces to come; a link that has become good delivers at once what it holds. */
  setQuality(quality: LinkQuality): void {
    this.#quality = quality;
    this.#isGood = isGood(quality);
    this.#freeAtNs = Math.min(this.#freeAtNs, this.#clock.nowNs());
    this.#ahead = undefined;
    this.#run();
    if (this.#isGood) for (const stream of [...this.#streams]) stream.flush();
  }

  /**
   * One direction of one connection. `deliver` gets all that is pushed, in order; `onRoom` is
   * called when a full stream has room again.
   */
  open(deliver: (piece: Uint8Array) => void, onRoom: () => void): ShapedStream {
    const stream: ShapedStream = new ShapedStream(this.#clock, {
      deliver,
      onRoom,
      isGood: () => this.#isGood,
      cut: (bytes) => this.#cut(bytes),
      serve: () => this.#serve(stream),
      onDelivered: (tookNs) => {
        this.#counts.delayed += 1;
        this.#counts.delayedSumMs += tookNs / 1e6;
      },
      onClosed: () => this.#forget(stream),
    });
    this.#streams.add(stream);
    return stream;
  }

  #forget(stream: ShapedStream): void {
    this.#streams.delete(stream);
    const at = this.#round.indexOf(stream);
    if (at !== -1) this.#round.splice(at, 1);
  }

  #serve(stream: ShapedStream): void {
    if (!this.#round.includes(stream)) this.#round.push(stream);
    this.#run();
  }

  /** Lets pieces onto the link as long as it is free. */
  #run(): void {
    this.#stopTimer();
    for (;;) {
      const [stream] = this.#round;
      const nowNs = this.#clock.nowNs();
      if (stream === undefined || this.#freeAtNs > nowNs) break;
      this.#round.shift();
      const piece = stream.take();
      if (piece === undefined) continue;
      if (stream.waitingPieces > 0) this.#round.push(stream);
      this.#occupy(nowNs, piece.bytes.length);
      stream.send(piece, nowNs + this.#latenessNs(stream.waitingPieces));
    }
    if (this.#round.length === 0) {
      this.#ahead = undefined;
      return;
    }
    this.#ahead = this.#last;
    const waitNs = this.#freeAtNs - this.#clock.nowNs();
    // A delivery may have made room for pieces, and set a timer for them.
    this.#stopTimer();
    this.#timer = this.#clock.after(Math.max(1, Math.ceil(waitNs / 1e6)), () => this.#run());
  }

  #stopTimer(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #occupy(nowNs: number, sizeBytes: number): void {
    const { rateBytesPerS } = this.#quality;
    const isBusy = this.#ahead !== undefined;
    if (this.#ahead !== undefined) {
      this.#counts.thinBytes += this.#ahead.sizeBytes;
      this.#counts.thinMs += (nowNs - this.#ahead.startNs) / 1e6;
      this.#ahead = { startNs: nowNs, sizeBytes };
    }
    this.#last = { startNs: nowNs, sizeBytes };
    if (rateBytesPerS === 0) return;
    const fromNs = isBusy ? Math.max(this.#freeAtNs, nowNs - BURST_MS * 1e6) : nowNs;
    this.#freeAtNs = fromNs + (sizeBytes / rateBytesPerS) * 1e9;
  }

  #latenessNs(behind: number): number {
    const delayMs = drawDelayMs(this.#random, this.#quality);
    if (this.#quality.lossPercent === 0) return delayMs * 1e6;
    const { sent, lost, lateMs } = drawRecovery(this.#random, this.#quality, behind);
    this.#counts.carried += sent;
    this.#counts.lost += lost;
    return (delayMs + lateMs) * 1e6;
  }

  #cut(bytes: Uint8Array): readonly Uint8Array[] {
    const sizeBytes = this.#pieceBytes();
    if (bytes.length <= sizeBytes) return [bytes];
    return Array.from({ length: Math.ceil(bytes.length / sizeBytes) }, (_, at) =>
      bytes.subarray(at * sizeBytes, (at + 1) * sizeBytes),
    );
  }

  #pieceBytes(): number {
    const { lossPercent, rateBytesPerS } = this.#quality;
    if (lossPercent > 0) return SEGMENT_BYTES;
    if (rateBytesPerS === 0) return PIECE_BYTES_MAX;
    const pieceBytes = Math.round((rateBytesPerS * PIECE_MS) / 1_000);
    return Math.max(SEGMENT_BYTES, Math.min(PIECE_BYTES_MAX, pieceBytes));
  }
}
