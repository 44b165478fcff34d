/** Every change ever made, in one list: what a store must answer, said in the plainest way. */
import { crc32c } from '../../src/lib/crc32c.ts';
import { nameOf } from '../../src/lib/key-name.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { KeyValue } from '../../src/mvcc/request.ts';
import type { StoredRevision } from '../../src/mvcc/revision-record.ts';
import { encodeKeyValue } from '../../src/wire/key-value.ts';

export class PlainStore {
  readonly rows: StoredRevision[] = [];
  revision = 1;
  compactRevision = 0;

  /** All changes get the same revision; a value of undefined deletes. */
  write(changes: readonly { readonly key: string; readonly value: string | undefined }[]): void {
    const main = this.revision + 1;
    let sub = 0;
    for (const { key, value } of changes) {
      const old = this.liveAt(key, main);
      if (value === undefined && old === undefined) continue;
      this.rows.push({
        main,
        sub: sub++,
        tombstone: value === undefined,
        keyValue: {
          key: utf8Encode(key),
          createRevision: value === undefined ? 0 : (old?.createRevision ?? main),
          modRevision: value === undefined ? 0 : main,
          version: value === undefined ? 0 : (old?.version ?? 0) + 1,
          value: utf8Encode(value ?? ''),
          lease: 0n,
        },
      });
    }
    if (sub > 0) this.revision = main;
  }

  liveAt(key: string, revision: number): KeyValue | undefined {
    const isIt = (row: StoredRevision): boolean =>
      row.main <= revision && nameOf(row.keyValue.key) === key;
    const row = this.rows.findLast(isIt);
    return row?.tombstone ? undefined : row?.keyValue;
  }

  /** All keys of a revision in their order. */
  allAt(revision: number): KeyValue[] {
    return [...this.#presentAt(revision)]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .filter(([, row]) => !row.tombstone)
      .map(([, row]) => row.keyValue);
  }

  /** What a finished compaction leaves. */
  retained(compactRevision: number = this.compactRevision): StoredRevision[] {
    const present = this.#presentAt(compactRevision);
    return this.rows.filter((row) => {
      if (row.main > compactRevision) return true;
      if (present.get(nameOf(row.keyValue.key)) !== row) return false;
      return !row.tombstone || row.main === compactRevision;
    });
  }

  hash(revision: number): number {
    const present = this.#presentAt(revision);
    const keep = new Set([...present.values()].filter((row) => !row.tombstone));
    let hash = crc32c(utf8Encode('key'));
    for (const row of this.retained()) {
      if (row.main > revision) continue;
      if (row.main <= this.compactRevision && keep.size > 0 && !keep.has(row)) continue;
      if (row.main === this.compactRevision && row.tombstone) continue;
      hash = crc32c(encodeKeyValue(row.keyValue), crc32c(rowKey(row), hash));
    }
    return hash;
  }

  #presentAt(revision: number): Map<string, StoredRevision> {
    const present = new Map<string, StoredRevision>();
    for (const row of this.rows) {
      if (row.main <= revision) present.set(nameOf(row.keyValue.key), row);
    }
    return present;
  }
}

function rowKey({ main, sub, tombstone }: StoredRevision): Uint8Array {
  const bytes = new Uint8Array(tombstone ? 18 : 17).fill('t'.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(main));
  bytes[8] = '_'.charCodeAt(0);
  view.setBigUint64(9, BigInt(sub));
  return bytes;
}
