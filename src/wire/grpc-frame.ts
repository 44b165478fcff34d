import { EMPTY_BYTES } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';

/**
 * gRPC's frames within an HTTP/2 body: one byte of flags (1 = compressed), four bytes of length,
 * big endian, then the message.
 */

export const GRPC_PREFIX_BYTES = 5;

export type FrameError =
  | { readonly type: 'compressed' }
  | { readonly type: 'tooLarge'; readonly sizeBytes: number };

/** Fills in the prefix of a message that was written behind `GRPC_PREFIX_BYTES` of headroom. */
export function sealFrame(frame: Uint8Array): Uint8Array {
  return seal(frame, frame.length - GRPC_PREFIX_BYTES);
}

/** What comes before a message of so many bytes, below 2³². */
export function framePrefix(lengthBytes: number): Uint8Array {
  return seal(new Uint8Array(GRPC_PREFIX_BYTES), lengthBytes);
}

function seal(frame: Uint8Array, lengthBytes: number): Uint8Array {
  frame[0] = 0;
  frame[1] = lengthBytes >>> 24;
  frame[2] = lengthBytes >>> 16;
  frame[3] = lengthBytes >>> 8;
  frame[4] = lengthBytes;
  return frame;
}

/** A frame around a message that already has its bytes. */
export function frameMessage(message: Uint8Array): Uint8Array {
  const frame = new Uint8Array(GRPC_PREFIX_BYTES + message.length);
  frame.set(message, GRPC_PREFIX_BYTES);
  return sealFrame(frame);
}

/**
 * Puts messages together from chunks of any size. A message within one chunk is not copied; it
 * holds at most one message beyond the newest chunk, as long as `next` is called until dry.
 */
export class MessageAssembler {
  private readonly messageBytesMax: number;
  private held: Uint8Array = EMPTY_BYTES;
  private heldBytes = 0;

  constructor(messageBytesMax: number) {
    this.messageBytesMax = messageBytesMax;
  }

  push(chunk: Uint8Array): void {
    if (this.heldBytes === 0) {
      this.held = chunk;
      this.heldBytes = chunk.length;
      return;
    }
    const neededBytes = this.heldBytes + chunk.length;
    if (neededBytes > this.held.length) {
      // Doubling, not the announced length: who announces much must also send it.
      const grown = new Uint8Array(Math.max(neededBytes, this.held.length * 2));
      grown.set(this.held.subarray(0, this.heldBytes));
      this.held = grown;
    }
    this.held.set(chunk, this.heldBytes);
    this.heldBytes = neededBytes;
  }

  /** The next whole message, `undefined` until more has come. After an error there is no next. */
  next(): Result<Uint8Array | undefined, FrameError> {
    if (this.heldBytes < GRPC_PREFIX_BYTES) return ok(undefined);
    const { held } = this;
    if (held[0] !== 0) return err({ type: 'compressed' });
    const sizeBytes = held[1]! * 0x1_00_00_00 + ((held[2]! << 16) | (held[3]! << 8) | held[4]!);
    if (sizeBytes > this.messageBytesMax) return err({ type: 'tooLarge', sizeBytes });
    const frameBytes = GRPC_PREFIX_BYTES + sizeBytes;
    if (this.heldBytes < frameBytes) return ok(undefined);
    this.heldBytes -= frameBytes;
    this.held = this.heldBytes === 0 ? EMPTY_BYTES : held.subarray(frameBytes);
    return ok(held.subarray(GRPC_PREFIX_BYTES, frameBytes));
  }

  /** Of what was pushed and not handed out. */
  get pendingBytes(): number {
    return this.heldBytes;
  }

  /** A message has begun and not ended. */
  isMidMessage(): boolean {
    return this.heldBytes > 0;
  }
}
