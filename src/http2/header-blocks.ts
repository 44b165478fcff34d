import { concatBytes } from '../lib/bytes.ts';
import { ERROR_CODE, type ErrorCode } from './frame.ts';
import type { HeaderField } from './header-field.ts';
import { HpackDecoder } from './hpack-decoder.ts';

export type AddedToBlock =
  | { readonly type: 'partial' }
  | {
      readonly type: 'block';
      readonly streamId: number;
      /** Undefined: more than the list may have. */
      readonly fields: readonly HeaderField[] | undefined;
      readonly isEnd: boolean;
    }
  /** Of the connection: what both ends remember of earlier fields may differ now. */
  | { readonly type: 'fault'; readonly code: ErrorCode; readonly reason: string };

/** Puts header blocks together from HEADERS and CONTINUATION frames, and reads them. */
export class HeaderBlocks {
  readonly #decoder: HpackDecoder;
  readonly #bytesMax: number;
  #streamId = 0;
  #isEnd = false;
  #isOpen = false;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(listBytesMax: number) {
    this.#decoder = new HpackDecoder({ tableBytesMax: TABLE_BYTES_MAX, listBytesMax });
    // Compressed, a list that is short enough cannot be much longer than itself.
    this.#bytesMax = 2 * listBytesMax;
  }

  /** Nothing else may come before its end. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  get streamId(): number {
    return this.#streamId;
  }

  begin(streamId: number, isEnd: boolean): void {
    this.#streamId = streamId;
    this.#isEnd = isEnd;
    this.#isOpen = true;
  }

  add(part: Uint8Array, isLast: boolean): AddedToBlock {
    this.#parts.push(part);
    this.#bytes += part.length;
    if (this.#bytes > this.#bytesMax || this.#parts.length > PARTS_MAX) {
      return { type: 'fault', code: ERROR_CODE.enhanceYourCalm, reason: 'headers are too long' };
    }
    if (!isLast) return PARTIAL;
    const block = this.#parts.length === 1 ? part : concatBytes(this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    this.#isOpen = false;
    const decoded = this.#decoder.decode(block);
    if (!decoded.ok && decoded.error === 'compression') {
      return { type: 'fault', code: ERROR_CODE.compressionError, reason: 'header compression' };
    }
    const fields = decoded.ok ? decoded.value : undefined;
    return { type: 'block', streamId: this.#streamId, fields, isEnd: this.#isEnd };
  }
}

const PARTIAL: AddedToBlock = { type: 'partial' };
/** What HTTP/2 begins with; no setting of ours asks for another. */
const TABLE_BYTES_MAX = 4_096;
/** A block in more frames than this is an attack. */
const PARTS_MAX = 64;
