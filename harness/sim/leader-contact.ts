/**
 * A leader that hears no quorum any more steps down within two election timeouts (thesis 6.2):
 * its clients must not wait for what cannot come. Time is counted in heartbeats sent without a
 * word back, so that a leader that is suspended or slow is not blamed for it.
 */
import type { MemberId } from '../../src/lib/ids.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { Message } from '../../src/raft/message.ts';
import type { WorldPlan } from './plan.ts';

/** In election timeouts: two, and as much again for heartbeats that reads send out of turn. */
const PATIENCE_ELECTIONS = 4;

export class LeaderContact {
  readonly #silentMax: number;
  readonly #intervalNs: number;
  /** By leader, then by peer. */
  readonly #silence = new Map<MemberId, Map<MemberId, Silence>>();

  constructor({ heartbeatMs, electionMs }: Pick<WorldPlan, 'heartbeatMs' | 'electionMs'>) {
    this.#silentMax = Math.ceil((PATIENCE_ELECTIONS * electionMs) / heartbeatMs);
    this.#intervalNs = heartbeatMs * 0.9e6;
  }

  /** Beats that come faster than the interval are one. */
  sending(message: Message, nowNs: number): void {
    if (message.type !== 'MsgHeartbeat') return;
    const silence = this.#silenceOf(message.from, message.to);
    if (nowNs - silence.countedNs < this.#intervalNs) return;
    silence.beats += 1;
    silence.countedNs = nowNs;
  }

  delivered(message: Message): void {
    const silence = this.#silence.get(message.to)?.get(message.from);
    if (silence !== undefined) silence.beats = 0;
  }

  /** In words, if the member still leads though a quorum has long been silent. */
  tooLong(core: Readonly<RaftCore>): string | undefined {
    if (core.role.type !== 'leader') {
      this.#silence.delete(core.id);
      return undefined;
    }
    const silences = this.#silence.get(core.id);
    if (silences === undefined) return undefined;
    const { voters } = core.conf;
    let silent = 0;
    for (const id of voters) {
      if ((silences.get(id)?.beats ?? 0) > this.#silentMax) silent += 1;
    }
    if ((voters.length - silent) * 2 > voters.length) return undefined;
    return `leads term ${core.term}, and ${this.#silentMax} heartbeats went unanswered by a quorum`;
  }

  #silenceOf(leader: MemberId, peer: MemberId): Silence {
    const known = this.#silence.get(leader) ?? new Map<MemberId, Silence>();
    this.#silence.set(leader, known);
    const silence = known.get(peer) ?? { beats: 0, countedNs: 0 };
    known.set(peer, silence);
    return silence;
  }
}

interface Silence {
  beats: number;
  countedNs: number;
}
