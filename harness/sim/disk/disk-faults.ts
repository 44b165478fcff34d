import type { DiskCounter, DiskFault, DiskFaultTally } from '../../cluster/cluster.ts';
import type { Operation } from './operation.ts';

/**
 * What is wrong with a node's disk, and what that has touched: it belongs to the machine, so
 * it outlives the processes that run into it.
 */
export class DiskFaults {
  #fault: DiskFault = { type: 'none' };
  #syncDelayMs = 0;
  /** Set while the fault is a stall. */
  #healed: PromiseWithResolvers<void> | undefined;
  #stalled = 0;
  #refused = 0;
  #lied = 0;
  #syncs = 0;
  #delayedSyncs = 0;
  #delayedTotalNs = 0;

  /** Replaces the fault; operations that hang go on if it is no stall any more. */
  set(fault: DiskFault): void {
    this.#fault = fault;
    if (fault.type === 'stall') {
      this.#healed ??= Promise.withResolvers<void>();
    } else {
      this.#healed?.resolve();
      this.#healed = undefined;
    }
  }

  get isLying(): boolean {
    return this.#fault.type === 'lie';
  }

  /** For the syncs that start from now on; those under way keep their delay. 0 heals. */
  setSyncDelay(delayMs: number): void {
    this.#syncDelayMs = delayMs;
  }

  /** Since the cluster started. */
  tally(): DiskFaultTally {
    return { stalled: this.#stalled, refused: this.#refused, lied: this.#lied };
  }

  /** Since the node's restart. */
  counter(): DiskCounter {
    const count = this.#delayedSyncs;
    const delayedMeanMs = count === 0 ? 0 : this.#delayedTotalNs / count / NS_PER_MS;
    return { syncs: this.#syncs, delayedSyncs: count, delayedMeanMs };
  }

  /** A new process: {@link counter} starts over. */
  restarted(): void {
    this.#syncs = 0;
    this.#delayedSyncs = 0;
    this.#delayedTotalNs = 0;
  }

  get syncDelayNs(): number {
    return this.#syncDelayMs * NS_PER_MS;
  }

  /** While operations hang: resolves when they may go on. */
  get stall(): Promise<void> | undefined {
    return this.#healed?.promise;
  }

  noteStalled(): void {
    this.#stalled++;
  }

  /**
   * The code to refuse the operation with, counted. A full disk refuses changes only if they
   * need room: new files, and bytes where none were written yet. A log that was extended in
   * advance is no exception, because extending makes a hole and takes no room.
   */
  refusal(operation: Operation<unknown>): 'EIO' | 'ENOSPC' | undefined {
    const fault = this.#fault;
    if (fault.type !== 'error') return undefined;
    if (operation.kind !== (fault.operation === 'sync' ? 'sync' : 'change')) return undefined;
    const isChange = operation.kind === 'change';
    if (isChange && fault.code === 'ENOSPC' && !operation.needsSpace?.()) return undefined;
    this.#refused++;
    return fault.code;
  }

  /** May this sync be answered without keeping anything? Counted if so. */
  lies(): boolean {
    if (this.#fault.type !== 'lie') return false;
    this.#lied++;
    return true;
  }

  /** A sync was answered; `delayedNs`: what it took in all, if it was delayed on purpose. */
  noteSync(delayedNs: number | undefined): void {
    this.#syncs++;
    if (delayedNs === undefined) return;
    this.#delayedSyncs++;
    this.#delayedTotalNs += delayedNs;
  }
}

const NS_PER_MS = 1_000_000;
