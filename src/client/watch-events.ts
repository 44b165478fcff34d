import type { Revision } from '../lib/ids.ts';
import type { WatchEvent, WatchResult } from '../mvcc/watch-request.ts';
import type { HeaderMessage } from '../wire/kv-messages.ts';
import type { ClientError } from './client-error.ts';
import type { EtcdClient, StreamOptions } from './etcd-client.ts';
import { WatchCall, type WatchOptions } from './watch-call.ts';

/** One watcher on a stream of its own, to be read in a loop. */

export interface WatchBatch {
  readonly header: HeaderMessage;
  /** Whole revisions, fragments put together. Empty: only progress, up to the header's revision. */
  readonly events: readonly WatchEvent[];
}

/** Why there is no more. */
export type WatchEnd =
  | { readonly type: 'closed' }
  /** The server or the connection; undefined: the server ended the stream well. */
  | { readonly type: 'ended'; readonly error: ClientError | undefined }
  /** The server gave up the watcher; `compactRevision` ≠ 0: history from before it was asked for. */
  | { readonly type: 'canceled'; readonly compactRevision: Revision; readonly reason: string };

/** Batches that wait to be read; at so many the stream is not read on. */
const WAITING_MAX = 64;

export class WatchEvents implements AsyncIterable<WatchBatch> {
  /** undefined: not yet. Set before the loop ends. */
  end: WatchEnd | undefined = undefined;
  /** Revision of the store when the watcher was created; undefined: not yet. */
  createdRevision: Revision | undefined = undefined;
  private readonly call: WatchCall;
  private readonly waiting: WatchBatch[] = [];
  private pieces: WatchEvent[] = [];
  private wake: () => void = () => undefined;

  constructor(client: EtcdClient, watch: WatchOptions, options?: StreamOptions) {
    const handlers = {
      onResponse: (header: HeaderMessage, result: WatchResult) => this.receive(header, result),
      onEnd: (error: ClientError | undefined) => this.finish({ type: 'ended', error }),
    };
    this.call = new WatchCall(client, handlers, options);
    this.call.create(watch);
  }

  /** To be read by one loop at a time; leaving the loop does not close the watcher. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchBatch, void, undefined> {
    for (;;) {
      const next = this.waiting.shift();
      if (next !== undefined) {
        if (this.waiting.length === 0) this.call.resume();
        yield next;
      } else if (this.end !== undefined) return;
      else {
        await new Promise<void>((resolve) => {
          this.wake = resolve;
        });
      }
    }
  }

  /** Answered with a batch without events, if the server can. */
  requestProgress(): boolean {
    return this.call.requestProgress();
  }

  close(): void {
    this.finish({ type: 'closed' });
  }

  private receive(header: HeaderMessage, result: WatchResult): void {
    if (result.canceled) {
      const { compactRevision, cancelReason: reason } = result;
      this.finish({ type: 'canceled', compactRevision, reason });
    } else if (result.created) this.createdRevision = header.revision;
    else {
      this.pieces.push(...result.events);
      if (result.fragment) return;
      this.waiting.push({ header, events: this.pieces });
      this.pieces = [];
      if (this.waiting.length >= WAITING_MAX) this.call.pause();
    }
    this.wake();
  }

  private finish(end: WatchEnd): void {
    if (this.end !== undefined) return;
    this.end = end;
    this.call.close();
    this.wake();
  }
}
