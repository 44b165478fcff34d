import { type Disk, DiskError, type DiskFile } from '../../src/ports/disk.ts';
import type { Random } from '../../src/ports/random.ts';

/**
 * A disk in memory that knows what a power failure may take: whatever was not synced since.
 *
 * Of un-synced writes each 512-byte sector survives or not, on its own; un-synced truncations,
 * and un-synced changes of one directory, survive up to some point in their order, as on a
 * journalling file system. A rename is there whole or not at all. Directories themselves
 * survive at once. A file stays usable through a handle when its name goes.
 */
export class MemoryDisk implements Disk {
  readonly #directories = new Map<string, Directory>();
  readonly #faults: Fault[] = [];
  #operations = 0;
  #powerOffAt = Number.POSITIVE_INFINITY;

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
    const survivor = new MemoryDisk();
    for (const [path, directory] of this.#directories) {
      const names = new Map(directory.durable);
      for (const change of directory.pending.slice(0, random.below(directory.pending.length + 1))) {
        change(names);
      }
      // Several names of one file would be one file, but nothing here makes hard links.
      const files = [...names].map(([name, file]) => [name, file.afterPowerLoss(random)] as const);
      survivor.#directories.set(path, new Directory(new Map(files)));
    }
    return survivor;
  }

  /** Content as programs see it, for tests that look at or damage it. */
  peek(path: string): Uint8Array {
    return this.#file(path).content();
  }

  /** Replaces content, durably. */
  poke(path: string, content: Uint8Array): void {
    const { parent, name } = split(path);
    const directory = this.#directories.get(parent) ?? new Directory(new Map());
    this.#directories.set(parent, directory);
    const file = new StoredFile(content.slice());
    directory.names.set(name, file);
    directory.durable.set(name, file);
  }

  names(path: string): string[] {
    return [...(this.#directories.get(path)?.names.keys() ?? [])].sort();
  }

  async list(path: string): Promise<string[]> {
    await this.begin('list', path);
    return [...this.#directory(path).names.keys()];
  }

  async makeDirectory(path: string): Promise<void> {
    await this.begin('makeDirectory', path);
    if (!this.#directories.has(path)) this.#directories.set(path, new Directory(new Map()));
  }

  async open(path: string, mode: 'create' | 'existing'): Promise<DiskFile> {
    await this.begin('open', path);
    if (mode === 'existing') return new MemoryFile(this, path, this.#file(path));
    const { parent, name } = split(path);
    const directory = this.#directory(parent);
    if (directory.names.has(name)) throw new DiskError('EEXIST', path);
    const file = new StoredFile(new Uint8Array(0));
    directory.change((names) => names.set(name, file));
    return new MemoryFile(this, path, file);
  }

  async read(path: string): Promise<Uint8Array> {
    await this.begin('read', path);
    return this.#file(path).content();
  }

  async rename(from: string, to: string): Promise<void> {
    await this.begin('rename', from);
    const source = split(from);
    const target = split(to);
    if (source.parent !== target.parent) throw new DiskError('EXDEV', from);
    const file = this.#file(from);
    this.#directory(source.parent).change((names) => {
      names.delete(source.name);
      names.set(target.name, file);
    });
  }

  async remove(path: string): Promise<void> {
    await this.begin('remove', path);
    const { parent, name } = split(path);
    this.#file(path);
    this.#directory(parent).change((names) => names.delete(name));
  }

  async syncDirectory(path: string): Promise<void> {
    await this.begin('syncDirectory', path);
    // Directories above those made here are not modelled.
    this.#directories.get(path)?.sync();
  }

  /** Every operation passes here first: it is counted, and may be made to fail. */
  async begin(operation: DiskOperation, path: string): Promise<void> {
    await undefined;
    this.#operations++;
    if (this.#operations > this.#powerOffAt) throw new DiskError('EIO', path);
    for (const fault of this.#faults) {
      if (fault.operation === operation && --fault.left === 0) {
        throw new DiskError(fault.code, path);
      }
    }
  }

  #directory(path: string): Directory {
    const directory = this.#directories.get(path);
    if (directory === undefined) throw new DiskError('ENOENT', path);
    return directory;
  }

  #file(path: string): StoredFile {
    const { parent, name } = split(path);
    const file = this.#directory(parent).names.get(name);
    if (file === undefined) throw new DiskError('ENOENT', path);
    return file;
  }
}

export type DiskOperation = Exclude<keyof Disk, 'rename'> | 'rename' | keyof DiskFile;

interface Fault {
  readonly operation: DiskOperation;
  left: number;
  readonly code: string;
}

type Names = Map<string, StoredFile>;

class Directory {
  readonly durable: Names;
  readonly names: Names;
  pending: ((names: Names) => void)[] = [];

  constructor(names: Names) {
    this.durable = names;
    this.names = new Map(names);
  }

  change(apply: (names: Names) => void): void {
    apply(this.names);
    this.pending.push(apply);
  }

  sync(): void {
    for (const apply of this.pending) apply(this.durable);
    this.pending = [];
  }
}

type FileChange =
  | { readonly type: 'write'; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly type: 'truncate'; readonly sizeBytes: number };

/** Content that is durable, and what changed since. */
class StoredFile {
  #durable: Uint8Array;
  #current: Uint8Array;
  #pending: FileChange[] = [];

  constructor(content: Uint8Array) {
    this.#durable = content;
    this.#current = content.slice();
  }

  get sizeBytes(): number {
    return this.#current.length;
  }

  content(): Uint8Array {
    return this.#current.slice();
  }

  readAt(offset: number, lengthBytes: number): Uint8Array {
    return this.#current.slice(offset, offset + lengthBytes);
  }

  change(change: FileChange): void {
    this.#pending.push(change);
    this.#current = applied(this.#current, change);
  }

  sync(): void {
    this.#durable = this.#pending.reduce(applied, this.#durable);
    this.#pending = [];
  }

  afterPowerLoss(random: Pick<Random, 'below'>): StoredFile {
    const truncations = this.#pending.filter((change) => change.type === 'truncate').length;
    let truncationsLeft = random.below(truncations + 1);
    let content: Uint8Array = this.#durable.slice();
    for (const change of this.#pending) {
      if (change.type === 'write') {
        for (const sector of sectorsOf(change)) {
          if (random.below(2) === 0) content = applied(content, sector);
        }
      } else if (truncationsLeft-- > 0) content = applied(content, change);
    }
    return new StoredFile(content);
  }
}

function applied(content: Uint8Array, change: FileChange): Uint8Array {
  if (change.type === 'truncate') return resized(content, change.sizeBytes);
  const end = change.offset + change.bytes.length;
  const result = end > content.length ? resized(content, end) : content;
  result.set(change.bytes, change.offset);
  return result;
}

function resized(content: Uint8Array, sizeBytes: number): Uint8Array {
  const result = new Uint8Array(sizeBytes);
  result.set(content.subarray(0, sizeBytes));
  return result;
}

/** The pieces of a write that a device stores or loses as one. */
function* sectorsOf(write: Extract<FileChange, { type: 'write' }>): Generator<FileChange> {
  let done = 0;
  while (done < write.bytes.length) {
    const offset = write.offset + done;
    const length = SECTOR_BYTES - (offset % SECTOR_BYTES);
    yield { type: 'write', offset, bytes: write.bytes.subarray(done, done + length) };
    done += length;
  }
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

  async size(): Promise<number> {
    await this.#begin('size');
    return this.#file.sizeBytes;
  }

  async readAt(offset: number, lengthBytes: number): Promise<Uint8Array> {
    await this.#begin('readAt');
    return this.#file.readAt(offset, lengthBytes);
  }

  async writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    await this.#begin('writeAt');
    this.#file.change({ type: 'write', offset, bytes: bytes.slice() });
  }

  async truncate(sizeBytes: number): Promise<void> {
    await this.#begin('truncate');
    this.#file.change({ type: 'truncate', sizeBytes });
  }

  async datasync(): Promise<void> {
    await this.#begin('datasync');
    this.#file.sync();
  }

  async close(): Promise<void> {
    if (!this.#isOpen) throw new DiskError('EBADF', this.#path);
    this.#isOpen = false;
    await this.#disk.begin('close', this.#path);
  }

  async #begin(operation: DiskOperation): Promise<void> {
    if (!this.#isOpen) throw new DiskError('EBADF', this.#path);
    await this.#disk.begin(operation, this.#path);
  }
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}

const SECTOR_BYTES = 512;
