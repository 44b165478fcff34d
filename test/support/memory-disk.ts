import { Device } from '../../harness/sim/disk/device.ts';
import type { StoredFile } from '../../harness/sim/disk/stored-file.ts';
import { type Disk, DiskError, type DiskFile } from '../../src/ports/disk.ts';
import type { Random } from '../../src/ports/random.ts';

/**
 * The simulator's device (harness/sim/disk/device.ts says what a power failure takes) as a
 * disk without time, for tests that say themselves which operation fails.
 */
export class MemoryDisk implements Disk {
  readonly device: Device;
  readonly #faults: Fault[] = [];
  #operations = 0;
  #powerOffAt = Number.POSITIVE_INFINITY;

  constructor(device: Device = new Device()) {
    this.device = device;
  }

  /** Operations begun so far. */
  get operations(): number {
    return this.#operations;
  }

  /** Lets the `nth` operation of a kind from now on fail: it has no effect. */
  failNth(operation: DiskOperation, nth: number, code: 'EIO' | 'ENOSPC'): void {
    this.#faults.push({ operation, left: nth, code });
  }

  /** Lets every operation fail from the `count`-th from now on: the process is dead. */
  powerOffAfter(count: number): void {
    this.#powerOffAt = this.#operations + count;
  }

  /** What is on the device after a power failure at this moment; this disk is dead then. */
  afterPowerLoss(random: Pick<Random, 'below'>): MemoryDisk {
    this.#powerOffAt = 0;
    this.device.powerLoss(random);
    return new MemoryDisk(this.device);
  }

  /** Content as programs see it, for tests that look at or damage it. */
  peek(path: string): Uint8Array {
    return this.device.file(path).read();
  }

  /** Replaces content, durably. */
  poke(path: string, content: Uint8Array): void {
    this.device.put(path, content);
  }

  /** None if there is no such directory. */
  names(path: string): string[] {
    try {
      return this.device.names(path).sort();
    } catch (error) {
      if (error instanceof DiskError) return [];
      throw error;
    }
  }

  list(path: string): Promise<string[]> {
    return this.run('list', path, () => this.device.names(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.run('makeDirectory', path, () => this.device.makeDirectory(path));
  }

  open(path: string, mode: 'create' | 'existing'): Promise<DiskFile> {
    return this.run('open', path, () => {
      const file = mode === 'create' ? this.device.create(path) : this.device.file(path);
      return new MemoryFile(this, path, file);
    });
  }

  read(path: string): Promise<Uint8Array> {
    return this.run('read', path, () => this.device.file(path).read());
  }

  rename(from: string, to: string): Promise<void> {
    return this.run('rename', from, () => this.device.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.run('remove', path, () => this.device.remove(path));
  }

  syncDirectory(path: string): Promise<void> {
    return this.run('syncDirectory', path, () => this.device.syncDirectory(path));
  }

  /** Every operation passes here: it is counted, and may be made to fail. */
  async run<Value>(operation: DiskOperation, path: string, effect: () => Value): Promise<Value> {
    await undefined;
    this.#operations++;
    if (this.#operations > this.#powerOffAt) throw new DiskError('EIO', path);
    for (const fault of this.#faults) {
      if (fault.operation === operation && --fault.left === 0) {
        throw new DiskError(fault.code, path);
      }
    }
    return effect();
  }
}

export type DiskOperation = keyof Disk | keyof DiskFile;

interface Fault {
  readonly operation: DiskOperation;
  left: number;
  readonly code: string;
}

class MemoryFile implements DiskFile {
  readonly #disk: MemoryDisk;
  readonly #path: string;
  readonly #file: StoredFile;
  #isOpen = true;

  constructor(disk: MemoryDisk, path: string, file: StoredFile) {
    this.#disk = disk;
    this.#path = path;
    this.#file = file;
  }

  size(): Promise<number> {
    return this.#run('size', () => this.#file.sizeBytes);
  }

  readAt(offset: number, lengthBytes: number): Promise<Uint8Array> {
    return this.#run('readAt', () => this.#file.read(offset, lengthBytes));
  }

  writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    return this.#run('writeAt', () => this.#file.write(offset, bytes));
  }

  async writeDurably(offset: number, bytes: Uint8Array): Promise<void> {
    await this.writeAt(offset, bytes);
    await this.datasync();
  }

  truncate(sizeBytes: number): Promise<void> {
    return this.#run('truncate', () => this.#file.truncate(sizeBytes));
  }

  datasync(): Promise<void> {
    return this.#run('datasync', () => this.#file.sync());
  }

  async close(): Promise<void> {
    const closed = this.#run('close', () => undefined);
    this.#isOpen = false;
    await closed;
  }

  async #run<Value>(operation: DiskOperation, effect: () => Value): Promise<Value> {
    if (!this.#isOpen) throw new DiskError('EBADF', this.#path);
    return this.#disk.run(operation, this.#path, effect);
  }
}
