import type { Result } from '../lib/result.ts';

/**
 * The seam between gRPC methods and the transport that carries them: a method turns a request's
 * bytes into an answer's, and knows neither HTTP/2 nor sockets.
 */

export interface UnaryMethod {
  /** `/package.Service/Method`. */
  readonly path: string;
  /** Resolves with a whole gRPC frame, prefix included (src/wire/grpc-frame.ts). */
  handle(request: Uint8Array, context: RpcContext): Promise<Result<Uint8Array, RpcStatus>>;
}

export interface RpcContext {
  /** What the client allows; the transport answers for a method that takes longer. */
  readonly timeoutMs: number | undefined;
  /** The client's metadata by lower-case name, e.g. `token`. */
  metadata(name: string): string | undefined;
}

/** A gRPC status other than OK. */
export interface RpcStatus {
  readonly code: number;
  readonly message: string;
}
