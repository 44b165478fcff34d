/** One Watch stream: requests in, responses out, in etcd's words. */
import { assertNever } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import {
  NO_WATCH_ID,
  type WatchCreateRequest,
  type WatchEvent,
  type WatchId,
  type WatchRequest,
  type WatchResult,
} from '../mvcc/watch-request.ts';
import type { WatchOutlet, WatchRefusal, WatchStream } from '../mvcc/watch-stream.ts';
import { serviceError } from './errors.ts';
import type { Answer, ResponseHeader } from './response.ts';
import type { StreamSink, StreamSource } from './stream.ts';
import { fragmentsOf } from './watch-fragments.ts';
import { cancelReason } from './watch-permission.ts';

export interface WatchSessionOptions {
  readonly sink: StreamSink<Answer<WatchResult>>;
  readonly headerAt: (revision: Revision) => ResponseHeader;
  /** The store's present revision. */
  readonly revision: () => Revision;
  /** Why the caller may not watch this. */
  readonly refuse: (
    request: WatchCreateRequest,
  ) => string | undefined | Promise<string | undefined>;
  /** Responses of watchers that ask for it are split at this size on the wire. */
  readonly fragmentBytes: number;
  /** Requests that wait for the permission of one before them; one more ends the stream. */
  readonly waitingMax: number;
}

/** The smallest key, for which an empty one stands. */
const FIRST_KEY = Uint8Array.of(0);

const NOTHING: WatchResult = {
  watchId: NO_WATCH_ID,
  created: false,
  canceled: false,
  compactRevision: 0,
  cancelReason: '',
  fragment: false,
  events: [],
};

export class WatchSession implements StreamSource<WatchRequest>, WatchOutlet {
  readonly #options: WatchSessionOptions;
  readonly #fragmented = new Set<WatchId>();
  readonly #waiting: WatchRequest[] = [];
  /** Set at once after construction: hub and session need each other. */
  #stream: WatchStream | undefined;
  #onClosed: () => void = () => {};
  #isDeciding = false;
  #isOver = false;

  constructor(options: WatchSessionOptions) {
    this.#options = options;
  }

  /** `onClosed` is called once, when the stream is over. */
  start(stream: WatchStream, onClosed: () => void): void {
    this.#stream = stream;
    this.#onClosed = onClosed;
    this.#options.sink.onWritable(() => {
      if (!this.#isOver) stream.resume();
    });
  }

  receive(request: WatchRequest): void {
    if (this.#isOver) return;
    if (!this.#isDeciding) this.#handle(request);
    else if (this.#waiting.length < this.#options.waitingMax) this.#waiting.push(request);
    else this.end('tooManyRequests');
  }

  /** Some clients say all they want at once: watching goes on. */
  halfClosed(): void {}

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#waiting.length = 0;
    this.#stream?.close();
    this.#onClosed();
  }

  end(failure: 'tooManyRequests' | 'noLeader'): void {
    if (this.#isOver) return;
    this.closed();
    this.#options.sink.end(serviceError(failure));
  }

  get writable(): boolean {
    return this.#options.sink.writable;
  }

  events(watchId: WatchId, revision: Revision, events: readonly WatchEvent[]): void {
    const response = this.#response(revision, { watchId, events });
    if (!this.#fragmented.has(watchId)) {
      this.#options.sink.send(response);
      return;
    }
    for (const piece of fragmentsOf(response, this.#options.fragmentBytes)) {
      this.#options.sink.send(piece);
    }
  }

  /** Without a revision, as etcd sends it. */
  compacted(watchId: WatchId, compactRevision: Revision): void {
    this.#fragmented.delete(watchId);
    this.#options.sink.send(this.#response(0, { watchId, canceled: true, compactRevision }));
  }

  progress(watchId: WatchId, revision: Revision): void {
    this.#options.sink.send(this.#response(revision, { watchId }));
  }

  #handle(request: WatchRequest): void {
    switch (request.type) {
      case 'create':
        return this.#create(request.request);
      case 'cancel':
        return this.#cancel(request.watchId);
      case 'progress':
        return this.#stream?.requestProgress();
      case 'unknown':
        return;
      default:
        return assertNever(request);
    }
  }

  #create(asked: WatchCreateRequest): void {
    const request = asked.key.length > 0 ? asked : { ...asked, key: FIRST_KEY };
    if (request.startRevision < 0) return this.#refuse(serviceError('compacted').message);
    const refusal = this.#options.refuse(request);
    if (refusal === undefined || typeof refusal === 'string') {
      this.#admit(request, refusal);
      return;
    }
    this.#isDeciding = true;
    refusal.then(
      (reason) => this.#decided(request, reason),
      () => this.#decided(request, cancelReason(serviceError('permissionDenied'))),
    );
  }

  #decided(request: WatchCreateRequest, reason: string | undefined): void {
    this.#isDeciding = false;
    if (this.#isOver) return;
    this.#admit(request, reason);
    while (!this.#isDeciding && !this.#isOver) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#handle(next);
    }
  }

  #admit(request: WatchCreateRequest, reason: string | undefined): void {
    if (reason !== undefined) return this.#refuse(reason);
    const watched = this.#stream?.watch(request);
    if (watched === undefined) return;
    if (!watched.ok) return this.#refuse(refusalText(watched.error));
    if (request.fragment) this.#fragmented.add(watched.value);
    this.#tell({ watchId: watched.value, created: true });
  }

  #refuse(reason: string): void {
    this.#tell({ created: true, canceled: true, cancelReason: reason });
  }

  /** What does not exist is not answered for. */
  #cancel(watchId: WatchId): void {
    if (this.#stream?.cancel(watchId) !== true) return;
    this.#fragmented.delete(watchId);
    this.#tell({ watchId, canceled: true });
  }

  #tell(parts: Partial<WatchResult>): void {
    this.#options.sink.send(this.#response(this.#options.revision(), parts));
  }

  #response(revision: Revision, parts: Partial<WatchResult>): Answer<WatchResult> {
    return { header: this.#options.headerAt(revision), result: { ...NOTHING, ...parts } };
  }
}

function refusalText(refusal: WatchRefusal): string {
  switch (refusal) {
    case 'emptyRange':
      return 'mvcc: watcher range is empty';
    case 'duplicateId':
      return 'mvcc: duplicate watch ID provided on the WatchStream';
    case 'tooManyWatchers':
      return cancelReason(serviceError('tooManyRequests'));
    default:
      return assertNever(refusal);
  }
}
