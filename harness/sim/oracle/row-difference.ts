/** All rows of a store or a checkpoint against those that the model says it must hold. */
import { equalBytes } from '../../../src/lib/bytes.ts';
import type { StoredRevision } from '../../../src/mvcc/revision-record.ts';
import { inWords } from './difference.ts';
import type { Version } from './versions.ts';

interface ModelRow {
  readonly key: Uint8Array;
  readonly version: Version;
}

/** The first row that is not the same in both, in words. Costs one look at each row. */
export function rowDifference(
  actual: Iterable<StoredRevision>,
  expected: Iterable<ModelRow>,
): string | undefined {
  const rows = actual[Symbol.iterator]();
  for (const model of expected) {
    const next = rows.next();
    const row = next.done === true ? undefined : next.value;
    if (row !== undefined && isSame(row, model)) continue;
    rows.return?.();
    return `its next row is ${rowWords(row)}, the model says ${modelWords(model)}`;
  }
  const more = rows.next();
  return more.done === true ? undefined : `it holds ${rowWords(more.value)}, the model does not`;
}

function isSame({ main, sub, tombstone, keyValue }: StoredRevision, model: ModelRow): boolean {
  const { kv } = model.version;
  if (main !== model.version.main || sub !== model.version.sub) return false;
  if (!equalBytes(keyValue.key, model.key) || tombstone !== (kv === undefined)) return false;
  if (kv === undefined) return true;
  return (
    keyValue.createRevision === kv.createRevision &&
    keyValue.modRevision === kv.modRevision &&
    keyValue.version === kv.version &&
    keyValue.lease === kv.lease &&
    equalBytes(keyValue.value, kv.value)
  );
}

function rowWords(row: StoredRevision | undefined): string {
  if (row === undefined) return 'not there';
  const { main, sub, tombstone, keyValue } = row;
  return `${main}/${sub} ${tombstone ? `delete ${inWords(keyValue.key)}` : inWords(keyValue)}`;
}

function modelWords({ key, version: { main, sub, kv } }: ModelRow): string {
  return `${main}/${sub} ${kv === undefined ? `delete ${inWords(key)}` : inWords(kv)}`;
}
