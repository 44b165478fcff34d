/** Ends the streams of clients that insist on a leader, once there has been none for too long. */
import type { MemberNode } from '../member/node.ts';

/** New streams are refused at once; old ones cost more to replace, so they get this much time. */
const ELECTION_TIMEOUTS = 3;

export interface LeaderMonitorOptions {
  /** The shortest election timeout. */
  readonly electionMs: number;
}

/** For the streams of any service; `tick` is to be called about once per member tick. */
export class LeaderMonitor {
  readonly #node: Pick<MemberNode, 'status' | 'nowTick' | 'tickMs'>;
  readonly #patienceTicks: number;
  readonly #cuts = new Set<() => void>();
  #leaderSeenTick: number;

  constructor(
    node: Pick<MemberNode, 'status' | 'nowTick' | 'tickMs'>,
    options: LeaderMonitorOptions,
  ) {
    this.#node = node;
    this.#patienceTicks = Math.ceil((ELECTION_TIMEOUTS * options.electionMs) / node.tickMs);
    this.#leaderSeenTick = node.nowTick;
  }

  /** `cut` is called once at most; the result takes it back. */
  attach(cut: () => void): () => void {
    this.#cuts.add(cut);
    return () => this.#cuts.delete(cut);
  }

  tick(): void {
    const { nowTick } = this.#node;
    if (this.#node.status().leader !== undefined) this.#leaderSeenTick = nowTick;
    if (nowTick - this.#leaderSeenTick < this.#patienceTicks) return;
    const cuts = [...this.#cuts];
    this.#cuts.clear();
    for (const cut of cuts) cut();
  }
}
