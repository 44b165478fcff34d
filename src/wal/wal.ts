import { assert, assertNever } from '../lib/assert.ts';
import type { Index } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { Entry, HardState, SnapshotMeta } from '../raft/message.ts';
import {
  encodeHardState,
  encodeSnapshotRecord,
  encodeWalMetadata,
  type SnapshotRecord,
  type WalMetadata,
  writeEntry,
} from '../wire/raft-records.ts';
import { FrameWriter, RECORD_TYPE } from './frame.ts';
import {
  groupLength,
  type Operation,
  type Request,
  requestSizeBytes,
  type WalBatch,
} from './operation.ts';
import { listOrNothing, type RecoveredLog, readLog } from './recover.ts';
import { createSegment, finishSegment, reopenSegment } from './segment-file.ts';
import { formatSegmentName, type SegmentName, segmentNames } from './segment-name.ts';
import type { WalError } from './wal-error.ts';

export interface WalOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly directory: string;
  /** A segment that would outgrow it is closed and the next begun; {@link SEGMENT_BYTES_MAX}. */
  readonly segmentBytesMax: number;
  /** So many segments stay, needed or not; 0: all (etcd's --max-wals). Default: what is needed. */
  readonly segmentsKept?: number;
  /** Told the duration of every durable write that an append waited for. */
  readonly onSync?: (latencyNs: number) => void;
  readonly failpoints?: Failpoints | undefined;
}

/** What a log held when it was opened. */
export interface Recovered {
  readonly metadata: WalMetadata;
  /** All zero if the log has none. */
  readonly hardState: HardState;
  /**
   * Everything still in the log, contiguous; what a snapshot covers may be among it. Data are
   * views into whole segments, which stay in memory for as long as one of them does.
   */
  readonly entries: readonly Entry[];
  /** In the order of writing. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Bytes of a write that a crash interrupted, now gone; none of it was acknowledged. */
  readonly repairedTornTailBytes: number;
}

/**
 * The write-ahead log. What is appended while a write is in flight goes out together in the
 * next one (group commit). A rejection is final: after a failed write or sync nobody knows
 * what the device holds, so every later call rejects too and the member must stop.
 */
export class Wal {
  readonly #options: WalOptions;
  readonly #metadata: WalMetadata;
  readonly #frames: FrameWriter;
  /** Oldest first; the last one is being written. */
  readonly #segments: SegmentName[];
  /** The last segment; none between two of them, and for good if a failure came there. */
  #file: DiskFile | undefined;
  #offset: number;
  #lastIndex: Index;
  /** As last written, or as it will be by the write being built. */
  #hardState: HardState;
  #queue: Operation[] = [];
  #writtenBytes = 0;
  #draining: Promise<void> | undefined;
  #releasing: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;

  private constructor(options: WalOptions, state: OpenLog) {
    this.#options = options;
    this.#metadata = state.metadata;
    this.#frames = state.frames;
    this.#segments = state.segments;
    this.#file = state.file;
    this.#offset = state.offset;
    this.#lastIndex = state.lastIndex;
    this.#hardState = state.hardState;
  }

  /**
   * Begins a log in a directory that holds none. After a crash on the way there is still
   * none. Rejects with DiskError, code `EEXIST` if there is a log already.
   */
  static async create(options: WalOptions, metadata: WalMetadata): Promise<Wal> {
    const { disk, directory } = options;
    const present = segmentNames(await listOrNothing(disk, directory));
    if (present.length > 0) throw new DiskError('EEXIST', directory);
    await disk.makeDirectory(directory);
    await disk.syncDirectory(parentDirectory(directory));
    const frames = new FrameWriter(0);
    const name: SegmentName = { sequence: 0, firstIndex: 0 };
    const file = await createSegment(options, name, logHead(frames, metadata));
    return new Wal(options, {
      metadata,
      frames,
      segments: [name],
      file,
      offset: frames.lengthBytes,
      lastIndex: 0,
      hardState: ZERO_STATE,
    });
  }

  /**
   * Reads the log and makes it ready for writing. Nothing on the disk is changed if it cannot
   * be read, or if `refuse` says in words why it is not wanted. Segments that only hold entries
   * before `covered`, the index of a checkpoint, are not read. Rejects with DiskError.
   */
  static async open(
    options: WalOptions,
    refuse: (recovered: Recovered) => string | undefined = () => undefined,
    covered: Index = 0,
  ): Promise<Result<{ readonly wal: Wal; readonly recovered: Recovered }, WalError>> {
    const read = await readLog(options.disk, options.directory, covered);
    if (!read.ok) return read;
    const { replayed, segments, tail } = read.value;
    const { metadata, hardState, lastIndex, entries, snapshots } = replayed;
    const repairedTornTailBytes = tail.tornBytes;
    const recovered = { metadata, hardState, entries, snapshots, repairedTornTailBytes };
    const refusal = refuse(recovered);
    if (refusal !== undefined) return err({ kind: 'refused', reason: refusal });
    const file = await reopenSegment(options, lastSegment(read.value), tail);
    const wal = new Wal(options, {
      metadata,
      frames: new FrameWriter(tail.crc),
      segments: [...segments],
      file,
      offset: tail.endOffset,
      lastIndex,
      hardState,
    });
    return ok({ wal, recovered });
  }

  /** Of records, since it was opened. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /**
   * Resolves when the batch is durable, in the order of the calls. The exception is a hard
   * state in which only `commit` rose: it is written but not synced, and may be lost to a
   * power failure (raft needs no more of it). Rejects with DiskError, and then for ever.
   */
  append(batch: WalBatch): Promise<void> {
    return this.#enqueue({ type: 'append', ...batch });
  }

  /**
   * Marks that the state up to the snapshot is durable elsewhere, in order with the appends.
   * If the log does not hold its entry, the snapshot supersedes all that was appended before.
   */
  saveSnapshot(meta: SnapshotMeta): Promise<void> {
    assert(meta.index > 0, 'the empty state needs no mark');
    return this.#enqueue({ type: 'snapshot', meta });
  }

  /**
   * Removes segments that only hold entries before `index`, oldest first, down to the number that
   * is to be kept; the one being written stays. The entry at `index` stays too: with the mark of
   * the checkpoint there, which may stand in the same segment, it is what ties the rest of the log
   * to the checkpoint. Rejects with DiskError: the log is whole then, only larger than need be.
   */
  release(index: Index): Promise<void> {
    const turn = this.#releasing.then(() => this.#removeSegments(index));
    // The next call starts over where this one failed; its caller has been told.
    this.#releasing = turn.catch(() => undefined);
    return turn;
  }

  /** Waits for what was appended and frees the file. Later calls reject. */
  async close(): Promise<void> {
    this.#failure ??= { error: new DiskError('EBADF', this.#options.directory) };
    await this.#draining;
    await this.#releasing;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  #enqueue(request: Request): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure.error);
    assert(this.#queue.length < QUEUED_OPERATIONS_MAX, 'raft bounds what it has in flight');
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#queue.push({ request, resolve, reject });
    this.#draining ??= this.#drain();
    return promise;
  }

  /** Writes group after group until the queue is empty. Never rejects. */
  async #drain(): Promise<void> {
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0, groupLength(this.#queue));
      try {
        await this.#write(group);
      } catch (error) {
        this.#failure = { error };
        for (const operation of group.concat(this.#queue.splice(0))) operation.reject(error);
        break;
      }
      for (const operation of group) operation.resolve();
    }
    this.#draining = undefined;
  }

  async #write(group: readonly Operation[]): Promise<void> {
    const sizeBytes = group.reduce((sum, { request }) => sum + requestSizeBytes(request), 0);
    const isFull = this.#offset + sizeBytes > this.#options.segmentBytesMax;
    if (isFull && this.#offset > SEGMENT_HEAD_BYTES_MAX) await this.#cut();
    this.#frames.clear();
    let mustSync = false;
    for (const { request } of group) mustSync = this.#encode(request) || mustSync;
    const bytes = this.#frames.bytes();
    if (bytes.length === 0) return;
    if (mustSync) await this.#writeDurably(bytes);
    else await this.#openFile().writeAt(this.#offset, bytes);
    this.#offset += bytes.length;
    this.#writtenBytes += bytes.length;
  }

  async #writeDurably(bytes: Uint8Array): Promise<void> {
    const startNs = this.#options.clock.nowNs();
    if (this.#options.failpoints?.isSet('walBeforeSync')) await this.#writeThenSync(bytes);
    else await this.#openFile().writeDurably(this.#offset, bytes);
    this.#options.onSync?.(this.#options.clock.nowNs() - startNs);
    this.#options.failpoints?.hit('walAfterSync');
  }

  /** As a durable write, in two: there is a moment between them. */
  async #writeThenSync(bytes: Uint8Array): Promise<void> {
    const file = this.#openFile();
    await file.writeAt(this.#offset, bytes);
    this.#options.failpoints?.hit('walBeforeSync');
    await file.datasync();
  }

  /** Adds the request's frames; true if they must be durable before it is answered. */
  #encode(request: Request): boolean {
    switch (request.type) {
      case 'append':
        this.#encodeEntries(request.entries);
        return this.#encodeHardState(request.hardState) || request.entries.length > 0;
      case 'snapshot':
        this.#frames.add(RECORD_TYPE.snapshot, encodeSnapshotRecord(request.meta));
        this.#lastIndex = Math.max(this.#lastIndex, request.meta.index);
        return true;
      default:
        return assertNever(request);
    }
  }

  #encodeEntries(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    assert(first.index <= this.#lastIndex + 1, 'an append leaves no gap in the log');
    this.#lastIndex = first.index - 1;
    for (const entry of entries) {
      assert(entry.index === this.#lastIndex + 1, 'a batch is contiguous');
      this.#frames.addWritten(RECORD_TYPE.entry, (writer) => writeEntry(writer, entry));
      this.#lastIndex = entry.index;
    }
  }

  #encodeHardState(state: HardState | undefined): boolean {
    const { term, vote, commit } = this.#hardState;
    if (state === undefined) return false;
    assert(state.term >= term, 'the term never falls');
    const isVote = state.term !== term || state.vote !== vote;
    if (!isVote && state.commit === commit) return false;
    this.#frames.add(RECORD_TYPE.hardState, encodeHardState(state));
    this.#hardState = state;
    return isVote;
  }

  /** Goes on in a new segment. The old one is durable and exact before the new one exists. */
  async #cut(): Promise<void> {
    const full = this.#openFile();
    this.#file = undefined;
    await finishSegment(full, this.#offset);
    const sequence = this.#segments.at(-1)!.sequence + 1;
    const name: SegmentName = { sequence, firstIndex: this.#lastIndex + 1 };
    const head = segmentHead(this.#frames, this.#metadata, this.#hardState);
    this.#file = await createSegment(this.#options, name, head);
    this.#offset = head.length;
    this.#segments.push(name);
  }

  #openFile(): DiskFile {
    assert(this.#file !== undefined, 'nothing is written after a failure');
    return this.#file;
  }

  async #removeSegments(index: Index): Promise<void> {
    const { disk, directory, segmentsKept = 1 } = this.#options;
    while (segmentsKept > 0 && this.#segments.length > segmentsKept) {
      const [oldest, next] = this.#segments;
      if (oldest === undefined || next === undefined || next.firstIndex > index) return;
      try {
        await disk.remove(`${directory}/${formatSegmentName(oldest)}`);
      } catch (error) {
        // Gone already if an earlier attempt failed after removing it.
        if (!(error instanceof DiskError) || error.code !== 'ENOENT') throw error;
      }
      // One at a time: a crash must not leave an older segment behind a missing one.
      await disk.syncDirectory(directory);
      this.#segments.shift();
    }
  }
}

/** etcd's size of a segment. */
export const SEGMENT_BYTES_MAX = 64_000_000;
/** Raft stops proposing long before; more is a bug and stops the member. */
const QUEUED_OPERATIONS_MAX = 65_536;
/** A segment with no more in it than a head takes is never full. */
const SEGMENT_HEAD_BYTES_MAX = 256;
const ZERO_STATE: HardState = { term: 0, vote: undefined, commit: 0 };

interface OpenLog {
  readonly metadata: WalMetadata;
  readonly frames: FrameWriter;
  readonly segments: SegmentName[];
  readonly file: DiskFile;
  readonly offset: number;
  readonly lastIndex: Index;
  readonly hardState: HardState;
}

function logHead(frames: FrameWriter, metadata: WalMetadata): Uint8Array {
  segmentHead(frames, metadata, ZERO_STATE);
  // etcd's tools look for the mark of the empty state that every log begins with.
  const start: SnapshotRecord = { index: 0, term: 0, confState: undefined };
  frames.add(RECORD_TYPE.snapshot, encodeSnapshotRecord(start));
  return frames.bytes();
}

function segmentHead(frames: FrameWriter, metadata: WalMetadata, state: HardState): Uint8Array {
  frames.clear();
  frames.addChainValue();
  frames.add(RECORD_TYPE.metadata, encodeWalMetadata(metadata));
  if (state.term !== 0) frames.add(RECORD_TYPE.hardState, encodeHardState(state));
  assert(frames.lengthBytes <= SEGMENT_HEAD_BYTES_MAX, 'heads are small');
  return frames.bytes();
}

function lastSegment(log: RecoveredLog): SegmentName {
  const last = log.segments.at(-1);
  assert(last !== undefined, 'a log has a segment');
  return last;
}

function parentDirectory(path: string): string {
  const end = path.lastIndexOf('/');
  if (end > 0) return path.slice(0, end);
  return end === 0 ? '/' : '.';
}
