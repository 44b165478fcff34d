import type { Writable } from 'node:stream';
import type { LargeAnswer, PieceLimits } from './rpc.ts';

/** How an answer in pieces was sent: whole, or its client left or takes nothing any more. */
export type Sent = 'whole' | 'gone' | 'stalled';

export interface PieceOptions {
  readonly limits: PieceLimits;
  /** Between a piece and its being taken; then nothing more is sent. */
  readonly stallMs: number;
  /** What is sent for a piece. */
  readonly encode: (piece: Uint8Array) => Uint8Array | string;
}

/**
 * Sends an answer piece by piece, each when the one before has left for the client, so that no
 * more than one of them is held here. The answer is released, the output not ended.
 */
export async function sendPieces(
  output: Writable,
  answer: LargeAnswer,
  { limits, stallMs, encode }: PieceOptions,
): Promise<Sent> {
  let taken: (how: Sent) => void = () => undefined;
  let isGone = output.destroyed;
  output.once('close', () => {
    isGone = true;
    taken('gone');
  });
  const stall = setTimeout(() => taken('stalled'), stallMs);
  try {
    for (;;) {
      const piece = isGone ? undefined : await answer.next(limits);
      if (isGone) return 'gone';
      if (piece === undefined) return 'whole';
      stall.refresh();
      const how = await new Promise<Sent>((resolve) => {
        taken = resolve;
        output.write(encode(piece), (cause) => resolve(cause ? 'gone' : 'whole'));
      });
      if (how !== 'whole') return how;
    }
  } finally {
    clearTimeout(stall);
    answer.release();
  }
}
