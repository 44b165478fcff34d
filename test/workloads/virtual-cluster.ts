/**
 * Three members in virtual time, as clients see them: a leader with a log, followers that lag,
 * partitions of the leader, kills of everybody and slow disks, all drawn from a seed. Sound, or
 * broken in one of the ways that a default run must notice.
 */

import { fieldsOf } from '../../checkers/history/guards.ts';
import type { Json } from '../../checkers/history/op.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Invocation } from '../../workloads/generator/generator.ts';
import type { Completion } from '../../workloads/workload.ts';
import type { Outcome, VirtualStore } from './interpreter.ts';
import { testRandom } from './seeded-random.ts';

export type Defect =
  | 'none'
  /** Every member answers reads from what it has applied. */
  | 'local-reads'
  /** Only the leader does, and goes on while it is cut off, until it notices. */
  | 'lease-free-leader-reads'
  /** The leader acknowledges what it has only proposed. */
  | 'early-acknowledgement'
  /** Members acknowledge what is not on disk. */
  | 'volatile-log'
  /** A compare-and-set is decided on what is applied when it is proposed. */
  | 'eager-compare';

const MEMBERS = 3;
const MS = 1_000_000;
const TIMEOUT_NS = 1_000 * MS;
const ELECTION_NS = 900 * MS;
const FAULT_EVERY_NS = 3_000 * MS;
const FAULTS = ['partition-leader', 'kill-all', 'slow-disk'] as const;

interface Version {
  readonly value: number;
  readonly atNs: number;
  /** From when on it survives the end of the leader, or of everybody. */
  readonly durableNs: number;
}

interface Event {
  readonly atNs: number;
  run(): void;
}

/** A mutation on its way through the log; decided when it is applied. */
interface Proposal {
  readonly key: string;
  readonly to: number;
  readonly from: number | undefined;
  readonly answer: (swapped: boolean, saw: number | null) => void;
}

type Report = (outcome: Outcome) => void;

export class VirtualCluster implements VirtualStore {
  readonly #defect: Defect;
  readonly #random: Random;
  readonly #versions = new Map<string, Version[]>();
  /** In the order of their times. */
  readonly #events: Event[] = [];
  #nowNs = 0;
  #leader = 0;
  #hasLeaderFromNs = 0;
  #upFromNs = 0;
  #isolated: { readonly member: number; readonly sinceNs: number } | undefined;
  #slowDiskUntilNs = 0;
  #lastCommitNs = 0;
  /** Grows whenever proposals that are on their way are lost. */
  #epoch = 0;

  constructor(defect: Defect, seed: number, stormNs: number) {
    this.#defect = defect;
    this.#random = testRandom(seed).fork('cluster');
    for (let atNs = FAULT_EVERY_NS; atNs < stormNs; atNs += FAULT_EVERY_NS) {
      const fault = FAULTS[(atNs / FAULT_EVERY_NS + seed) % FAULTS.length]!;
      this.#at(atNs + this.#between(0, 500 * MS), () => this.#inject(fault));
    }
  }

  advance(timeNs: number): number {
    for (;;) {
      const [event] = this.#events;
      if (event === undefined) return Number.POSITIVE_INFINITY;
      if (event.atNs > timeNs) return event.atNs;
      this.#events.shift();
      this.#nowNs = event.atNs;
      event.run();
    }
  }

  invoke(op: Invocation, thread: number, timeNs: number, report: Report): void {
    this.advance(timeNs);
    const member = thread % MEMBERS;
    const isRead = op.f === 'read' || op.f === 'set-read';
    const giveUpNs = timeNs + TIMEOUT_NS;
    let reported = false;
    const finish = (completion: Completion): void => {
      if (reported) return;
      reported = true;
      report({
        endNs: Math.min(this.#nowNs + this.#between(0.1 * MS, 0.4 * MS), giveUpNs),
        completion,
      });
    };
    this.#at(giveUpNs, () => finish({ type: isRead ? 'fail' : 'info', error: 'timed out' }));
    this.#at(timeNs + this.#between(0.1 * MS, 0.4 * MS), () => {
      if (this.#nowNs < this.#upFromNs) finish({ type: 'fail', error: 'connection refused' });
      else if (isRead) this.#read(op, member, finish);
      else this.#mutate(op, member, finish);
    });
  }

  #read(op: Invocation, member: number, finish: (completion: Completion) => void): void {
    const cutOff = this.#isolated?.member === member ? this.#isolated : undefined;
    if (this.#defect === 'local-reads') {
      const lagNs = member === this.#leader ? 0 : this.#between(0.5 * MS, 4 * MS);
      finish(this.#readAt(op, cutOff?.sinceNs ?? this.#nowNs - lagNs));
    } else if (cutOff !== undefined) {
      const believes = this.#nowNs < cutOff.sinceNs + ELECTION_NS + 100 * MS;
      if (this.#defect === 'lease-free-leader-reads' && believes) {
        finish(this.#readAt(op, cutOff.sinceNs));
      }
    } else if (this.#nowNs < this.#hasLeaderFromNs) {
      this.#at(this.#hasLeaderFromNs, () => this.#read(op, member, finish));
    } else {
      const epoch = this.#epoch;
      this.#at(this.#nowNs + this.#between(0.4 * MS, 1.2 * MS), () => {
        if (epoch === this.#epoch) finish(this.#readAt(op, this.#nowNs));
      });
    }
  }

  #readAt(op: Invocation, atNs: number): Completion {
    if (op.f === 'read') {
      const key = String(fieldsOf(op.value)?.key);
      return { type: 'ok', value: { key, value: this.#valueAt(key, atNs) } };
    }
    const keys = [...this.#versions.keys()].filter((key) => key.startsWith('set/'));
    const elements = keys.flatMap((key) => this.#valueAt(key, atNs) ?? []);
    return { type: 'ok', value: { elements } };
  }

  #mutate(op: Invocation, member: number, finish: (completion: Completion) => void): void {
    const cutOff = this.#isolated?.member === member ? this.#isolated : undefined;
    if (cutOff !== undefined) {
      const believes = this.#nowNs < cutOff.sinceNs + ELECTION_NS + 100 * MS;
      if (this.#defect === 'early-acknowledgement' && believes && op.f !== 'cas') {
        finish({ type: 'ok', value: op.value });
      }
    } else if (this.#nowNs < this.#hasLeaderFromNs) {
      this.#at(this.#hasLeaderFromNs, () => this.#mutate(op, member, finish));
    } else {
      this.#propose(this.#proposalOf(op, finish));
    }
  }

  #proposalOf(op: Invocation, finish: (completion: Completion) => void): Proposal {
    const fields = fieldsOf(op.value) ?? {};
    if (op.f === 'add') {
      const element = Number(fields.element);
      const answer = (): void => finish({ type: 'ok', value: op.value });
      return { key: `set/${element}`, to: element, from: undefined, answer };
    }
    const key = String(fields.key);
    if (op.f === 'write') {
      const answer = (): void => finish({ type: 'ok', value: op.value });
      return { key, to: Number(fields.value), from: undefined, answer };
    }
    assert(op.f === 'cas', `unknown function ${op.f}`);
    const answer = (swapped: boolean, saw: number | null): void => {
      const value: { readonly [field: string]: Json } = { ...asJson(fields), swapped };
      finish({ type: 'ok', value: swapped ? value : { ...value, value: saw } });
    };
    return { key, to: Number(fields.to), from: Number(fields.from), answer };
  }

  #propose(proposal: Proposal): void {
    const isSlow = this.#nowNs < this.#slowDiskUntilNs;
    const latencyNs = isSlow ? this.#between(30 * MS, 80 * MS) : this.#between(1 * MS, 4 * MS);
    const { key, from } = proposal;
    const epoch = this.#epoch;
    const seen = this.#valueAt(key, this.#nowNs);
    this.#lastCommitNs = Math.max(this.#nowNs + latencyNs, this.#lastCommitNs + 1);
    if (this.#defect === 'early-acknowledgement') {
      const applies = from === undefined || from === seen;
      if (applies) this.#write(key, proposal.to, this.#lastCommitNs);
      proposal.answer(applies, seen);
      return;
    }
    this.#at(this.#lastCommitNs, () => {
      if (epoch !== this.#epoch) return;
      const current = this.#valueAt(key, this.#nowNs);
      const basis = this.#defect === 'eager-compare' ? seen : current;
      const applies = from === undefined || from === basis;
      const diskNs = this.#defect === 'volatile-log' ? latencyNs : 0;
      if (applies) this.#write(key, proposal.to, this.#nowNs + diskNs);
      proposal.answer(applies, basis);
    });
  }

  #write(key: string, value: number, durableNs: number): void {
    const versions = this.#versions.get(key) ?? [];
    versions.push({ value, atNs: this.#nowNs, durableNs });
    this.#versions.set(key, versions);
  }

  #valueAt(key: string, atNs: number): number | null {
    const versions = this.#versions.get(key) ?? [];
    return versions.findLast((version) => version.atNs <= atNs)?.value ?? null;
  }

  #inject(fault: (typeof FAULTS)[number]): void {
    switch (fault) {
      case 'partition-leader': {
        const isolated = { member: this.#leader, sinceNs: this.#nowNs };
        this.#isolated = isolated;
        this.#leader = (this.#leader + 1) % MEMBERS;
        this.#hasLeaderFromNs = this.#nowNs + ELECTION_NS;
        this.#epoch += 1;
        if (this.#defect === 'early-acknowledgement') this.#forgetVolatile();
        this.#at(this.#nowNs + 2_000 * MS, () => {
          this.#isolated = undefined;
        });
        return;
      }
      case 'kill-all':
        this.#upFromNs = this.#nowNs + 300 * MS;
        this.#hasLeaderFromNs = this.#nowNs + 300 * MS + ELECTION_NS;
        this.#epoch += 1;
        this.#forgetVolatile();
        return;
      default:
        this.#slowDiskUntilNs = this.#nowNs + 2_000 * MS;
    }
  }

  #forgetVolatile(): void {
    for (const [key, versions] of this.#versions) {
      const kept = versions.filter((version) => version.durableNs <= this.#nowNs);
      if (kept.length > 0) this.#versions.set(key, kept);
      else this.#versions.delete(key);
    }
  }

  #between(low: number, high: number): number {
    return low + this.#random.below(Math.ceil(high - low));
  }

  #at(atNs: number, run: () => void): void {
    const after = this.#events.findLastIndex((event) => event.atNs <= atNs);
    this.#events.splice(after + 1, 0, { atNs, run });
  }
}

function asJson(fields: { readonly [field: string]: Json | undefined }): {
  readonly [field: string]: Json;
} {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, value ?? null]));
}
