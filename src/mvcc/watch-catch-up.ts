/** Reads for many watchers at once what they have missed. */

import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import { nameOf } from '../lib/key-name.ts';
import type { StoredRevision } from './revision-record.ts';
import { WatchedChange, WatchedChanges } from './watch-changes.ts';
import { WatchIndex } from './watch-index.ts';
import type { WatchSource } from './watch-source.ts';
import type { Watcher } from './watch-stream.ts';

/** All of them at least one main revision wide, so that every reading gets somewhere. */
export interface ReadingBounds {
  /** Nothing behind it is read. */
  readonly revisionMax: Revision;
  readonly rowsMax: number;
  /** Of keys and values of one watcher's changes. */
  readonly bytesMax: number;
}

export interface Reading {
  /** Rows looked at. */
  readonly rows: number;
  /** Everything before it has been looked at. */
  readonly nextRevision: Revision;
  /** Who took part, and what happened where it watches; undefined: nothing. */
  readonly found: ReadonlyMap<Watcher, WatchedChanges | undefined>;
}

/** By watchers of the same span. */
export type FoundChanges = Map<ReadonlySet<Watcher>, WatchedChanges>;

/** Rows asked for at a time: with values of 1 MB each this is what a reading holds. */
const ROWS_PER_QUERY = 64;

/** Adds the change to what is found, for all whom it concerns; returns the most that any has. */
export function collectChange(
  index: WatchIndex<Watcher>,
  change: StoredRevision,
  source: WatchSource,
  found: FoundChanges,
): number {
  let watched: WatchedChange | undefined;
  let sizeBytesMax = 0;
  index.visit(nameOf(change.keyValue.key), (watchers) => {
    watched ??= new WatchedChange(change, source);
    let changes = found.get(watchers);
    if (changes === undefined) {
      changes = new WatchedChanges();
      found.set(watchers, changes);
    }
    changes.add(watched);
    sizeBytesMax = Math.max(sizeBytesMax, changes.sizeBytes);
  });
  return sizeBytesMax;
}

/**
 * Reads from where the first of the batch is. The others take part if they are there or further
 * on, and if the reading gets to them; those behind it have their turn later.
 */
export function readForWatchers(
  source: WatchSource,
  batch: ReadonlySet<Watcher>,
  bounds: ReadingBounds,
): Reading {
  const [head] = batch;
  assert(head !== undefined, 'nobody to read for');
  const from = head.nextRevision;
  const index = new WatchIndex<Watcher>();
  for (const watcher of batch) if (watcher.nextRevision >= from) index.add(watcher);
  const changes: FoundChanges = new Map();
  const { rows, nextRevision } = readInto(changes, index, source, from, bounds);
  const found = new Map<Watcher, WatchedChanges | undefined>();
  for (const watcher of batch) {
    if (watcher.nextRevision >= from && watcher.nextRevision < nextRevision) {
      found.set(watcher, undefined);
    }
  }
  for (const [watchers, seen] of changes) {
    for (const watcher of watchers) if (found.has(watcher)) found.set(watcher, seen);
  }
  return { rows, nextRevision, found };
}

function readInto(
  found: FoundChanges,
  index: WatchIndex<Watcher>,
  source: WatchSource,
  from: Revision,
  { revisionMax, rowsMax, bytesMax }: ReadingBounds,
): { readonly rows: number; readonly nextRevision: Revision } {
  let rows = 0;
  let sizeBytes = 0;
  let reached = from;
  for (let next = from; next <= revisionMax; ) {
    const read = source.changesFrom(next, ROWS_PER_QUERY);
    for (const change of read.changes) {
      if (change.main > revisionMax) return { rows, nextRevision: revisionMax + 1 };
      const isFull = rows >= rowsMax || sizeBytes >= bytesMax;
      if (isFull && change.main > reached) return { rows, nextRevision: change.main };
      reached = change.main;
      rows++;
      sizeBytes = Math.max(sizeBytes, collectChange(index, change, source, found));
    }
    if (read.nextRevision <= next) break;
    next = read.nextRevision;
  }
  return { rows, nextRevision: revisionMax + 1 };
}
