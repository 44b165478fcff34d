/** The writes of one applied request: all get the same main revision, subs in order. */
import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Revision } from '../lib/ids.ts';
import { type KeyIndex, ownBytes } from './key-index.ts';
import { nameOf, spanOf } from './key-span.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
} from './request.ts';
import { NEWEST, type RevisionRecord } from './revision-record.ts';

/** Lives for one request; what it writes is visible in the index at once. */
export class Writer {
  readonly #index: KeyIndex;
  readonly #main: Revision;
  #nextSub = 0;

  /** `main`: the revision of whatever will be written. */
  constructor(index: KeyIndex, main: Revision) {
    this.#index = index;
    this.#main = main;
  }

  get hasWritten(): boolean {
    return this.#nextSub > 0;
  }

  /** The request has been checked: what it says to keep is there. */
  put(request: PutRequest): PutResult {
    const name = nameOf(request.key);
    const newest = this.#index.newest(name);
    const previous = newest?.tombstone ? undefined : newest?.keyValue;
    assert(
      previous !== undefined || !(request.ignoreValue || request.ignoreLease),
      'a put that keeps a part of its key was not checked',
    );
    this.#append(newest?.name ?? name, false, {
      // One array for all changes of a key.
      key: newest?.keyValue.key ?? ownBytes(request.key),
      createRevision: previous?.createRevision ?? this.#main,
      modRevision: this.#main,
      version: (previous?.version ?? 0) + 1,
      value: request.ignoreValue ? previous!.value : ownBytes(request.value),
      lease: request.ignoreLease ? previous!.lease : request.lease,
    });
    return { prevKv: request.prevKv ? previous : undefined };
  }

  /** Deletes in key order. */
  deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const doomed: RevisionRecord[] = [];
    this.#index.scan(spanOf(request.key, request.rangeEnd), NEWEST, (record) => {
      doomed.push(record);
    });
    for (const { name, keyValue } of doomed) {
      this.#append(name, true, {
        key: keyValue.key,
        createRevision: 0,
        modRevision: 0,
        version: 0,
        value: EMPTY_BYTES,
        lease: 0n,
      });
    }
    const prevKvs = request.prevKv ? doomed.map((record) => record.keyValue) : [];
    return { deleted: doomed.length, prevKvs };
  }

  #append(name: string, tombstone: boolean, keyValue: KeyValue): void {
    const sub = this.#nextSub++;
    this.#index.append({ name, main: this.#main, sub, tombstone, keyValue, supersededAt: 0 });
  }
}
