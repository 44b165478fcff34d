/** One change of one key, as kept in memory and in a checkpoint. */
import type { Revision } from '../lib/ids.ts';
import type { KeyValue } from './request.ts';

/** A row of a checkpoint's `key` bucket. A tombstone's key-value has only its key set. */
export interface StoredRevision {
  readonly main: Revision;
  /** Position among the changes that share `main`, from 0. */
  readonly sub: number;
  readonly tombstone: boolean;
  readonly keyValue: KeyValue;
}

/** The same in memory. Immutable but for `supersededAt`, so read views may share it. */
export interface RevisionRecord extends StoredRevision {
  /** The key as {@link nameOf} gives it. */
  readonly name: string;
  /** `main` of the key's next change; 0 while this is its newest. Only compaction reads it. */
  supersededAt: Revision;
}

/** Reads at this revision see everything, the changes of a running transaction included. */
export const NEWEST: Revision = Number.MAX_SAFE_INTEGER;

/** bbolt's leaf element (16), the revision as key (18), field tags and numbers of the value. */
const ROW_OVERHEAD_BYTES = 16 + 18 + 24;

/** Bytes the record takes in a checkpoint, give or take the widths of its numbers. */
export function rowSizeBytes({ keyValue }: StoredRevision): number {
  return ROW_OVERHEAD_BYTES + keyValue.key.length + keyValue.value.length;
}

/** Order of the log: by `main`, then `sub`. */
export function isBefore(a: StoredRevision, b: StoredRevision): boolean {
  return a.main < b.main || (a.main === b.main && a.sub < b.sub);
}

/** The key's last change at or before `revision`; `history` is ascending. */
export function newestAt(
  history: readonly RevisionRecord[],
  revision: Revision,
): RevisionRecord | undefined {
  let low = 0;
  let high = history.length;
  // Nearly every read is of the present, so the last one is tried before the search.
  if (high > 0 && history[high - 1]!.main <= revision) return history[high - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (history[middle]!.main <= revision) low = middle + 1;
    else high = middle;
  }
  return history[low - 1];
}
