import type { ServiceError } from './errors.ts';

/**
 * A streaming call, seen from a service: answers are pushed into a sink, requests arrive one by
 * one. Backpressure is the sink's `writable`: a service holds back what can wait (events of a slow
 * watcher) while it is false, and goes on when told.
 */
export interface StreamSink<Response> {
  /** Hands over an answer; ignored after `end` or when the client has gone. */
  send(response: Response): void;
  /** false: the client has not taken what it was sent; more is queued, but should wait. */
  readonly writable: boolean;
  /** Called each time `writable` becomes true again. At most one callback per sink. */
  onWritable(callback: () => void): void;
  /** Ends the call: with a status, or well. */
  end(error?: ServiceError): void;
}

/** What a front end tells the service about one call. Nothing is called after `closed`. */
export interface StreamSource<Request> {
  receive(request: Request): void;
  /** The client sends no more; it still reads. */
  halfClosed(): void;
  /** The call is over, whoever ended it. */
  closed(): void;
}

/** Of a streaming call with one request, which opened it: all that is left to tell. */
export type AnswerStream = Pick<StreamSource<never>, 'closed'>;
