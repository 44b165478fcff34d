/** The writes of one applied request: all get the same main revision, subs in order. */
import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Revision } from '../lib/ids.ts';
import type { KeyIndex } from './key-index.ts';
import { type KeyId, NO_KEY } from './key-table.ts';
import type {
  DeleteRangeRequest,
  DeleteRangeResult,
  KeyValue,
  PutRequest,
  PutResult,
} from './request.ts';
import { NEWEST } from './revision-record.ts';

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
    const index = this.#index;
    const found = index.find(request.key);
    const place = index.newest(found);
    assert(
      place !== undefined || !(request.ignoreValue || request.ignoreLease),
      'a put that keeps a part of its key was not checked',
    );
    const isRead = request.prevKv || request.ignoreValue || request.ignoreLease;
    const previous = place && isRead ? index.keyValue(place.chunk, place.at) : undefined;
    index.append(found === NO_KEY ? index.add(request.key) : found, {
      main: this.#main,
      sub: this.#nextSub++,
      tombstone: false,
      createRevision: place?.chunk.createRevision[place.at] ?? this.#main,
      version: (place?.chunk.version[place.at] ?? 0) + 1,
      value: request.ignoreValue ? previous!.value : request.value,
      lease: request.ignoreLease ? previous!.lease : request.lease,
    });
    return { prevKv: request.prevKv ? previous : undefined };
  }

  /** Deletes in key order. */
  deleteRange(request: DeleteRangeRequest): DeleteRangeResult {
    const doomed: KeyId[] = [];
    const prevKvs: KeyValue[] = [];
    this.#index.scan(request.key, request.rangeEnd, NEWEST, (chunk, at) => {
      doomed.push(chunk.key[at]!);
      if (request.prevKv) prevKvs.push(this.#index.keyValue(chunk, at));
    });
    for (const key of doomed) {
      this.#index.append(key, {
        main: this.#main,
        sub: this.#nextSub++,
        tombstone: true,
        createRevision: 0,
        version: 0,
        value: EMPTY_BYTES,
        lease: 0n,
      });
    }
    return { deleted: doomed.length, prevKvs };
  }
}
