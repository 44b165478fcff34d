import type { Caller } from './caller.ts';

/** One call of a client, for services that keep it waiting: the client may go away meanwhile. */
export interface Call {
  readonly caller: Caller;
  /** The client has gone, or its deadline has passed: nobody reads the answer. */
  readonly isOver: boolean;
  /** Called once, when the call is over; at once if it is. The result takes it back. */
  onOver(callback: () => void): () => void;
}

/** The front end's side of a {@link Call}. */
export class OpenCall implements Call {
  readonly caller: Caller;
  readonly #callbacks = new Set<() => void>();
  #isOver = false;

  constructor(caller: Caller) {
    this.caller = caller;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  onOver(callback: () => void): () => void {
    if (this.#isOver) callback();
    else this.#callbacks.add(callback);
    return () => this.#callbacks.delete(callback);
  }

  /** By the front end, when the call ends in whatever way; again is nothing. */
  end(): void {
    this.#isOver = true;
    const callbacks = [...this.#callbacks];
    this.#callbacks.clear();
    for (const callback of callbacks) callback();
  }
}
