/** Traces members: a line whenever anything that people look at has changed. */
import type { MemberId } from '../../src/lib/ids.ts';
import { timingOf } from '../../src/member/timing.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { SimLoop } from './loop.ts';
import type { SimNode } from './node.ts';
import type { WorldPlan } from './plan.ts';
import { LOG_TAIL_MAX, type MemberTrace, type Tracer } from './trace.ts';

export class MemberTracer {
  readonly #tracer: Tracer;
  readonly #loop: SimLoop;
  readonly #tickMs: number;
  readonly #last = new Map<string, string>();
  /** What a dead member was like is what there is to show of it. */
  readonly #known = new Map<string, MemberTrace>();

  readonly #nameOf: (id: MemberId) => string;

  constructor(
    tracer: Tracer,
    loop: SimLoop,
    { plan, nameOf }: { readonly plan: WorldPlan; readonly nameOf: (id: MemberId) => string },
  ) {
    this.#tracer = tracer;
    this.#loop = loop;
    this.#nameOf = nameOf;
    this.#tickMs = timingOf(plan.heartbeatMs, plan.electionMs).tickMs;
  }

  note(node: SimNode): void {
    const trace = this.#describe(node);
    this.#known.set(node.name, trace);
    const { atNs, electionElapsedTicks, ...rest } = trace;
    // Restarted timers are worth a line, timers that run are not.
    const key = JSON.stringify({ ...rest, isFresh: electionElapsedTicks === 0 });
    if (this.#last.get(node.name) === key) return;
    this.#last.set(node.name, key);
    this.#tracer.trace(trace);
  }

  #name(id: MemberId | undefined): string | undefined {
    return id === undefined ? undefined : this.#nameOf(id);
  }

  #describe(node: SimNode): MemberTrace {
    const base = {
      type: 'member' as const,
      atNs: this.#loop.nowNs,
      node: node.name,
      state: node.life?.process.state ?? ('dead' as const),
      tickMs: this.#tickMs,
    };
    const member = node.life?.serving?.member;
    if (member === undefined) return { ...(this.#known.get(node.name) ?? NOTHING_KNOWN), ...base };
    const { core } = member;
    const { log, role } = core;
    const timer =
      role.type === 'leader'
        ? { electionElapsedTicks: role.quorumElapsedTicks, electionTimeoutTicks: 0 }
        : {
            electionElapsedTicks: role.electionElapsedTicks,
            electionTimeoutTicks: role.randomizedTimeoutTicks,
          };
    return {
      ...base,
      ...timer,
      role: role.type,
      term: core.term,
      vote: this.#name(core.vote),
      leader: this.#name(core.leader()),
      commit: log.commit,
      applied: log.applied,
      stable: log.stable,
      lastIndex: log.lastIndex,
      firstIndex: log.base + 1,
      tailTerms: tailTerms(core),
    };
  }
}

const NOTHING_KNOWN = {
  role: 'follower',
  term: 0,
  vote: undefined,
  leader: undefined,
  commit: 0,
  applied: 0,
  stable: 0,
  lastIndex: 0,
  firstIndex: 1,
  tailTerms: [],
  electionElapsedTicks: 0,
  electionTimeoutTicks: 0,
} as const;

function tailTerms({ log }: Readonly<RaftCore>): number[] {
  const terms: number[] = [];
  const from = Math.max(log.base + 1, log.lastIndex - LOG_TAIL_MAX + 1);
  for (let index = from; index <= log.lastIndex; index++) terms.push(log.termAt(index) ?? 0);
  return terms;
}
