import { DiskError } from '../../../src/ports/disk.ts';
import type { Random } from '../../../src/ports/random.ts';
import { StoredFile } from './stored-file.ts';

/**
 * A disk in memory that knows what a power failure may take: whatever was not synced since.
 *
 * Un-synced writes survive sector by sector of 512 bytes: of each sector those up to some point
 * in their order, independently of the other sectors. Un-synced truncations, and un-synced
 * changes of one directory, survive up to some point in their order too, as on a journalling
 * file system. A rename is there whole or not at all. Directories themselves
 * survive at once. A file stays usable through a handle when its name goes.
 *
 * It is synchronous and takes no time: sim-disk.ts adds time and faults. Refusals throw
 * {@link DiskError}.
 */
export class Device {
  readonly #directories = new Map<string, Directory>();

  /** In the order in which they were made. */
  names(path: string): string[] {
    return [...this.#directory(path).names.keys()];
  }

  makeDirectory(path: string): void {
    if (!this.#directories.has(path)) this.#directories.set(path, new Directory());
  }

  create(path: string): StoredFile {
    const { parent, name } = split(path);
    const directory = this.#directory(parent);
    if (directory.names.has(name)) throw new DiskError('EEXIST', path);
    const file = new StoredFile();
    directory.change((names) => names.set(name, file));
    return file;
  }

  file(path: string): StoredFile {
    const { parent, name } = split(path);
    const file = this.#directory(parent).names.get(name);
    if (file === undefined) throw new DiskError('ENOENT', path);
    return file;
  }

  /** Within one directory; what had the name `to` loses it. */
  rename(from: string, to: string): void {
    const source = split(from);
    const target = split(to);
    if (source.parent !== target.parent) throw new DiskError('EXDEV', from);
    const file = this.file(from);
    this.#directory(source.parent).change((names) => {
      names.delete(source.name);
      names.set(target.name, file);
    });
  }

  remove(path: string): void {
    const { parent, name } = split(path);
    this.file(path);
    this.#directory(parent).change((names) => names.delete(name));
  }

  /** Changes of the directory so far: the moment up to which {@link syncDirectory} works. */
  directoryChanges(path: string): number {
    return this.#directories.get(path)?.changes ?? 0;
  }

  /** Directories above those made here are not modelled: nothing happens for them. */
  syncDirectory(path: string, upTo: number = this.directoryChanges(path)): void {
    this.#directories.get(path)?.sync(upTo);
  }

  /** Replaces content, durably and without anybody's doing. */
  put(path: string, content: Uint8Array): void {
    const { parent, name } = split(path);
    this.makeDirectory(parent);
    this.#directory(parent).put(name, new StoredFile(content));
  }

  /** Files of the directory that are under their names now and would be after a power failure. */
  durableFiles(path: string): { readonly name: string; readonly file: StoredFile }[] {
    return this.#directories.get(path)?.durableFiles() ?? [];
  }

  /** The machine loses power: what was not synced survives in part, and is durable then. */
  powerLoss(random: Pick<Random, 'below'>): void {
    for (const directory of this.#directories.values()) directory.powerLoss(random);
  }

  /**
   * Only the process dies: what it wrote is in the page cache, which is the kernel's, and
   * nothing is lost. It may be lost to a later power failure.
   */
  processKill(): void {}

  #directory(path: string): Directory {
    const directory = this.#directories.get(path);
    if (directory === undefined) throw new DiskError('ENOENT', path);
    return directory;
  }
}

type Names = Map<string, StoredFile>;

class Directory {
  #names: Names = new Map();
  readonly #durable: Names = new Map();
  /** Not durable yet, in order. */
  #pending: ((names: Names) => void)[] = [];
  #durableChanges = 0;

  get names(): ReadonlyMap<string, StoredFile> {
    return this.#names;
  }

  get changes(): number {
    return this.#durableChanges + this.#pending.length;
  }

  change(apply: (names: Names) => void): void {
    apply(this.#names);
    this.#pending.push(apply);
  }

  sync(upTo: number): void {
    const count = Math.max(upTo - this.#durableChanges, 0);
    for (const apply of this.#pending.splice(0, count)) apply(this.#durable);
    this.#durableChanges += count;
  }

  put(name: string, file: StoredFile): void {
    this.#names.set(name, file);
    this.#durable.set(name, file);
  }

  durableFiles(): { readonly name: string; readonly file: StoredFile }[] {
    return [...this.#durable]
      .filter(([name, file]) => this.#names.get(name) === file)
      .map(([name, file]) => ({ name, file }));
  }

  powerLoss(random: Pick<Random, 'below'>): void {
    this.sync(this.#durableChanges + random.below(this.#pending.length + 1));
    this.#pending = [];
    this.#names = new Map(this.#durable);
    // Several names of one file would be one file, but nothing here makes hard links.
    for (const file of this.#names.values()) file.powerLoss(random);
  }
}

function split(path: string): { readonly parent: string; readonly name: string } {
  const slash = path.lastIndexOf('/');
  return { parent: path.slice(0, Math.max(slash, 0)), name: path.slice(slash + 1) };
}
