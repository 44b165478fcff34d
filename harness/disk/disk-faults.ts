/** What is wrong with the disk now: every operation passes here before it is done. */

import { assertNever } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import type { DiskFault, DiskFaultTally } from '../cluster/cluster.ts';
import { seededRandom } from '../seeded-random.ts';
import { drawMs } from './latency.ts';

/**
 * What an operation does to the disk. `grow` is a change that needs room: bytes, or a new name;
 * `exempt` are those without which the disk could not even be mounted and unmounted.
 */
export type OperationKind = 'read' | 'change' | 'grow' | 'sync' | 'exempt';

export type Refusal = 'EIO' | 'ENOSPC' | 'EROFS';

/** Time, as far as faults need it. */
export interface FaultTime {
  /** Resolves after `durationMs` or later, and answers how long it took. */
  wait(durationMs: number): Promise<number>;
}

export interface WriteDelays {
  readonly delayedWrites: number;
  readonly delayedWriteMeanMs: number;
}

/** Stray bits are drawn for blocks of this size, so that a byte rots the same way in every read. */
const ROT_BLOCK_BYTES = 4096;

export class DiskFaults {
  readonly #time: FaultTime;
  readonly #onTally: (tally: DiskFaultTally) => void;
  #fault: DiskFault = { type: 'none' };
  #random: Random = seededRandom(0);
  /** Set while the fault is a stall. */
  #healed: PromiseWithResolvers<void> | undefined;
  #tally: { stalled: number; refused: number; lied: number; rotten: number };
  #delayedWrites = 0;
  #delayedWritesTotalMs = 0;

  /** `tally`: where counting starts; `onTally` hears of every count. */
  constructor(
    time: FaultTime,
    tally: DiskFaultTally,
    onTally: (tally: DiskFaultTally) => void = () => undefined,
  ) {
    this.#time = time;
    this.#tally = { rotten: 0, ...tally };
    this.#onTally = onTally;
  }

  /** Replaces the fault; operations that hang go on if it is no stall any more. */
  set(fault: DiskFault): void {
    this.#fault = fault;
    if (fault.type === 'latency' || fault.type === 'rot') this.#random = seededRandom(fault.seed);
    if (fault.type === 'stall') {
      this.#healed ??= Promise.withResolvers<void>();
    } else {
      this.#healed?.resolve();
      this.#healed = undefined;
    }
  }

  get fault(): DiskFault {
    return this.#fault;
  }

  tally(): DiskFaultTally {
    return { ...this.#tally };
  }

  writeDelays(): WriteDelays {
    const count = this.#delayedWrites;
    const meanMs = count === 0 ? 0 : this.#delayedWritesTotalMs / count;
    return { delayedWrites: count, delayedWriteMeanMs: meanMs };
  }

  /** Whether {@link admit} may take time now. */
  mayWait(kind: OperationKind): boolean {
    const fault = this.#fault;
    if (fault.type === 'stall') return stalls(fault, kind);
    return fault.type === 'latency' && fault.write !== undefined && isChange(kind);
  }

  /** Resolves when the operation may be done, or with the errno to refuse it with. */
  async admit(kind: OperationKind): Promise<Refusal | undefined> {
    if (this.#healed !== undefined && stalls(this.#fault, kind)) {
      this.#count('stalled');
      while (this.#healed !== undefined && stalls(this.#fault, kind)) await this.#healed.promise;
    }
    const fault = this.#fault;
    if (fault.type === 'latency' && fault.write !== undefined && isChange(kind)) {
      this.#delayedWritesTotalMs += await this.#time.wait(drawMs(fault.write, this.#random));
      this.#delayedWrites++;
    }
    const refusal = refusalOf(this.#fault, kind);
    if (refusal !== undefined) this.#count('refused');
    return refusal;
  }

  /** What is added to a sync that starts now. */
  drawSyncDelayMs(): number {
    const fault = this.#fault;
    if (fault.type !== 'latency' || fault.sync === undefined) return 0;
    return drawMs(fault.sync, this.#random);
  }

  /** May this sync be answered without keeping anything? Counted if so. */
  lies(): boolean {
    if (this.#fault.type !== 'lie') return false;
    this.#count('lied');
    return true;
  }

  /** Whether a file may be opened for writing; counted if not. */
  refusesToOpenForWriting(): boolean {
    if (this.#fault.type !== 'read-only') return false;
    this.#count('refused');
    return true;
  }

  /** Flips bits of what was read from `offset` of the file, one in so many bytes, if so ordered. */
  rot(bytes: Buffer, offset: number, file: string): void {
    const fault = this.#fault;
    if (fault.type !== 'rot' || bytes.length === 0) return;
    const last = Math.floor((offset + bytes.length - 1) / ROT_BLOCK_BYTES);
    let flipped = 0;
    for (let block = Math.floor(offset / ROT_BLOCK_BYTES); block <= last; block++) {
      const random = this.#random.fork(`${file}/${block}`);
      if (random.below(Math.max(1, Math.ceil(fault.everyBytes / ROT_BLOCK_BYTES))) !== 0) continue;
      const at = block * ROT_BLOCK_BYTES + random.below(ROT_BLOCK_BYTES) - offset;
      if (at < 0 || at >= bytes.length) continue;
      bytes[at]! ^= 1 << random.below(8);
      flipped++;
    }
    if (flipped > 0) this.#count('rotten');
  }

  #count(what: 'stalled' | 'refused' | 'lied' | 'rotten'): void {
    this.#tally[what]++;
    this.#onTally(this.#tally);
  }
}

function stalls(fault: DiskFault, kind: OperationKind): boolean {
  if (fault.type !== 'stall' || kind === 'exempt') return false;
  return fault.operation === undefined || kind === fault.operation;
}

function refusalOf(fault: DiskFault, kind: OperationKind): Refusal | undefined {
  switch (fault.type) {
    case 'error': {
      if (fault.operation === 'sync') return kind === 'sync' ? fault.code : undefined;
      const isMet = fault.code === 'ENOSPC' ? kind === 'grow' : isChange(kind);
      return isMet ? fault.code : undefined;
    }
    case 'read-only':
      return isChange(kind) ? 'EROFS' : undefined;
    case 'none':
    case 'stall':
    case 'lie':
    case 'rot':
    case 'latency':
      return undefined;
    default:
      return assertNever(fault);
  }
}

function isChange(kind: OperationKind): boolean {
  return kind === 'change' || kind === 'grow';
}
