import type { RpcType } from './rpc.ts';

/** What the gRPC server tells about its calls, for metrics. Called often: must be quick. */
export interface CallObserver {
  started(call: StartedCall): void;
  /** Bytes of messages, without prefixes and headers, as they pass; of calls of every type. */
  transferred(sentBytes: number, receivedBytes: number): void;
  /** Once for each started call. */
  handled(call: HandledCall): void;
}

export interface StartedCall {
  /** `/package.Service/Method`. */
  readonly method: string;
  readonly type: RpcType;
  /** Metadata `client-api-version`; `unknown` without it. */
  readonly clientApiVersion: string;
}

export interface HandledCall {
  readonly method: string;
  readonly type: RpcType;
  /** gRPC status; Canceled when the client gave up first, whatever the answer would have been. */
  readonly code: number;
  /** Of all its messages; the same bytes that `transferred` told of. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
  /** By the server's clock. */
  readonly startedNs: number;
}

export const NO_OBSERVER: CallObserver = {
  started: () => undefined,
  transferred: () => undefined,
  handled: () => undefined,
};
