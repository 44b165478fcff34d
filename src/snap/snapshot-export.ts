import { crc32c } from '../lib/crc32c.ts';
import { utf8Encode } from '../lib/utf8.ts';
import type { Disk } from '../ports/disk.ts';
import { BUCKET_NAMES, bucketItems, META_KEY } from './bucket-content.ts';
import type { CheckpointImage } from './checkpoint-image.ts';
import { writeCheckpointAs } from './write-checkpoint.ts';

/** The database as a file for whoever asks, beside the member's own checkpoint. */

export interface ExportedSnapshot {
  readonly sizeBytes: number;
  /** Up to `lengthBytes` from `offset`; shorter only at the end. Rejects with DiskError. */
  readAt(offset: number, lengthBytes: number): Promise<Uint8Array>;
  /** Removes the file. */
  close(): Promise<void>;
}

export interface SnapshotExportOptions {
  readonly disk: Disk;
  readonly directory: string;
  /** A consistent image of this moment; released here. */
  readonly image: () => CheckpointImage & { release(): void };
  /** Lets other work have its turn. */
  readonly pause: () => Promise<void>;
  /** Written at a time; not said: as a checkpoint. */
  readonly chunkBytes?: number;
}

export class SnapshotExport {
  readonly #options: SnapshotExportOptions;
  #count = 0;

  constructor(options: SnapshotExportOptions) {
    this.#options = options;
  }

  /** Rejects with DiskError if the disk does not take it. */
  async create(): Promise<ExportedSnapshot> {
    const { disk, directory, pause, chunkBytes } = this.#options;
    this.#count += 1;
    // A name that is cleaned up at the next start, should this process die over it.
    const name = `export.${this.#count}.part`;
    const image = this.#options.image();
    try {
      await writeCheckpointAs(disk, directory, { name, image, yieldEvery: pause, chunkBytes });
    } finally {
      image.release();
    }
    const path = `${directory}/${name}`;
    const file = await disk.open(path, 'existing');
    return {
      sizeBytes: await file.size(),
      readAt: (offset, lengthBytes) => file.readAt(offset, lengthBytes),
      close: async () => {
        await file.close();
        await disk.remove(path);
      },
    };
  }

  /**
   * CRC-32C over every bucket's name, then its keys and values, as etcd's Hash: without what
   * differs between members with the same data.
   */
  async hash(): Promise<number> {
    const image = this.#options.image();
    try {
      return await this.#hashOf(image);
    } finally {
      image.release();
    }
  }

  async #hashOf(image: CheckpointImage): Promise<number> {
    let crc = 0;
    let bytes = 0;
    for (const name of BUCKET_NAMES) {
      crc = crc32c(utf8Encode(name), crc);
      for (const [key, value] of bucketItems(name, image)) {
        if (name === 'meta' && UNHASHED.some((skipped) => isKey(key, skipped))) continue;
        crc = crc32c(value, crc32c(key, crc));
        bytes += key.length + value.length;
        if (bytes < BYTES_PER_TURN) continue;
        bytes = 0;
        await this.#options.pause();
      }
    }
    return crc;
  }
}

function isKey(key: Uint8Array, name: string): boolean {
  return key.length === name.length && utf8Encode(name).every((byte, at) => byte === key[at]);
}

const UNHASHED = [META_KEY.index, META_KEY.term, META_KEY.storageVersion];
const BYTES_PER_TURN = 256 * 1024;
