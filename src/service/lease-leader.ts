/** What only the leader knows and does about leases, asked for at any member. */

import type { LeaseTimes, RenewError } from '../lease/lessor.ts';
import type { LeaseId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { RequestFailure } from '../member/failure.ts';
import type { PeerAnswer } from '../member/peer-question.ts';
import type { Clock } from '../ports/clock.ts';
import { type LeaseNode, type LeaseQuestion, renewHere, timesHere } from './lease-questions.ts';

export interface LeaseLeaderParts {
  readonly node: LeaseNode;
  readonly clock: Clock;
  /** How long a leader that can answer is looked for (etcd: 5 s and two election timeouts). */
  readonly requestTimeoutMs: number;
}

/** Between two attempts, as in etcd. */
const RETRY_MS = 50;
/** A leader that takes longer may be none any more; asking again does no harm. */
const ASK_TIMEOUT_MS = 1_000;
type Attempt<Value> = Result<Value, RenewError | RequestFailure | 'noAnswer'>;

/** Renewing twice is as good as once, so whatever fails is tried again until the time is up. */
export class LeaseLeader {
  readonly #parts: LeaseLeaderParts;

  constructor(parts: LeaseLeaderParts) {
    this.#parts = parts;
  }

  /**
   * `leaseNotFound` is definite. One that is expired is waited for until it is revoked, because
   * nobody must be told that it lives, nor that it is gone while its keys are still there.
   */
  renew(id: LeaseId, isOver?: () => boolean): Promise<Result<number, RequestFailure>> {
    return this.#retry({ type: 'leaseRenew', id }, () => renewHere(this.#parts.node, id), {
      read: (answer) => (answer.type === 'leaseRenewed' ? answer.ttlS : undefined),
      isOver,
    });
  }

  /** The lease is known here, so that it is or was one. */
  timeToLive(id: LeaseId): Promise<Result<LeaseTimes, RequestFailure>> {
    return this.#retry({ type: 'leaseTimeToLive', id }, () => timesHere(this.#parts.node, id), {
      read: (answer) => (answer.type === 'leaseTimes' ? answer : undefined),
    });
  }

  async #retry<Value extends number | LeaseTimes>(
    question: LeaseQuestion,
    here: () => Promise<Attempt<Value>>,
    options: {
      readonly read: (answer: PeerAnswer) => Value | undefined;
      readonly isOver?: (() => boolean) | undefined;
    },
  ): Promise<Result<Value, RequestFailure>> {
    const { node, clock, requestTimeoutMs } = this.#parts;
    const deadlineNs = clock.nowNs() + requestTimeoutMs * 1e6;
    for (;;) {
      const { leader, memberId } = node.status();
      const leftMs = Math.ceil((deadlineNs - clock.nowNs()) / 1e6);
      let attempt: Attempt<Value>;
      if (leader === undefined) attempt = err('noLeader');
      else if (leader === memberId) attempt = await here();
      else {
        const answer = await node.ask(leader, question, Math.min(leftMs, ASK_TIMEOUT_MS));
        attempt = answer.ok ? heard(answer.value, options.read) : answer;
      }
      if (attempt.ok) return attempt;
      const { error } = attempt;
      if (!isWorthRetrying(error)) return err(error);
      const isOver = options.isOver?.() ?? false;
      if (isOver || clock.nowNs() + RETRY_MS * 1e6 > deadlineNs) {
        return err(leader === undefined ? 'noLeader' : 'timeout');
      }
      await new Promise<void>((resolve) => clock.after(RETRY_MS, resolve));
    }
  }
}

function heard<Value extends number | LeaseTimes>(
  answer: PeerAnswer,
  read: (answer: PeerAnswer) => Value | undefined,
): Attempt<Value> {
  // What a peer refuses for may have passed, or another leads by now.
  const value = read(answer);
  if (value === undefined) return err('noAnswer');
  const isKnown = typeof value === 'number' ? value > 0 : value.ttlS >= 0;
  return isKnown ? ok(value) : err('leaseNotFound');
}

function isWorthRetrying(
  error: RenewError | RequestFailure | 'noAnswer',
): error is 'notPrimary' | 'leaseExpired' | 'noAnswer' | 'noLeader' | 'leaderChanged' {
  switch (error) {
    case 'notPrimary':
    case 'leaseExpired':
    case 'noAnswer':
    case 'noLeader':
    case 'leaderChanged':
      return true;
    default:
      return false;
  }
}
