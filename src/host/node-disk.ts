import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';

/**
 * The real disk, over the file system calls that Node runs on its thread pool: nothing here
 * holds up the event loop, however slow the device.
 */
export class NodeDisk implements Disk {
  list(directory: string): Promise<string[]> {
    return asDiskError(directory, readdir(directory));
  }

  /** Durable when it resolves, up to the first directory that was there before. */
  async makeDirectory(directory: string): Promise<void> {
    const first = await asDiskError(directory, mkdir(directory, { recursive: true, mode: 0o700 }));
    if (first === undefined) return;
    const above = path.dirname(path.resolve(first));
    let parent = path.resolve(directory);
    do {
      parent = path.dirname(parent);
      await this.syncDirectory(parent);
    } while (parent !== above);
  }

  async open(file: string, mode: 'create' | 'existing'): Promise<DiskFile> {
    const flags = mode === 'create' ? 'wx+' : 'r+';
    return new NodeDiskFile(file, await asDiskError(file, open(file, flags, 0o600)));
  }

  async read(file: string): Promise<Uint8Array> {
    const opened = new NodeDiskFile(file, await asDiskError(file, open(file, 'r')));
    try {
      return await opened.readAt(0, await opened.size());
    } finally {
      await opened.close();
    }
  }

  rename(from: string, to: string): Promise<void> {
    return asDiskError(from, rename(from, to));
  }

  remove(file: string): Promise<void> {
    return asDiskError(file, unlink(file));
  }

  async syncDirectory(directory: string): Promise<void> {
    const descriptor = await asDiskError(directory, open(directory, 'r'));
    try {
      await asDiskError(directory, fsync(descriptor));
    } finally {
      await asDiskError(directory, close(descriptor));
    }
  }
}

class NodeDiskFile implements DiskFile {
  readonly #path: string;
  #descriptor: number | undefined;
  /** The same file, opened so that a write returns when it is durable; once it is needed. */
  #durable: number | undefined;
  /** Something was changed that no sync has covered yet. */
  #isDirty = false;

  constructor(file: string, descriptor: number) {
    this.#path = file;
    this.#descriptor = descriptor;
  }

  async size(): Promise<number> {
    return (await asDiskError(this.#path, fstat(this.#open()))).size;
  }

  async readAt(offset: number, lengthBytes: number): Promise<Uint8Array> {
    const sizeBytes = await this.size();
    const bytes = new Uint8Array(Math.max(0, Math.min(lengthBytes, sizeBytes - offset)));
    let done = 0;
    while (done < bytes.length) {
      const count = Math.min(bytes.length - done, TRANSFER_BYTES_MAX);
      const { bytesRead } = await asDiskError(
        this.#path,
        read(this.#open(), bytes, done, count, offset + done),
      );
      if (bytesRead === 0) return bytes.slice(0, done);
      done += bytesRead;
    }
    return bytes;
  }

  async writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    this.#isDirty = true;
    await this.#write(this.#open(), offset, bytes);
  }

  /**
   * One visit to the thread pool where a write and a sync would be two. Such a write makes only
   * itself durable, so not behind a change that still has to be synced.
   */
  async writeDurably(offset: number, bytes: Uint8Array): Promise<void> {
    if (this.#isDirty || !HAS_DURABLE_WRITES) {
      await this.writeAt(offset, bytes);
      return this.datasync();
    }
    this.#open();
    this.#durable ??= await asDiskError(this.#path, open(this.#path, DURABLE_FLAGS));
    await this.#write(this.#durable, offset, bytes);
  }

  async #write(descriptor: number, offset: number, bytes: Uint8Array): Promise<void> {
    let done = 0;
    while (done < bytes.length) {
      const count = Math.min(bytes.length - done, TRANSFER_BYTES_MAX);
      const { bytesWritten } = await asDiskError(
        this.#path,
        write(descriptor, bytes, done, count, offset + done),
      );
      done += bytesWritten;
    }
  }

  async truncate(sizeBytes: number): Promise<void> {
    this.#isDirty = true;
    await asDiskError(this.#path, ftruncate(this.#open(), sizeBytes));
  }

  async datasync(): Promise<void> {
    await asDiskError(this.#path, fdatasync(this.#open()));
    this.#isDirty = false;
  }

  /** Closing twice is harmless: the descriptor's number may belong to another file by then. */
  async close(): Promise<void> {
    const descriptors = [this.#descriptor, this.#durable];
    this.#descriptor = undefined;
    this.#durable = undefined;
    for (const descriptor of descriptors) {
      if (descriptor !== undefined) await asDiskError(this.#path, close(descriptor));
    }
  }

  #open(): number {
    if (this.#descriptor === undefined) throw new DiskError('EBADF', this.#path);
    return this.#descriptor;
  }
}

/** One call moves no more than this, so that a single one never holds a pool thread for long. */
const TRANSFER_BYTES_MAX = 16 * 1024 * 1024;

/**
 * Linux alone: elsewhere the flag is missing, or leaves the bytes in the device's own cache.
 */
const HAS_DURABLE_WRITES = process.platform === 'linux';
const DURABLE_FLAGS = fs.constants.O_RDWR | fs.constants.O_DSYNC;

const readdir = promisify<string, string[]>(fs.readdir);
const mkdir = promisify<string, fs.MakeDirectoryOptions & { recursive: true }, string | undefined>(
  fs.mkdir,
);
const open = promisify(fs.open) as (
  file: string,
  flags: string | number,
  mode?: number,
) => Promise<number>;
const close = promisify(fs.close);
const read = promisify(fs.read);
const write = promisify(fs.write);
const fstat = promisify<number, fs.Stats>(fs.fstat);
const fsync = promisify(fs.fsync);
const fdatasync = promisify(fs.fdatasync);
const ftruncate = promisify(fs.ftruncate);
const rename = promisify(fs.rename);
const unlink = promisify(fs.unlink);

async function asDiskError<Value>(file: string, call: Promise<Value>): Promise<Value> {
  try {
    return await call;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
    throw new DiskError(code, file, error);
  }
}
