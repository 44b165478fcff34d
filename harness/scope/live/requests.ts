/** What clients asked of the live cluster, and what they know of it. */
import type { Tracer } from '../../sim/trace.ts';

export type RequestOutcome =
  /** In a leader's log, or on its way to one. */
  | { readonly type: 'appended' | 'forwarded' }
  /** The member that was asked has applied it: the client is told so. */
  | { readonly type: 'applied'; readonly index: number }
  /** Certainly not done. */
  | { readonly type: 'dropped'; readonly reason: string }
  /** Nobody knows: it may be done yet. */
  | { readonly type: 'unknown'; readonly reason: string };

export interface LiveRequest {
  /** `c1`, `c2`, … */
  readonly command: string;
  readonly via: string;
  readonly askedNs: number;
  outcome: RequestOutcome | undefined;
}

export class RequestBook {
  readonly #tracer: Tracer;
  readonly #all: LiveRequest[] = [];
  readonly #byCommand = new Map<string, LiveRequest>();

  constructor(tracer: Tracer) {
    this.#tracer = tracer;
  }

  get all(): readonly LiveRequest[] {
    return this.#all;
  }

  ask(via: string, atNs: number): LiveRequest {
    const command = `c${this.#all.length + 1}`;
    const request: LiveRequest = { command, via, askedNs: atNs, outcome: undefined };
    this.#all.push(request);
    this.#byCommand.set(command, request);
    this.#trace(request, atNs, 'invoke', command);
    return request;
  }

  accepted(request: LiveRequest, type: 'appended' | 'forwarded'): void {
    if (isOpen(request)) request.outcome = { type };
  }

  refused(request: LiveRequest, reason: string, atNs: number): void {
    if (!isOpen(request)) return;
    request.outcome = { type: 'dropped', reason };
    this.#trace(request, atNs, 'fail', `${request.command} dropped: ${reason}`);
  }

  /** The answer goes out when the member that was asked has applied the command. */
  applied(command: string, node: string, index: number, atNs: number): void {
    const request = this.#byCommand.get(command);
    if (request === undefined || request.via !== node || !isOpen(request)) return;
    request.outcome = { type: 'applied', index };
    this.#trace(request, atNs, 'ok', `${command} applied at index ${index}`);
  }

  timedOut(request: LiveRequest, atNs: number): void {
    if (isOpen(request)) this.#unknown(request, 'timeout', atNs);
  }

  memberStopped(node: string, atNs: number): void {
    for (const request of this.#all) {
      if (request.via === node && isOpen(request)) this.#unknown(request, `${node} stopped`, atNs);
    }
  }

  #unknown(request: LiveRequest, reason: string, atNs: number): void {
    request.outcome = { type: 'unknown', reason };
    this.#trace(request, atNs, 'info', `${request.command} unanswered: ${reason}`);
  }

  #trace({ command, via }: LiveRequest, atNs: number, step: string, text: string): void {
    const process = Number(command.slice(1));
    this.#tracer.trace({ type: 'op', atNs, process, node: via, step, text });
  }
}

function isOpen({ outcome }: LiveRequest): boolean {
  return outcome === undefined || outcome.type === 'appended' || outcome.type === 'forwarded';
}
