import type { CallObserver } from '../api/call-observer.ts';
import type { ApplyMeter } from '../member/apply-meter.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/log.ts';
import type { Entry } from '../raft/message.ts';
import { decodeLoggedRequest } from '../wire/logged-request.ts';
import { LineLimit } from './line-limit.ts';

/** Lines of the log about what took longer than the operator wants it to. */

export interface SlowWarningOptions {
  readonly clock: Pick<Clock, 'nowNs'>;
  readonly log: Log;
  /** What takes longer is told of. */
  readonly limitMs: number;
}

/** --warning-unary-request-duration: from a call's begin to its end, whoever it waited for. */
export function warnOfSlowCalls(inner: CallObserver, options: SlowWarningOptions): CallObserver {
  const { clock, log, limitMs } = options;
  const lines = new LineLimit(clock);
  return {
    started: (call) => inner.started(call),
    transferred: (sentBytes, receivedBytes) => inner.transferred(sentBytes, receivedBytes),
    handled: (call) => {
      inner.handled(call);
      if (call.type !== 'unary') return;
      const tookMs = (clock.nowNs() - call.startedNs) / 1e6;
      if (tookMs <= limitMs) return;
      const unreported = lines.take();
      if (unreported === undefined) return;
      const { method, code, receivedBytes, sentBytes } = call;
      log.warn('a request took too long', {
        method,
        code,
        receivedBytes,
        sentBytes,
        tookMs: roundMs(tookMs),
        limitMs,
        unreported,
      });
    },
  };
}

/** --warning-apply-duration: what one entry of the log took to become part of the state. */
export class SlowApplies implements ApplyMeter {
  readonly #options: SlowWarningOptions & { readonly onSlow: () => void };
  readonly #lines: LineLimit;
  #sinceNs = 0;

  constructor(options: SlowWarningOptions & { readonly onSlow: () => void }) {
    this.#options = options;
    this.#lines = new LineLimit(options.clock);
  }

  begin(): void {
    this.#sinceNs = this.#options.clock.nowNs();
  }

  applied(entry: Entry): void {
    const { clock, log, limitMs, onSlow } = this.#options;
    const nowNs = clock.nowNs();
    const tookMs = (nowNs - this.#sinceNs) / 1e6;
    this.#sinceNs = nowNs;
    if (tookMs <= limitMs) return;
    onSlow();
    const unreported = this.#lines.take();
    if (unreported === undefined) return;
    log.warn('applying a request took too long', {
      request: kindOf(entry),
      index: entry.index,
      sizeBytes: entry.data.length,
      tookMs: roundMs(tookMs),
      limitMs,
      unreported,
    });
  }
}

function kindOf({ type, data }: Entry): string {
  if (type !== 'normal' || data.length === 0) return type;
  const logged = decodeLoggedRequest(data);
  return logged.ok ? logged.value.request.type : 'unknown';
}

/** To microseconds. */
function roundMs(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
