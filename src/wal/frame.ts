import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import { crc32c } from '../lib/crc32c.ts';
import { FieldReader, FieldWriter, varintSizeBytes } from '../wire/record-fields.ts';

/**
 * The log's bytes, in etcd's format: its tools read our logs and we read the logs it wrote.
 *
 * A log is a directory of segments named `<sequence>-<index>.wal`, both 16 hex digits;
 * `index` is that of the first entry the segment was expected to get when it was begun.
 * A segment is a run of frames, then zeros up to its preallocated size:
 *
 *     frame   length word, record, zeros up to a multiple of 8 bytes
 *     length  u64 little-endian: low 56 bits the record's bytes, top byte 0x80 | count of
 *             the zeros if there are any. 0: no frame, here ends what was written.
 *     record  protobuf walpb.Record {type 1, crc 2, data 3}
 *
 * `crc` is a chain: CRC-32C over the data of this and all earlier records, through all
 * segments. So a record out of place does not verify, even if it is intact. Each segment
 * begins with a record that repeats the chain's value (it can then be read without its
 * predecessors), the metadata, and the hard state unless it is zero.
 *
 * Frames start at multiples of 8, so a length word never straddles two disk sectors: it is
 * there whole or not at all.
 */
export const RECORD_TYPE = {
  metadata: 1,
  entry: 2,
  hardState: 3,
  crc: 4,
  snapshot: 5,
} as const;

export type RecordType = (typeof RECORD_TYPE)[keyof typeof RECORD_TYPE];

/** One record as read: the type may be one that this program does not know. */
export interface WalRecord {
  readonly type: number;
  readonly crc: number;
  /** A view into the segment. */
  readonly data: Uint8Array;
}

export type FrameRead =
  | {
      readonly type: 'record';
      readonly record: WalRecord;
      /** Behind the record, before its padding. */
      readonly recordEnd: number;
      readonly nextOffset: number;
    }
  /** Nothing was written from here on, says the length word (or the file ends). */
  | { readonly type: 'end' }
  /** `recordEnd` is where the length word puts it, possibly behind the end of the file. */
  | { readonly type: 'bad'; readonly recordEnd: number; readonly reason: string };

/** Reads the frame at `offset`; the caller checks the record's place in the checksum chain. */
export function readFrame(segment: Uint8Array, offset: number): FrameRead {
  assert(offset % FRAME_ALIGNMENT_BYTES === 0, 'frames are aligned');
  if (offset === segment.length) return { type: 'end' };
  const recordStart = offset + LENGTH_WORD_BYTES;
  if (recordStart > segment.length) {
    return { type: 'bad', recordEnd: recordStart, reason: 'file ends inside a length word' };
  }
  const view = new DataView(segment.buffer, segment.byteOffset + offset, LENGTH_WORD_BYTES);
  const low = view.getUint32(0, true);
  const high = view.getUint32(4, true);
  if (low === 0 && high === 0) return { type: 'end' };
  const topByte = high >>> 24;
  const recordBytes = low + (high & 0xff_ffff) * 0x1_0000_0000;
  const paddingBytes = topByte & 0x80 ? topByte & 0x07 : 0;
  const recordEnd = recordStart + recordBytes;
  const nextOffset = recordEnd + paddingBytes;
  if (nextOffset % FRAME_ALIGNMENT_BYTES !== 0) {
    return { type: 'bad', recordEnd, reason: 'length word is not a frame of whole 8 bytes' };
  }
  if (nextOffset > segment.length) {
    return { type: 'bad', recordEnd, reason: 'file ends inside a record' };
  }
  const record = decodeRecord(segment.subarray(recordStart, recordEnd));
  if (record === undefined) return { type: 'bad', recordEnd, reason: 'no record in the frame' };
  return { type: 'record', record, recordEnd, nextOffset };
}

/** Builds the frames of one write and carries the checksum chain from write to write. */
export class FrameWriter {
  #crc: number;
  readonly #frames = new FieldWriter(INITIAL_BUFFER_BYTES);
  readonly #data = new FieldWriter(INITIAL_BUFFER_BYTES);
  readonly #lengthBytes = new Uint8Array(LENGTH_WORD_BYTES);
  readonly #lengthWord = new DataView(this.#lengthBytes.buffer);

  /** `crc`: the chain's value after the last record already in the log. */
  constructor(crc: number) {
    this.#crc = crc;
  }

  get lengthBytes(): number {
    return this.#frames.length;
  }

  /** Forgets the frames; the chain goes on behind them. */
  clear(): void {
    this.#frames.clear();
  }

  /** A view, valid until the next call that adds or clears. */
  bytes(): Uint8Array {
    return this.#frames.view();
  }

  /** The record that heads a segment and repeats the chain's value. */
  addChainValue(): void {
    this.#add(RECORD_TYPE.crc, EMPTY_BYTES);
  }

  add(type: RecordType, data: Uint8Array): void {
    assert(data.length > 0, 'every record but the chain value has data');
    this.#add(type, data);
  }

  /** As {@link add}, for data that its encoder writes without an array of its own. */
  addWritten(type: RecordType, write: (writer: FieldWriter) => void): void {
    this.#data.clear();
    write(this.#data);
    this.add(type, this.#data.view());
  }

  #add(type: RecordType, data: Uint8Array): void {
    assert(data.length <= RECORD_DATA_BYTES_MAX, `record of ${data.length} bytes is too large`);
    this.#crc = crc32c(data, this.#crc);
    const dataFieldBytes = data.length === 0 ? 0 : 1 + varintSizeBytes(data.length) + data.length;
    const recordBytes = 3 + varintSizeBytes(this.#crc) + dataFieldBytes;
    const paddingBytes = -recordBytes & (FRAME_ALIGNMENT_BYTES - 1);
    const topByte = paddingBytes === 0 ? 0 : 0x80 | paddingBytes;
    this.#lengthWord.setUint32(0, recordBytes, true);
    this.#lengthWord.setUint32(4, topByte * 0x100_0000, true);
    this.#frames.raw(this.#lengthBytes);
    this.#frames.uint(1, type);
    this.#frames.uint(2, this.#crc);
    if (data.length > 0) this.#frames.bytes(3, data);
    this.#frames.zeros(paddingBytes);
    assert(this.#frames.length % FRAME_ALIGNMENT_BYTES === 0, 'frames end aligned');
  }
}

function decodeRecord(bytes: Uint8Array): WalRecord | undefined {
  const reader = new FieldReader(bytes);
  let type = 0;
  let crc = 0;
  let data = EMPTY_BYTES;
  while (reader.next()) {
    if (reader.field === 1) type = reader.uint();
    else if (reader.field === 2) crc = reader.uint();
    else if (reader.field === 3) data = reader.bytes();
  }
  return reader.failure === undefined && type !== 0 ? { type, crc, data } : undefined;
}

export const LENGTH_WORD_BYTES = 8;
/** Bytes a frame adds to its record's data at most: length word, tags and varints, padding. */
export const FRAME_OVERHEAD_BYTES_MAX: number = 8 + 2 + 6 + 6 + 7;
/** etcd before 3.6 refuses to read larger ones. */
const RECORD_DATA_BYTES_MAX = 10_000_000;
const FRAME_ALIGNMENT_BYTES = 8;
const INITIAL_BUFFER_BYTES = 65_536;
