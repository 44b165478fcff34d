/**
 * A simulated client's watch stream. Answers come in order, each a latency after the other at
 * least; a client that takes nothing fills what lies between, and the member notices.
 */
import { assert } from '../../src/lib/assert.ts';
import type { Index, Revision } from '../../src/lib/ids.ts';
import type { WatchCreateRequest, WatchId, WatchRequest } from '../../src/mvcc/watch-request.ts';
import type { StreamSource } from '../../src/service/stream.ts';
import type { WatchResponse } from '../../src/service/watch.ts';
import type { WatchCall, WatchHandlers } from '../../workloads/full-client.ts';
import type { ClientLink } from './client-link.ts';
import type { Life, SimNode } from './node.ts';
import type { Asker } from './oracle/access-audit.ts';
import { WatchAudit } from './oracle/watch-audit.ts';

export class SimWatchCall implements WatchCall {
  readonly node: SimNode;
  readonly audit: WatchAudit;
  readonly #link: ClientLink;
  readonly #handlers: WatchHandlers;
  readonly #onClosed: () => void;
  #life: Life | undefined;
  #source: StreamSource<WatchRequest> | undefined;
  #asker: Asker | undefined;
  /** Sent by the member, not taken by the client. */
  readonly #untaken: WatchResponse[] = [];
  /** Sent, and not judged yet. */
  #unaudited = 0;
  #onWritable: () => void = () => undefined;
  #isPaused = false;
  #isOver = false;
  #arrivesNs = 0;

  constructor(link: ClientLink, handlers: WatchHandlers, onClosed: () => void) {
    this.#link = link;
    this.node = link.node;
    this.#handlers = handlers;
    this.#onClosed = onClosed;
    this.audit = new WatchAudit(link.parts.oracle);
    this.#inMember(
      (life) => this.#open(life),
      () => this.#lost(),
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get #isFull(): boolean {
    return this.#untaken.length >= this.#link.parts.watchUntakenMax;
  }

  create(request: WatchCreateRequest): void {
    this.#send({ type: 'create', request });
  }

  cancel(watchId: WatchId): void {
    this.#send({ type: 'cancel', watchId });
  }

  requestProgress(): void {
    this.#send({ type: 'progress' });
  }

  /**
   * None of those who watch at the member is behind its present revision. False: this is to be
   * said again, once it is known what was sent before.
   */
  caughtUp(revision: Revision): boolean {
    if (this.#unaudited > 0) return false;
    this.audit.caughtUp(revision);
    return true;
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#take();
  }

  close(): void {
    if (this.#isOver) return;
    this.#end();
    const source = this.#source;
    if (source !== undefined) this.#inMember(() => source.closed());
  }

  #open(life: Life): void {
    const { serving } = life;
    if (serving === undefined) return this.#lost();
    const isFull = (): boolean => this.#isFull;
    life.onEnd.add(this.#onDeath);
    this.#asker = this.#link.asker;
    this.#source = serving.services.watch.open(this.#link.caller, {
      send: (response) => this.#sent(response, serving.member.machine.applied),
      get writable() {
        return !isFull();
      },
      onWritable: (callback) => {
        this.#onWritable = callback;
      },
      end: () => this.#link.parts.loop.schedule(this.#link.latencyNs(), () => this.#lost()),
    });
  }

  readonly #onDeath = (): void => {
    this.#link.parts.loop.schedule(this.#link.latencyNs(), () => this.#lost());
  };

  /** In the member; judged when all of its step is known. */
  #sent(response: WatchResponse, applied: Index): void {
    const { loop, onWrong } = this.#link.parts;
    this.#unaudited += 1;
    loop.schedule(0, () => {
      const asker = this.#asker ?? { user: undefined, login: undefined };
      this.#unaudited -= 1;
      const detail = this.audit.sent(response, { applied, asker });
      if (detail !== undefined) onWrong(this.node, { name: 'watch', detail });
    });
    this.#untaken.push(response);
    this.#arrivesNs = Math.max(this.#arrivesNs, loop.nowNs + this.#link.latencyNs());
    loop.schedule(this.#arrivesNs - loop.nowNs, () => this.#take());
  }

  #take(): void {
    const { loop } = this.#link.parts;
    if (this.#isPaused || this.#isOver || loop.nowNs < this.#arrivesNs) return;
    const wasFull = this.#isFull;
    for (const { header, result } of this.#untaken.splice(0)) {
      this.#handlers.onResponse(header.revision, result);
    }
    if (wasFull) this.#inMember(() => this.#onWritable());
  }

  #send(request: WatchRequest): void {
    this.#inMember(() => {
      this.audit.asked(request);
      this.#source?.receive(request);
    });
  }

  /** In the process that the stream leads to, a latency from now, behind what was sent before. */
  #inMember(run: (life: Life) => void, ifDead: () => void = () => undefined): void {
    const { loop } = this.#link.parts;
    this.#requestNs = Math.max(this.#requestNs, loop.nowNs + this.#link.latencyNs());
    loop.schedule(this.#requestNs - loop.nowNs, () => {
      const { life } = this.node;
      this.#life ??= life;
      if (life === undefined || life !== this.#life) return ifDead();
      life.process.schedule(0, () => run(life));
    });
  }

  #requestNs = 0;

  #lost(): void {
    if (this.#isOver) return;
    this.#end();
    this.#handlers.onEnd();
  }

  #end(): void {
    assert(!this.#isOver, 'a stream ends once');
    this.#isOver = true;
    this.#life?.onEnd.delete(this.#onDeath);
    this.#onClosed();
  }
}
