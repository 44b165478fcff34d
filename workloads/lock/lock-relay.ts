/**
 * A lock is passed on: one lease holds it, a second waits and gives up but goes on living, the
 * first lets go, and a third must get it. One client plays all three, one step an operation.
 */
import { assert } from '../../src/lib/assert.ts';
import type { LeaseId } from '../../src/lib/ids.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { GrpcCode } from '../../src/wire/grpc-code.ts';
import { type Background, soonOrNot } from '../background.ts';
import type { LockClient } from '../full-client.ts';
import type { CallOptions } from '../kv-client.ts';
import type { Completion } from '../workload.ts';

/** Longer than all of it takes. */
const TTL_S = 60;
/** How long the second waits, and the third. */
const GIVES_UP_MS = 300;
/** Until its member has surely heard that; before, it may still be given what is let go. */
const HEARD_MS = 2_000;
const PATIENCE_MS = 20_000;

type Reply = Awaited<ReturnType<LockClient['lock']>>;

export class LockRelay {
  readonly #client: LockClient;
  readonly #background: Background;
  readonly #name: string;
  readonly #leases: LeaseId[] = [];
  #step: 'leases' | 'first' | 'second' | 'heard' | 'unlock' | 'third' | 'done' = 'leases';
  #key: Uint8Array | undefined;
  #heard: Promise<true> | undefined;
  #third: Promise<Reply> | undefined;

  constructor(client: LockClient, background: Background, name: string) {
    this.#client = client;
    this.#background = background;
    this.#name = name;
  }

  /** The next step; what fails is tried again with the next call. */
  async step(options: CallOptions): Promise<Completion> {
    const step = this.#step;
    const value = { name: this.#name, step };
    const said = (isDone: boolean): Completion =>
      isDone ? { type: 'ok', value } : { type: 'fail', error: `${step}: not yet` };
    switch (step) {
      case 'leases':
        return said(await this.#grant(options));
      case 'first': {
        const first = await this.#lock(0, options);
        this.#key = first.ok ? first.value.result.key : undefined;
        if (first.ok) this.#step = 'second';
        return said(first.ok);
      }
      case 'second': {
        const timeoutMs = Math.min(GIVES_UP_MS, options.timeoutMs);
        const second = await this.#lock(1, { timeoutMs });
        if (!second.ok) this.#step = 'heard';
        return said(!second.ok);
      }
      case 'heard': {
        this.#heard ??= this.#background.wait(HEARD_MS).then(() => true as const);
        const isHeard = await soonOrNot(this.#background, options.timeoutMs, this.#heard);
        if (isHeard) this.#step = 'unlock';
        return said(isHeard === true);
      }
      case 'unlock': {
        assert(this.#key !== undefined, 'what is unlocked was locked');
        const unlocked = await this.#client.unlock(this.#key, options);
        if (unlocked.ok) this.#step = 'third';
        return said(unlocked.ok);
      }
      case 'third': {
        this.#third ??= this.#lock(2, { timeoutMs: PATIENCE_MS });
        const third = await soonOrNot(this.#background, options.timeoutMs, this.#third);
        if (third === undefined) return said(false);
        this.#third = undefined;
        // Anything but silence says nothing about the queue.
        if (!third.ok && third.error.code !== GrpcCode.deadlineExceeded) return said(false);
        this.#step = 'done';
        return { type: 'ok', value: { ...value, isPassedOn: third.ok } };
      }
      default:
        return said(true);
    }
  }

  get isDone(): boolean {
    return this.#step === 'done';
  }

  #lock(at: number, options: CallOptions): Promise<Reply> {
    const request = { name: utf8Encode(this.#name), lease: this.#leases[at]! };
    return this.#client.lock(request, options);
  }

  async #grant(options: CallOptions): Promise<boolean> {
    const granted = await this.#client.leaseGrant(TTL_S, options);
    if (granted.ok) this.#leases.push(granted.value.result.id);
    if (this.#leases.length === 3) this.#step = 'first';
    return granted.ok;
  }
}
