import { type Disk, DiskError, type DiskFile } from '../../../src/ports/disk.ts';
import type { Random } from '../../../src/ports/random.ts';
import { drawNs } from '../draw-ns.ts';
import type { SimDiskOptions } from '../plan.ts';
import type { Device } from './device.ts';
import type { DiskFaults } from './disk-faults.ts';
import type { Operation, Performer } from './operation.ts';
import { SimFile } from './sim-file.ts';

export interface SimDiskParts {
  readonly device: Device;
  readonly faults: DiskFaults;
  readonly options: SimDiskOptions;
  readonly random: Random;
  /** In virtual time; never resolves once the process is dead. */
  readonly sleep: (delayNs: number) => Promise<void>;
  readonly nowNs: () => number;
  /** Told each operation in words when it completes, refused ones with the reason. */
  readonly onOperation?: (text: string) => void;
}

/**
 * The disk as one life of a member's process has it. Each operation takes virtual time, from
 * one draw, and happens at its end, all at once: before that nobody sees it. So a kill leaves
 * operations in flight, and {@link abandon} decides which of them the kernel had already taken.
 */
export class SimDisk implements Disk, Performer {
  readonly #parts: SimDiskParts;
  readonly #device: Device;
  readonly #faults: DiskFaults;
  /** Changes that have not happened yet, in the order of the calls. */
  readonly #inFlight = new Set<Operation<unknown>>();

  /** A life begins: the counter of syncs starts over. */
  constructor(parts: SimDiskParts) {
    this.#parts = parts;
    this.#device = parts.device;
    this.#faults = parts.faults;
    this.#faults.restarted();
  }

  /**
   * The process is killed: of the changes in flight about half reach the page cache, whence
   * they may yet be lost or torn. Call it before the device's `powerLoss` or `processKill`.
   */
  abandon(random: Pick<Random, 'below'>): void {
    for (const operation of this.#inFlight) {
      if (random.below(2) === 0) this.#reachThePageCache(operation);
    }
    this.#inFlight.clear();
  }

  list(path: string): Promise<string[]> {
    return this.perform({
      kind: 'read',
      path,
      effect: () => this.#device.names(path),
      describe: () => `list ${path}`,
    });
  }

  makeDirectory(path: string): Promise<void> {
    return this.perform({
      kind: 'change',
      path,
      effect: () => this.#device.makeDirectory(path),
      describe: () => `make directory ${path}`,
    });
  }

  open(path: string, mode: 'create' | 'existing'): Promise<DiskFile> {
    const isNew = mode === 'create';
    return this.perform({
      kind: isNew ? 'change' : 'read',
      path,
      needsSpace: () => isNew,
      effect: () => {
        const file = isNew ? this.#device.create(path) : this.#device.file(path);
        return new SimFile(this, path, file);
      },
      describe: () => `${isNew ? 'create' : 'open'} ${path}`,
    });
  }

  read(path: string): Promise<Uint8Array> {
    return this.perform({
      kind: 'read',
      path,
      effect: () => this.#device.file(path).read(),
      describe: () => `read ${path}`,
    });
  }

  rename(from: string, to: string): Promise<void> {
    return this.perform({
      kind: 'change',
      path: from,
      effect: () => this.#device.rename(from, to),
      describe: () => `rename ${from} to ${to}`,
    });
  }

  remove(path: string): Promise<void> {
    return this.perform({
      kind: 'change',
      path,
      effect: () => this.#device.remove(path),
      describe: () => `remove ${path}`,
    });
  }

  syncDirectory(path: string): Promise<void> {
    const upTo = this.#device.directoryChanges(path);
    return this.perform({
      kind: 'sync',
      path,
      effect: (keeps) => {
        if (keeps) this.#device.syncDirectory(path, upTo);
      },
      describe: () => `sync directory ${path}`,
    });
  }

  async perform<Value>(operation: Operation<Value>): Promise<Value> {
    const { options, random, sleep, nowNs, onOperation } = this.#parts;
    const isSync = operation.kind === 'sync';
    const startNs = nowNs();
    const addedNs = isSync ? this.#faults.syncDelayNs : 0;
    if (operation.kind === 'change') this.#inFlight.add(operation);
    await sleep(drawNs(random, isSync ? options.syncUs : options.writeUs) + addedNs);
    if (this.#faults.stall !== undefined) await this.#untilHealed();
    this.#inFlight.delete(operation);
    try {
      const value = this.#complete(operation);
      if (isSync) this.#faults.noteSync(addedNs > 0 ? nowNs() - startNs : undefined);
      return value;
    } catch (error) {
      if (error instanceof DiskError) onOperation?.(`${operation.describe()}: ${error.code}`);
      throw error;
    }
  }

  /** The fault in force at the end of an operation is the one that it meets. */
  #complete<Value>(operation: Operation<Value>): Value {
    const { onOperation } = this.#parts;
    const code = this.#faults.refusal(operation);
    if (code !== undefined) throw new DiskError(code, operation.path);
    const keeps = operation.kind !== 'sync' || !this.#faults.lies();
    const value = operation.effect(keeps);
    onOperation?.(keeps ? operation.describe() : `${operation.describe()}: lied`);
    return value;
  }

  async #untilHealed(): Promise<void> {
    this.#faults.noteStalled();
    while (this.#faults.stall !== undefined) {
      await this.#faults.stall;
      // Only a process that is alive, and awake, goes on.
      await this.#parts.sleep(0);
    }
  }

  #reachThePageCache(operation: Operation<unknown>): void {
    const { onOperation } = this.#parts;
    if (this.#faults.refusal(operation) !== undefined) return;
    try {
      operation.effect(true);
    } catch (error) {
      // It would have been refused; nobody is left to be told.
      if (error instanceof DiskError) return;
      throw error;
    }
    onOperation?.(`${operation.describe()}: in flight at the kill, taken`);
  }
}
