import type { MemberId } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';

/**
 * Questions between members and their answers, beside raft's messages on the same lanes:
 *
 *   frame = tag u8 (0xf0 question, 0xf1 answer), number u32 little-endian, bytes
 *
 * The number is the asker's. A question whose answer does not come in time is forgotten, and so
 * is an answer to a forgotten question.
 */
const QUESTION = 0xf0;
const ANSWER = 0xf1;
const HEAD_BYTES = 5;
/** Questions without an answer; one more gets none. */
const WAITING_MAX = 10_000;

export type AskFrame =
  | { readonly type: 'question'; readonly number: number; readonly bytes: Uint8Array }
  | { readonly type: 'answer'; readonly number: number; readonly bytes: Uint8Array };

/** Undefined: a message of raft's. Every tag of theirs is below. */
export function decodeAskFrame(frame: Buffer): AskFrame | undefined {
  const tag = frame[0];
  if ((tag !== QUESTION && tag !== ANSWER) || frame.length < HEAD_BYTES) return undefined;
  const [number, bytes] = [frame.readUInt32LE(1), frame.subarray(HEAD_BYTES)];
  return { type: tag === QUESTION ? 'question' : 'answer', number, bytes };
}

export function encodeAskFrame({ type, number, bytes }: AskFrame): Uint8Array {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + bytes.length);
  frame[0] = type === 'question' ? QUESTION : ANSWER;
  frame.writeUInt32LE(number, 1);
  frame.set(bytes, HEAD_BYTES);
  return frame;
}

/** Who waits for which answer. */
export class Questions {
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  #next = 1;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `send` hands the frame to a lane, and says whether that took it. */
  ask(
    to: MemberId,
    question: Uint8Array,
    options: { readonly timeoutMs: number; readonly send: (frame: Uint8Array) => boolean },
  ): Promise<Uint8Array | undefined> {
    if (this.#waiting.size >= WAITING_MAX) return Promise.resolve(undefined);
    const number = this.#next;
    this.#next = (this.#next % 0xffff_ffff) + 1;
    if (!options.send(encodeAskFrame({ type: 'question', number, bytes: question }))) {
      return Promise.resolve(undefined);
    }
    return new Promise((resolve) => {
      const timer = this.#clock.after(options.timeoutMs, () => this.#settle(number, undefined));
      this.#waiting.set(number, { to, resolve, timer });
    });
  }

  /** Only whoever was asked may answer. */
  answered(from: MemberId, { number, bytes }: AskFrame): void {
    if (this.#waiting.get(number)?.to === from) this.#settle(number, new Uint8Array(bytes));
  }

  close(): void {
    for (const number of this.#waiting.keys()) this.#settle(number, undefined);
  }

  #settle(number: number, answer: Uint8Array | undefined): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    waiting.timer[Symbol.dispose]();
    waiting.resolve(answer);
  }
}

interface Waiting {
  readonly to: MemberId;
  readonly resolve: (answer: Uint8Array | undefined) => void;
  readonly timer: Disposable;
}
