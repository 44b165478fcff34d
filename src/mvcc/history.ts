/** Changes in revision order: what apply tells watchers, and what late watchers catch up from. */
import type { Revision } from '../lib/ids.ts';
import type { KeyIndex } from './key-index.ts';
import { LogReader } from './log-reader.ts';
import type { StoredRevision } from './revision-record.ts';

/** Some retained changes in a row. */
export interface Changes {
  /** Ascending by (main, sub). */
  readonly changes: readonly StoredRevision[];
  /** Where to go on: all retained changes before it were given. */
  readonly nextRevision: Revision;
}

/** Changes with `main` = `revision` that are retained after a compaction at `compactRevision`. */
export function changesAt(
  index: KeyIndex,
  compactRevision: Revision,
  revision: Revision,
): readonly StoredRevision[] {
  const changes: StoredRevision[] = [];
  const reader = new LogReader(index.log, index.log.idFromMain(revision));
  while (reader.next()) {
    const { chunk, at } = reader;
    if (chunk.main[at] !== revision) break;
    if (!chunk.isObsolete(at, compactRevision)) changes.push(index.row(chunk, at));
  }
  return changes;
}

/**
 * From `revision` on, at least one main revision, and no further one after `rowsMax` rows.
 * `presentRevision` is the last there is, with changes or without.
 */
export function changesFrom(
  index: KeyIndex,
  { compactRevision, presentRevision }: { compactRevision: Revision; presentRevision: Revision },
  revision: Revision,
  rowsMax: number,
): Changes {
  const changes: StoredRevision[] = [];
  const reader = new LogReader(index.log, index.log.idFromMain(revision));
  let main = revision;
  for (let rows = 0; reader.next(); rows++) {
    const { chunk, at } = reader;
    const next = chunk.main[at]!;
    if (next !== main && rows >= rowsMax && rows > 0) return { changes, nextRevision: next };
    main = next;
    if (!chunk.isObsolete(at, compactRevision)) changes.push(index.row(chunk, at));
  }
  return { changes, nextRevision: Math.max(revision, presentRevision + 1) };
}
