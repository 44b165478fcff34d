import type { Revision } from '../lib/ids.ts';
import type { KeyValue } from './request.ts';
import type { StoredRevision } from './revision-record.ts';

/** What watching needs of a store. */
export interface WatchSource {
  readonly revision: Revision;
  /** Changes before it are incomplete; 0: never compacted. */
  readonly compactRevision: Revision;
  /**
   * All retained changes with `revision` ≤ main < `nextRevision`, in (main, sub) order. About
   * `rowsMax` of them: a main revision is never split. Makes progress: `nextRevision` >
   * `revision` unless nothing is left.
   */
  changesFrom(
    revision: Revision,
    rowsMax: number,
  ): { readonly changes: readonly StoredRevision[]; readonly nextRevision: Revision };
  /** All retained changes of one main revision, in sub order. */
  changesAt(revision: Revision): readonly StoredRevision[];
  /** The key as it was then; undefined if it did not exist. */
  liveAt(key: Uint8Array, revision: Revision): KeyValue | undefined;
}
