import type { Clock } from '../../ports/clock.ts';
import type { CallObserver } from '../call-observer.ts';
import type { RpcMethod } from '../rpc.ts';
import type { GatewayContext } from './gateway-context.ts';

export interface CallMeterOptions {
  readonly observer: CallObserver;
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly method: RpcMethod;
  readonly context: GatewayContext;
}

/** Tells an observer of one call through the gateway, as if it had come by gRPC. */
export class CallMeter {
  private readonly observer: CallObserver;
  private readonly method: RpcMethod;
  private readonly startedNs: number;
  private sentBytes = 0;
  private receivedBytes = 0;
  private isHandled = false;

  constructor(options: CallMeterOptions) {
    const { observer, clock, method, context } = options;
    this.observer = observer;
    this.method = method;
    this.startedNs = clock.nowNs();
    const clientApiVersion = context.metadata('client-api-version') ?? 'unknown';
    observer.started({ method: method.path, type: method.type, clientApiVersion });
  }

  /** Bytes of one message, as gRPC would have carried them. */
  received(bytes: number): void {
    this.receivedBytes += bytes;
    this.observer.transferred(0, bytes);
  }

  sent(bytes: number): void {
    this.sentBytes += bytes;
    this.observer.transferred(bytes, 0);
  }

  /** Only the first counts. */
  handled(code: number): void {
    if (this.isHandled) return;
    this.isHandled = true;
    const { sentBytes, receivedBytes, startedNs } = this;
    const { path, type } = this.method;
    this.observer.handled({ method: path, type, code, sentBytes, receivedBytes, startedNs });
  }
}
