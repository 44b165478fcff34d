/** One client's stream of renewals. */
import { create } from '@bufbuild/protobuf';
import type { LeaseId } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import {
  type LeaseKeepAliveRequest,
  type LeaseKeepAliveResponse,
  LeaseKeepAliveResponseSchema,
  type ResponseHeader,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { type ServiceFailure, serviceError } from './errors.ts';
import type { StreamSink, StreamSource } from './stream.ts';

/** Renewals of one stream that wait for their answer; one more ends the stream. */
const WAITING_MAX = 10_000;

export interface KeepAliveParts {
  readonly header: () => ResponseHeader;
  readonly renew: (id: LeaseId, isOver: () => boolean) => Promise<Result<number, ServiceFailure>>;
}

/** A renewal that fails ends the stream, as in etcd; of a lease that is gone the time is 0. */
export class KeepAliveSession implements StreamSource<LeaseKeepAliveRequest> {
  readonly #sink: StreamSink<LeaseKeepAliveResponse>;
  readonly #parts: KeepAliveParts;
  #waiting = 0;
  #isHalfClosed = false;
  #isOver = false;
  #detach: () => void = () => {};

  constructor(sink: StreamSink<LeaseKeepAliveResponse>, parts: KeepAliveParts) {
    this.#sink = sink;
    this.#parts = parts;
  }

  /** Called once the stream is over. */
  onEnd(callback: () => void): void {
    this.#detach = callback;
  }

  receive({ ID }: LeaseKeepAliveRequest): void {
    if (this.#isOver) return;
    if (this.#waiting >= WAITING_MAX) return this.end('tooManyRequests');
    this.#waiting += 1;
    void this.#renew(ID);
  }

  halfClosed(): void {
    this.#isHalfClosed = true;
    if (this.#waiting === 0) this.end();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#detach();
  }

  end(failure?: ServiceFailure): void {
    if (this.#isOver) return;
    this.closed();
    this.#sink.end(failure === undefined ? undefined : serviceError(failure));
  }

  async #renew(ID: LeaseId): Promise<void> {
    // Before the renewal: whoever sees its revision must not find that the lease was revoked
    // at an earlier one.
    const header = this.#parts.header();
    const renewed = await this.#parts.renew(ID, () => this.#isOver);
    this.#waiting -= 1;
    if (this.#isOver) return;
    if (!renewed.ok && renewed.error !== 'leaseNotFound') return this.end(renewed.error);
    const TTL = renewed.ok ? BigInt(renewed.value) : 0n;
    this.#sink.send(create(LeaseKeepAliveResponseSchema, { header, ID, TTL }));
    if (this.#isHalfClosed && this.#waiting === 0) this.end();
  }
}
