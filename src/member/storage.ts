import type { Index } from '../lib/ids.ts';
import type { Clock } from '../ports/clock.ts';
import type { Disk } from '../ports/disk.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import type { SnapshotMeta, StorageAppend } from '../raft/message.ts';
import { installReceived } from '../snap/checkpoint-file.ts';
import type { Checkpoint } from '../snap/read-checkpoint.ts';
import { receivedName } from '../snap/received-name.ts';
import { writeCheckpoint } from '../snap/write-checkpoint.ts';
import type { Wal } from '../wal/wal.ts';
import type { DueCheckpoint } from './input.ts';

/**
 * A member's durable half: the log and the checkpoint, kept in step. Order matters in two
 * places. A received snapshot is installed before the entries that follow it are logged; and
 * a checkpoint is in place before the log forgets what it covers, so that a crash between
 * the two leaves both (member/recover.ts sorts that out).
 */
export class Storage {
  readonly #disk: Disk;
  readonly #clock: Clock;
  readonly #snapDirectory: string;
  readonly #wal: Wal;
  readonly #onCheckpoint: StorageOptions['onCheckpoint'];
  readonly #checkpointChunkBytes: number | undefined;
  readonly #failpoints: Failpoints | undefined;
  /** Resolves with the newest append: none may be answered before those that came before it. */
  #tail: Promise<void> = Promise.resolve();
  /** Set while a snapshot is being installed: appends queue behind it. */
  #installing: Promise<void> | undefined;
  /** The checkpoint file is replaced by one at a time, and never by an older one. */
  #replacing: Promise<unknown> = Promise.resolve();
  #installedIndex: Index = 0;

  constructor(options: StorageOptions) {
    this.#disk = options.disk;
    this.#clock = options.clock;
    this.#snapDirectory = options.snapDirectory;
    this.#wal = options.wal;
    this.#onCheckpoint = options.onCheckpoint;
    this.#checkpointChunkBytes = options.checkpointChunkBytes;
    this.#failpoints = options.failpoints;
  }

  /**
   * Resolves when this append and all earlier ones are durable; `onInstalled` runs before, if
   * it brings a snapshot. One without content is no exception: its responses may speak of
   * entries that are still being written.
   */
  append(append: StorageAppend, onInstalled: (checkpoint: Checkpoint) => void): Promise<void> {
    const earlier = this.#tail;
    const written = this.#write(append, onInstalled);
    this.#tail = Promise.all([earlier, written]).then(() => undefined);
    return this.#tail;
  }

  /**
   * Writes the checkpoint beside the old one, then lets the log forget what it covers. Rejects
   * with {@link StorageError} if the log failed over it; after anything else it can be repeated.
   */
  async saveCheckpoint(image: DueCheckpoint): Promise<SnapshotMeta> {
    return this.#inTurn(() => this.#writeCheckpoint(image));
  }

  /** A snapshot of the leader is being put in place. */
  get isInstalling(): boolean {
    return this.#installing !== undefined;
  }

  async close(): Promise<void> {
    await this.#replacing;
    await this.#wal.close();
  }

  async #writeCheckpoint(image: DueCheckpoint): Promise<SnapshotMeta> {
    const { index, term, confState } = image;
    try {
      // A snapshot from the leader has overtaken it while it waited for its turn.
      if (index <= this.#installedIndex) return { index, term, confState };
      const startNs = this.#clock.nowNs();
      await writeCheckpoint(this.#disk, this.#snapDirectory, image, {
        yieldEvery: () => new Promise<void>((resolve) => this.#clock.soon(resolve)),
        chunkBytes: this.#checkpointChunkBytes,
        failpoints: this.#failpoints,
      });
      this.#onCheckpoint?.(this.#clock.nowNs() - startNs);
    } finally {
      image.release();
    }
    await this.#mark({ index, term, confState });
    await this.#wal.release(index);
    this.#failpoints?.hit('raftAfterWALRelease');
    return { index, term, confState };
  }

  /** Rejects with {@link StorageError}: a log that failed once takes nothing any more. */
  async #mark(meta: SnapshotMeta): Promise<void> {
    try {
      this.#failpoints?.hit('raftBeforeWALSaveSnaphot');
      await this.#wal.saveSnapshot(meta);
    } catch (error) {
      throw new StorageError(`the log took no mark of the checkpoint: ${String(error)}`);
    }
  }

  async #write(
    append: StorageAppend,
    onInstalled: (checkpoint: Checkpoint) => void,
  ): Promise<void> {
    const { snapshot } = append;
    if (snapshot !== undefined) {
      this.#installing = this.#inTurn(() => this.#install(snapshot, onInstalled));
    }
    if (this.#installing !== undefined) {
      const installed = this.#installing;
      await installed;
      if (this.#installing === installed) this.#installing = undefined;
    }
    if (append.entries.length === 0 && append.hardState === undefined) return;
    this.#failpoints?.hit('raftBeforeSave');
    await this.#wal.append(append);
    this.#failpoints?.hit('raftAfterSave');
  }

  /** After everything else that replaces the checkpoint file. */
  #inTurn<Value>(work: () => Promise<Value>): Promise<Value> {
    const done = this.#replacing.then(work);
    this.#replacing = done.catch(() => undefined);
    return done;
  }

  async #install(meta: SnapshotMeta, onInstalled: (checkpoint: Checkpoint) => void): Promise<void> {
    const failpoints = this.#failpoints;
    failpoints?.hit('applyBeforeOpenSnapshot');
    const installed = await installReceived(this.#disk, this.#snapDirectory, receivedName(meta));
    if (!installed.ok) throw new StorageError(`received snapshot: ${installed.error.reason}`);
    failpoints?.hit('applyAfterOpenSnapshot');
    this.#installedIndex = meta.index;
    failpoints?.hit('raftBeforeSaveSnap');
    failpoints?.hit('raftBeforeWALSaveSnaphot');
    await this.#wal.saveSnapshot(meta);
    failpoints?.hit('raftAfterSaveSnap');
    failpoints?.hit('raftBeforeApplySnap');
    onInstalled(installed.value);
    failpoints?.hit('raftAfterApplySnap');
  }
}

export interface StorageOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly snapDirectory: string;
  readonly wal: Wal;
  /** A whole checkpoint was written, synced and put in its place. */
  readonly onCheckpoint?: (latencyNs: number) => void;
  /** Of a checkpoint, written at a time; not said: a few dozen kilobytes. */
  readonly checkpointChunkBytes?: number;
  readonly failpoints?: Failpoints | undefined;
}

/** The disk did not keep what was written; the member must stop. */
export class StorageError extends Error {
  override readonly name = 'StorageError';
}
