import type { CallOptions } from './call-options.ts';
import type { RpcMethod } from './rpc.ts';

const UNKNOWN_VERSION = 'unknown';

/** Keeps account of one call for the server's observer. */
export class CallRecord {
  private readonly options: CallOptions<RpcMethod>;
  private readonly startedNs: number;
  private sentBytes = 0;
  private receivedBytes = 0;
  private ended = false;

  constructor(options: CallOptions<RpcMethod>) {
    this.options = options;
    const { stream, method, observer, clock } = options;
    this.startedNs = clock.nowNs();
    observer.started({
      method: method.path,
      type: method.type,
      clientApiVersion: stream.head.header('client-api-version') ?? UNKNOWN_VERSION,
    });
  }

  sent(messageBytes: number): void {
    this.sentBytes += messageBytes;
    this.options.observer.transferred(messageBytes, 0);
  }

  received(messageBytes: number): void {
    this.receivedBytes += messageBytes;
    this.options.observer.transferred(0, messageBytes);
  }

  /** Only the first end counts: a client that leaves after its answer was not cancelling. */
  end(code: number): void {
    if (this.ended) return;
    this.ended = true;
    const { sentBytes, receivedBytes, startedNs } = this;
    const { path, type } = this.options.method;
    this.options.observer.handled({
      method: path,
      type,
      code,
      sentBytes,
      receivedBytes,
      startedNs,
    });
  }
}
