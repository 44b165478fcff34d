import { assert } from '../../lib/assert.ts';
import type { LargeRange, OpenedRange } from '../../service/large-ranges.ts';
import { keyValueSizeHintBytes, writeKeyValue } from '../../wire/kv-messages.ts';
import { ProtoWriter } from '../../wire/proto-writer.ts';
import {
  rangeResponseSizeHintBytes,
  writeRangeResponse,
  writeRangeResponseEnd,
  writeRangeResponseStart,
} from '../../wire/range-messages.ts';
import type { LargeAnswer, PieceLimits } from '../rpc.ts';
import { hotResponse } from './hot-codec.ts';

const encodeAtOnce = hotResponse(rangeResponseSizeHintBytes, writeRangeResponse);

/** An answer with very many keys is encoded piece by piece, while it is being sent. */
export function encodeRange(opened: OpenedRange): Uint8Array | LargeAnswer {
  return 'parts' in opened ? new RangePieces(opened) : encodeAtOnce(opened);
}

/** What one piece may take more than the one before it, or not much more. */
const MORE_ROOM_BYTES = 16 * 1024;

class RangePieces implements LargeAnswer {
  readonly messageBytes: number;
  readonly #range: LargeRange;
  #bytesLeft: number;
  /** For one piece after the other: new memory for each would be collected again and again. */
  #room: Uint8Array = new Uint8Array(MORE_ROOM_BYTES);
  /** What comes before the keys; sent with the first of them. */
  #start: Uint8Array;
  /** What comes behind them; undefined once it was given. */
  #end: Uint8Array | undefined;

  constructor(range: LargeRange) {
    this.#range = range;
    const start = new ProtoWriter();
    writeRangeResponseStart(start, range);
    this.#start = start.finish();
    const end = new ProtoWriter();
    writeRangeResponseEnd(end, range);
    this.#end = end.finish();
    this.messageBytes = this.#start.length + range.parts.sizeBytes + this.#end.length;
    this.#bytesLeft = this.messageBytes;
  }

  async next({ itemsMax, bytesMax }: PieceLimits): Promise<Uint8Array | undefined> {
    if (this.#end === undefined) return undefined;
    const kvs = await this.#range.parts.next(itemsMax, bytesMax);
    let sizeBytes = this.#start.length;
    for (const kv of kvs) sizeBytes += keyValueSizeHintBytes(kv);
    sizeBytes += this.#end.length;
    if (sizeBytes > this.#room.length) this.#room = new Uint8Array(sizeBytes + MORE_ROOM_BYTES);
    const writer = new ProtoWriter(sizeBytes, 0, this.#room);
    writer.fields(this.#start);
    this.#start = NOTHING;
    for (const kv of kvs) writer.message(2, kv, writeKeyValue);
    if (kvs.length === 0) {
      writer.fields(this.#end);
      this.#end = undefined;
    }
    const piece = writer.finish();
    this.#bytesLeft -= piece.length;
    const left = this.#bytesLeft;
    const isRight = this.#end === undefined ? left === 0 : left >= 0;
    assert(isRight, 'an answer is as long as it was said to be');
    return piece;
  }

  release(): void {
    this.#range.parts.release();
  }
}

const NOTHING = new Uint8Array(0);
