import type { Revision } from '../lib/ids.ts';
import type {
  WatchCreateRequest,
  WatchId,
  WatchRequest,
  WatchResult,
} from '../mvcc/watch-request.ts';
import { GRPC_PREFIX_BYTES, sealFrame } from '../wire/grpc-frame.ts';
import type { HeaderMessage } from '../wire/kv-messages.ts';
import { decodeMessage } from '../wire/proto-reader.ts';
import { ProtoWriter } from '../wire/proto-writer.ts';
import { readWatchResponse, writeWatchRequest } from '../wire/watch-messages.ts';
import { type ClientError, maybeSent } from './client-error.ts';
import type { EtcdClient, StreamOptions } from './etcd-client.ts';
import { bytesOf, type Text } from './requests.ts';
import type { StreamCall } from './stream-call.ts';

/** etcd's Watch as it is: one stream with any number of watchers, and every answer. */

export type WatchOptions = Omit<Partial<WatchCreateRequest>, 'key' | 'rangeEnd'> & {
  readonly key: Text;
  readonly rangeEnd?: Text;
};

export interface WatchHandlers {
  /** Every answer: creations, events, progress (no events, id −1 or a watcher's), cancellations. */
  onResponse(header: HeaderMessage, result: WatchResult): void;
  /** Called once, unless the caller closes; undefined: the server ended the stream well. */
  onEnd(error: ClientError | undefined): void;
}

const SIZE_HINT_BYTES = 128;

export class WatchCall {
  private readonly call: StreamCall;
  private readonly handlers: WatchHandlers;

  constructor(client: EtcdClient, handlers: WatchHandlers, options: StreamOptions = {}) {
    this.handlers = handlers;
    this.call = client.stream(
      'etcdserverpb.Watch/Watch',
      {
        onMessage: (message) => this.receive(message),
        onEnd: (error) => handlers.onEnd(error),
      },
      options,
    );
  }

  /** false: not sent, see {@link StreamCall.send}; so are the others. */
  create(options: WatchOptions): boolean {
    return this.send({ type: 'create', request: watchCreateRequest(options) });
  }

  cancel(watchId: WatchId): boolean {
    return this.send({ type: 'cancel', watchId });
  }

  requestProgress(): boolean {
    return this.send({ type: 'progress' });
  }

  /** Lets the server feel that this client is slow. */
  pause(): void {
    this.call.pause();
  }

  resume(): void {
    this.call.resume();
  }

  /** Nothing is called back any more. */
  close(): void {
    this.call.cancel();
  }

  private send(request: WatchRequest): boolean {
    const writer = new ProtoWriter(SIZE_HINT_BYTES, GRPC_PREFIX_BYTES);
    writeWatchRequest(writer, request);
    return this.call.send(sealFrame(writer.finish()));
  }

  private receive(message: Uint8Array): void {
    const response = decodeMessage(message, readWatchResponse);
    if (response.ok) this.handlers.onResponse(response.value.header, response.value.result);
    else {
      this.close();
      this.handlers.onEnd(maybeSent(`unreadable answer: ${response.error.message}`));
    }
  }
}

function watchCreateRequest(options: WatchOptions): WatchCreateRequest {
  const fromNow: Revision = 0;
  return {
    startRevision: fromNow,
    progressNotify: false,
    filters: [],
    prevKv: false,
    watchId: 0,
    fragment: false,
    ...options,
    key: bytesOf(options.key),
    rangeEnd: bytesOf(options.rangeEnd),
  };
}
