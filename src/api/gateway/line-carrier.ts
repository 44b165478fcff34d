import type { HttpExchange } from '../http-exchange.ts';
import type { RpcStatus } from '../rpc.ts';
import { httpStatusOf } from './gateway-error.ts';
import type { StreamCarrier } from './stream-call.ts';

const HEADERS = { 'content-type': 'application/json' };

/** A stream as a body of lines, each a JSON object. */
export class LineCarrier implements StreamCarrier {
  private readonly exchange: HttpExchange;
  private whenWritable: () => void = () => undefined;

  constructor(exchange: HttpExchange) {
    this.exchange = exchange;
    exchange.output.on('drain', () => this.whenWritable());
  }

  get writable(): boolean {
    return !this.exchange.output.writableNeedDrain;
  }

  get queuedBytes(): number {
    return this.exchange.output.writableLength;
  }

  onWritable(callback: () => void): void {
    this.whenWritable = callback;
  }

  /** Clients wait for headers even where the first answer is long in coming. */
  begin(): void {
    if (this.exchange.begun || this.exchange.output.destroyed) return;
    this.exchange.begin(200, HEADERS);
    this.exchange.flush();
  }

  send(json: string): void {
    this.begin();
    if (!this.exchange.output.destroyed) this.exchange.output.write(`${json}\n`);
  }

  end(error?: { readonly json: string; readonly status: RpcStatus }): void {
    const { exchange } = this;
    if (exchange.output.destroyed) return;
    if (error === undefined) this.begin();
    else if (!exchange.begun) exchange.begin(httpStatusOf(error.status.code), HEADERS);
    if (!exchange.body.readableEnded) exchange.dropBody();
    exchange.output.end(error === undefined ? undefined : `${error.json}\n`);
  }

  abort(): void {
    this.exchange.abort();
  }
}
