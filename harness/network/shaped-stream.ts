/** The bytes of one direction of one connection that are on a link, in order, as TCP keeps them. */
import type { Clock } from '../../src/ports/clock.ts';

/** Waiting for their turn on a thin link: like the queue of a router. */
const WAITING_BYTES_MAX = 262_144;
/** Under way: on a link of 150 ms still enough for 28 MB/s. */
const UNDER_WAY_BYTES_MAX = 4_194_304;

export interface Piece {
  readonly bytes: Uint8Array;
  readonly pushedNs: number;
}

interface PieceUnderWay extends Piece {
  readonly dueNs: number;
  readonly isDelayed: boolean;
}

/** What a stream needs of its link, and of who uses it. */
export interface StreamOwner {
  deliver(piece: Uint8Array): void;
  onRoom(): void;
  isGood(): boolean;
  /** In pieces that take their turns. */
  cut(bytes: Uint8Array): readonly Uint8Array[];
  /** Pieces wait. */
  serve(): void;
  /** A piece that was held up has arrived. */
  onDelivered(tookNs: number): void;
  onClosed(): void;
}

export class ShapedStream {
  readonly #clock: Clock;
  readonly #owner: StreamOwner;
  readonly #waiting: Piece[] = [];
  readonly #underWay: PieceUnderWay[] = [];
  #waitingBytes = 0;
  #underWayBytes = 0;
  #lastDueNs = 0;
  #timer: Disposable | undefined;
  #wasFull = false;
  readonly #onEmpty: (() => void)[] = [];

  constructor(clock: Clock, owner: StreamOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  get waitingPieces(): number {
    return this.#waiting.length;
  }

  get isEmpty(): boolean {
    return this.#waiting.length + this.#underWay.length === 0;
  }

  /** Whoever pushes should stop until there is room again: what is pushed is kept in any case. */
  get isFull(): boolean {
    return this.#waitingBytes >= WAITING_BYTES_MAX || this.#underWayBytes >= UNDER_WAY_BYTES_MAX;
  }

  push(bytes: Uint8Array): void {
    if (this.isEmpty && this.#owner.isGood()) {
      this.#owner.deliver(bytes);
      return;
    }
    const pushedNs = this.#clock.nowNs();
    for (const piece of this.#owner.cut(bytes)) this.#waiting.push({ bytes: piece, pushedNs });
    this.#waitingBytes += bytes.length;
    this.#owner.serve();
    if (this.isFull) this.#wasFull = true;
  }

  /** Calls back, once, when all that was pushed before has been delivered. */
  whenEmpty(callback: () => void): void {
    if (this.isEmpty) callback();
    else this.#onEmpty.push(callback);
  }

  /** The next piece, which is then the link's. */
  take(): Piece | undefined {
    const piece = this.#waiting.shift();
    if (piece !== undefined) this.#waitingBytes -= piece.bytes.length;
    return piece;
  }

  /** It arrives at `dueNs`, but never before what was sent earlier. */
  send(piece: Piece, dueNs: number): void {
    const isDelayed = dueNs > this.#clock.nowNs();
    this.#lastDueNs = Math.max(this.#lastDueNs, dueNs);
    this.#underWay.push({ ...piece, dueNs: this.#lastDueNs, isDelayed });
    this.#underWayBytes += piece.bytes.length;
    if (this.#timer === undefined) this.#arrive();
  }

  /** Delivers everything at once. */
  flush(): void {
    for (let piece = this.take(); piece !== undefined; piece = this.take()) {
      this.#underWay.push({ ...piece, dueNs: 0, isDelayed: false });
      this.#underWayBytes += piece.bytes.length;
    }
    this.#lastDueNs = 0;
    this.#arrive(Number.POSITIVE_INFINITY);
  }

  /** Forgets everything; calls nobody back. */
  close(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    this.#waiting.length = 0;
    this.#underWay.length = 0;
    this.#waitingBytes = 0;
    this.#underWayBytes = 0;
    this.#onEmpty.length = 0;
    this.#owner.onClosed();
  }

  #arrive(untilNs: number = this.#clock.nowNs()): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
    for (let first = this.#underWay[0]; first !== undefined; first = this.#underWay[0]) {
      if (first.dueNs > untilNs) break;
      this.#underWay.shift();
      this.#underWayBytes -= first.bytes.length;
      if (first.isDelayed) this.#owner.onDelivered(this.#clock.nowNs() - first.pushedNs);
      this.#owner.deliver(first.bytes);
    }
    const [next] = this.#underWay;
    if (next !== undefined) {
      const waitMs = Math.max(1, Math.ceil((next.dueNs - this.#clock.nowNs()) / 1e6));
      this.#timer ??= this.#clock.after(waitMs, () => this.#arrive());
    }
    this.#tellOwner();
  }

  #tellOwner(): void {
    if (this.#wasFull && !this.isFull) {
      this.#wasFull = false;
      this.#owner.onRoom();
    }
    if (!this.isEmpty) return;
    for (const callback of this.#onEmpty.splice(0)) callback();
  }
}
