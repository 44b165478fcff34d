import { DiskError, type DiskFile } from '../../../src/ports/disk.ts';
import type { Operation, Performer } from './operation.ts';
import type { StoredFile } from './stored-file.ts';

/** A file that a simulated process has open; sim-disk.ts says how operations happen. */
export class SimFile implements DiskFile {
  readonly #performer: Performer;
  readonly #path: string;
  readonly #file: StoredFile;
  #isOpen = true;

  constructor(performer: Performer, path: string, file: StoredFile) {
    this.#performer = performer;
    this.#path = path;
    this.#file = file;
  }

  size(): Promise<number> {
    return this.#perform({
      kind: 'read',
      path: this.#path,
      effect: () => this.#file.sizeBytes,
      describe: () => `size of ${this.#path}`,
    });
  }

  readAt(offset: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#perform({
      kind: 'read',
      path: this.#path,
      effect: () => this.#file.read(offset, lengthBytes),
      describe: () => `read ${this.#path} at ${offset}, ${lengthBytes} bytes`,
    });
  }

  /** The bytes are taken at the end, as a real disk may: a caller that changes them is wrong. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#perform({
      kind: 'change',
      path: this.#path,
      needsSpace: () => offset + bytes.length > this.#file.writtenBytes,
      effect: () => this.#file.write(offset, bytes),
      describe: () => `write ${this.#path} at ${offset}, ${bytes.length} bytes`,
    });
  }

  async writeDurably(offset: number, bytes: Uint8Array): Promise<void> {
    await this.writeAt(offset, bytes);
    await this.datasync();
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#perform({
      kind: 'change',
      path: this.#path,
      effect: () => this.#file.truncate(sizeBytes),
      describe: () => `truncate ${this.#path} to ${sizeBytes} bytes`,
    });
  }

  /** What was written before the call becomes durable, and nothing else. */
  datasync(): Promise<void> {
    const upTo = this.#file.changes;
    return this.#perform({
      kind: 'sync',
      path: this.#path,
      effect: (keeps) => {
        if (keeps) this.#file.sync(upTo);
      },
      describe: () => `sync ${this.#path}`,
    });
  }

  /** Closing twice is harmless, as on the real disk. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#performer.perform({
      kind: 'read',
      path: this.#path,
      effect: () => undefined,
      describe: () => `close ${this.#path}`,
    });
  }

  #perform<Value>(operation: Operation<Value>): Promise<Value> {
    if (!this.#isOpen) return Promise.reject(new DiskError('EBADF', this.#path));
    return this.#performer.perform(operation);
  }
}
