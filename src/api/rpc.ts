import type { Result } from '../lib/result.ts';
import type { Caller } from '../service/caller.ts';

/**
 * The seam between gRPC methods and the transport that carries them: a method turns a request's
 * bytes into an answer's, and knows neither HTTP/2 nor sockets.
 */

/** In gRPC's words, as its metrics spell them. */
export type RpcType = 'unary' | 'server_stream' | 'bidi_stream';

export type RpcMethod = UnaryMethod | StreamMethod;

/** One request, one answer. */
export interface UnaryMethod {
  readonly type: 'unary';
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Resolves with a whole gRPC frame, prefix included (src/wire/grpc-frame.ts), if not in pieces. */
  handle(request: Uint8Array, context: UnaryContext): Promise<Result<UnaryAnswer, RpcStatus>>;
}

export type UnaryAnswer = Uint8Array | LargeAnswer;

/** An answer that is too long to be made, or held, as a whole. */
export interface LargeAnswer {
  /** Of all pieces; without a frame's prefix. */
  readonly messageBytes: number;
  /**
   * The next piece, after others have had their turns; undefined behind the last one. Together
   * they are the message, and each is a message of the same type itself, with some of its fields
   * and some items of its lists. A piece's bytes stay what they are until the next call.
   */
  next(limits: PieceLimits): Promise<Uint8Array | undefined>;
  /** Must be called at the end, sent or not. Once more does nothing. */
  release(): void;
}

/** Of one piece; the last item may be longer. */
export interface PieceLimits {
  readonly itemsMax: number;
  readonly bytesMax: number;
}

/** Many answers to one request, or to many. */
export interface StreamMethod {
  readonly type: 'server_stream' | 'bidi_stream';
  readonly path: string;
  /** Called before any message has come. May end the sink at once. */
  open(context: RpcContext, sink: FrameSink): FrameSource;
}

/** Where a streaming call's answers go; src/service/stream.ts in bytes. */
export interface FrameSink {
  /** A whole gRPC frame, which is the sink's from now on. Ignored after the call's end. */
  send(frame: Uint8Array): void;
  /** false: the client has not taken what it was sent; more is queued, but should wait. */
  readonly writable: boolean;
  /** Called each time `writable` becomes true again. The last callback given counts. */
  onWritable(callback: () => void): void;
  /** Ends the call behind what was sent: with a status, or well. Only the first counts. */
  end(status?: RpcStatus): void;
}

/** What the transport tells a streaming call. Nothing is called after `closed`. */
export interface FrameSource {
  /**
   * A message without its prefix; its bytes are the method's. Where a promise is returned, the
   * next message is read only when it has settled.
   */
  receive(message: Uint8Array): Promise<void> | undefined;
  /** The client sends no more; it still reads. */
  halfClosed(): void;
  /** The call is over, whoever ended it. Called once. */
  closed(): void;
}

export interface RpcContext {
  /** What the client allows; the transport answers for a method that takes longer. */
  readonly timeoutMs: number | undefined;
  readonly caller: Caller;
  /** The client's metadata by lower-case name, e.g. `token`. */
  metadata(name: string): string | undefined;
}

/** A streaming call is told by its source's `closed` instead. */
export interface UnaryContext extends RpcContext {
  /** Called once, when the call is over, whoever ended it. At most one callback. */
  onOver(callback: () => void): void;
}

/** A gRPC status other than OK. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
}
