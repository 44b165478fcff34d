import { assert, assertNever } from '../lib/assert.ts';
import type { Index, Term } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Entry, HardState } from '../raft/message.ts';
import {
  decodeEntry,
  decodeHardState,
  decodeSnapshotRecord,
  decodeWalMetadata,
  type SnapshotRecord,
  type WalMetadata,
} from '../wire/raft-records.ts';
import { RECORD_TYPE, type RecordType, type WalRecord } from './frame.ts';
import type { WalProblem } from './wal-error.ts';

/** What a log says, all segments together. */
export interface Replayed {
  readonly metadata: WalMetadata;
  /** The last one; term 0, no vote and commit 0 if there is none. */
  readonly hardState: HardState;
  /**
   * Everything still in the log, contiguous; what a snapshot covers may be among it. Data are
   * views into the segments as they were read.
   */
  readonly entries: readonly Entry[];
  /** In the order of writing, without the mark at index 0 that begins a log. */
  readonly snapshots: readonly SnapshotRecord[];
  /** Of the last entry or snapshot; the next entry's is at most one more. */
  readonly lastIndex: Index;
}

/**
 * Rebuilds the log from its records. An entry replaces everything at and behind its index; a
 * snapshot whose entry the log does not hold came from the leader and replaces everything.
 */
export class LogReplay {
  #metadata: WalMetadata | undefined;
  #hardState: HardState = { term: 0, vote: undefined, commit: 0 };
  readonly #snapshots: SnapshotRecord[] = [];
  #entries: Entry[] = [];
  #lastIndex: Index;

  /** `firstIndex`: from the name of the oldest segment; entries before it were released. */
  constructor(firstIndex: Index) {
    assert(firstIndex >= 1, 'entries are counted from 1');
    this.#lastIndex = firstIndex - 1;
  }

  /** Takes one record that verified; the order is that of the log. */
  add(record: WalRecord): WalProblem | undefined {
    const type = KNOWN_TYPES.find((known) => known === record.type);
    switch (type) {
      case RECORD_TYPE.crc:
        return undefined;
      case RECORD_TYPE.metadata:
        return this.#addMetadata(record.data);
      case RECORD_TYPE.entry:
        return this.#addEntry(record.data);
      case RECORD_TYPE.hardState: {
        const decoded = decodeHardState(record.data);
        if (!decoded.ok) return unknown(decoded.error.reason);
        this.#hardState = decoded.value;
        return undefined;
      }
      case RECORD_TYPE.snapshot:
        return this.#addSnapshot(record.data);
      case undefined:
        return unknown(`record type ${record.type} is not known`);
      default:
        return assertNever(type);
    }
  }

  finish(): Result<Replayed, WalProblem> {
    if (this.#metadata === undefined) {
      return err({ kind: 'corrupt', reason: 'the log does not say whose it is' });
    }
    return ok({
      metadata: this.#metadata,
      hardState: this.#hardState,
      entries: this.#entries,
      snapshots: this.#snapshots,
      lastIndex: this.#lastIndex,
    });
  }

  #addMetadata(data: Uint8Array): WalProblem | undefined {
    const decoded = decodeWalMetadata(data);
    if (!decoded.ok) return unknown(decoded.error.reason);
    const { memberId, clusterId } = decoded.value;
    const earlier = this.#metadata;
    if (earlier === undefined) {
      this.#metadata = decoded.value;
    } else if (earlier.memberId !== memberId || earlier.clusterId !== clusterId) {
      return { kind: 'corrupt', reason: 'segments of two members or clusters' };
    }
    return undefined;
  }

  #addEntry(data: Uint8Array): WalProblem | undefined {
    const decoded = decodeEntry(data);
    if (!decoded.ok) return unknown(decoded.error.reason);
    const { index } = decoded.value;
    if (index > this.#lastIndex + 1) {
      return { kind: 'gap', reason: `entry ${index} follows entry ${this.#lastIndex}` };
    }
    const keep = index - this.#firstIndex();
    assert(keep <= this.#entries.length, 'the log is contiguous');
    this.#entries.length = Math.max(keep, 0);
    const { term } = decoded.value;
    const termBefore = this.#entries.at(-1)?.term ?? 0;
    if (term < termBefore) {
      return { kind: 'corrupt', reason: `term ${term} of entry ${index} follows ${termBefore}` };
    }
    this.#entries.push(decoded.value);
    this.#lastIndex = index;
    return undefined;
  }

  #addSnapshot(data: Uint8Array): WalProblem | undefined {
    const decoded = decodeSnapshotRecord(data);
    if (!decoded.ok) return unknown(decoded.error.reason);
    const { index, term } = decoded.value;
    if (index === 0) return undefined;
    this.#snapshots.push(decoded.value);
    if (this.#holds(index, term)) return undefined;
    this.#entries = [];
    this.#lastIndex = index;
    return undefined;
  }

  /**
   * Is the snapshot's entry in the log? Those before the first were released, so they were
   * applied here, and only a member's own checkpoint can be as old as that.
   */
  #holds(index: Index, term: Term): boolean {
    if (index > this.#lastIndex) return false;
    const entry = this.#entries[index - this.#firstIndex()];
    return entry === undefined || entry.term === term;
  }

  #firstIndex(): Index {
    return this.#entries[0]?.index ?? this.#lastIndex + 1;
  }
}

function unknown(reason: string): WalProblem {
  return { kind: 'unknownRecord', reason };
}

const KNOWN_TYPES: readonly RecordType[] = Object.values(RECORD_TYPE);
