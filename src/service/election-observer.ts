/** One client that watches who leads an election. */
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { Revision } from '../lib/ids.ts';
import type { KeyValue } from '../mvcc/request.ts';
import type { WatchEvent } from '../mvcc/watch-request.ts';
import type { Call } from './call.ts';
import { serviceError } from './errors.ts';
import { endOf, firstOf, type QueueParts } from './lock-queue.ts';
import type { ResponseHeader } from './response.ts';
import type { StreamSink } from './stream.ts';
import { waitForEvent } from './wait-for-delete.ts';

export interface ObserverParts {
  readonly sink: Pick<StreamSink<never>, 'writable' | 'onWritable' | 'end'>;
  readonly send: (header: ResponseHeader, kv: KeyValue) => void;
  readonly call: Call;
}

/**
 * Reads who leads, then follows that key until it is deleted, then reads again. What a client
 * does not take in time is overtaken: it misses values, never the last one.
 */
export class ElectionObserver {
  readonly #queue: QueueParts;
  readonly #prefix: Uint8Array;
  readonly #parts: ObserverParts;
  #latest: { readonly header: ResponseHeader; readonly kv: KeyValue } | undefined;

  constructor(queue: QueueParts, prefix: Uint8Array, parts: ObserverParts) {
    this.#queue = queue;
    this.#prefix = prefix;
    this.#parts = parts;
    parts.sink.onWritable(() => this.#flush());
  }

  /** Until the call is over, or reading fails. */
  async run(): Promise<void> {
    const { call, sink } = this.#parts;
    while (!call.isOver) {
      const read = await this.#queue.kv.range(firstOf(this.#prefix), call.caller);
      if (!read.ok) return sink.end(read.error);
      const { header, result } = read.value;
      const [kv] = result.kvs;
      if (kv !== undefined) this.#tell(header, kv);
      const from = header.revision + 1;
      const end = await (kv === undefined ? this.#firstPut(from) : this.#follow(kv, header));
      if (end === 'tooManyRequests') return sink.end(serviceError('tooManyRequests'));
    }
  }

  #firstPut(startRevision: Revision): ReturnType<typeof waitForEvent> {
    const keys = { key: this.#prefix, rangeEnd: endOf(this.#prefix), startRevision };
    return waitForEvent(
      this.#queue.watches,
      [keys],
      ({ type }) => type === 'put',
      this.#parts.call,
    );
  }

  #follow({ key }: KeyValue, header: ResponseHeader): ReturnType<typeof waitForEvent> {
    const keys = { key, rangeEnd: EMPTY_BYTES, startRevision: header.revision + 1 };
    const isDeleted = ({ type, kv }: WatchEvent): boolean => {
      if (type === 'put') this.#tell({ ...header, revision: kv.modRevision }, kv);
      return type === 'delete';
    };
    return waitForEvent(this.#queue.watches, [keys], isDeleted, this.#parts.call);
  }

  #tell(header: ResponseHeader, kv: KeyValue): void {
    this.#latest = { header, kv };
    if (this.#parts.sink.writable) this.#flush();
  }

  #flush(): void {
    const latest = this.#latest;
    if (latest === undefined || this.#parts.call.isOver) return;
    this.#latest = undefined;
    this.#parts.send(latest.header, latest.kv);
  }
}
