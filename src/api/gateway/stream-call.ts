import type { Log } from '../../ports/log.ts';
import { GrpcCode } from '../../wire/grpc-code.ts';
import { GRPC_PREFIX_BYTES } from '../../wire/grpc-frame.ts';
import type { FrameSink, FrameSource, RpcStatus, StreamMethod } from '../rpc.ts';
import type { CallMeter } from './call-meter.ts';
import type { GatewayContext } from './gateway-context.ts';
import { streamErrorLine } from './gateway-error.ts';
import type { JsonCodec } from './json-message.ts';
import { decodeBody } from './unary-call.ts';

/** What carries a stream's JSON objects to the client: a body of lines, or a web socket. */
export interface StreamCarrier {
  /** false: the client has not taken what it was sent. */
  readonly writable: boolean;
  /** Handed over and not yet sent. */
  readonly queuedBytes: number;
  send(json: string): void;
  /** Called each time `writable` becomes true again. The last callback given counts. */
  onWritable(callback: () => void): void;
  /** Ends the answer behind what was sent; with an error's object, and its status. */
  end(error?: { readonly json: string; readonly status: RpcStatus }): void;
  /** Ends it at once. */
  abort(): void;
}

export interface StreamCallOptions {
  readonly method: StreamMethod;
  readonly codec: JsonCodec;
  readonly context: GatewayContext;
  readonly meter: CallMeter;
  readonly carrier: StreamCarrier;
  readonly messageBytesMax: number;
  /** Answers that the client does not take; beyond, the stream is cut. */
  readonly queuedBytesMax: number;
  readonly log: Log;
}

/** A streaming method whose messages are JSON objects. */
export class StreamCall implements FrameSink {
  private readonly options: StreamCallOptions;
  private source: FrameSource | undefined = undefined;
  private state: 'open' | 'ended' | 'closed' = 'open';

  constructor(options: StreamCallOptions) {
    this.options = options;
  }

  open(): void {
    const { method, context } = this.options;
    this.guard(() => {
      this.source = method.open(context, this);
    });
  }

  /** One request; the next one is to be given when this has resolved. Never rejects. */
  async receive(object: Uint8Array): Promise<void> {
    if (this.state !== 'open') return;
    const message = decodeBody(object, this.options);
    if (!message.ok) return this.end(message.error);
    this.options.meter.received(message.value.length);
    try {
      await this.source?.receive(message.value);
    } catch (cause) {
      this.fail(cause);
    }
  }

  /** The client sends no more. */
  halfClosed(): void {
    if (this.state === 'open') this.guard(() => this.source?.halfClosed());
  }

  /** The exchange is over. */
  closed(): void {
    if (this.state === 'closed') return;
    this.options.meter.handled(GrpcCode.cancelled);
    this.state = 'closed';
    this.guard(() => this.source?.closed());
  }

  get writable(): boolean {
    return this.options.carrier.writable;
  }

  onWritable(callback: () => void): void {
    this.options.carrier.onWritable(() => this.guard(callback));
  }

  send(frame: Uint8Array): void {
    if (this.state !== 'open') return;
    const { codec, carrier, meter, queuedBytesMax } = this.options;
    const bytes = frame.subarray(GRPC_PREFIX_BYTES);
    meter.sent(bytes.length);
    carrier.send(JSON.stringify({ result: codec.encode(bytes) }));
    if (carrier.queuedBytes > queuedBytesMax) carrier.abort();
  }

  end(status?: RpcStatus): void {
    if (this.state !== 'open') return;
    this.state = 'ended';
    this.options.meter.handled(status?.code ?? GrpcCode.ok);
    const { carrier } = this.options;
    if (status === undefined) carrier.end();
    else carrier.end({ json: streamErrorLine(status), status });
  }

  /** A bug in a method costs one stream and a line in the log, not the member. */
  private guard(work: () => void): void {
    try {
      work();
    } catch (cause) {
      this.fail(cause);
    }
  }

  private fail(cause: unknown): void {
    const stack = cause instanceof Error ? (cause.stack ?? cause.message) : String(cause);
    this.options.log.error('request failed by a bug', { path: this.options.method.path, stack });
    this.end({ code: GrpcCode.internal, message: 'internal error' });
  }
}
