/**
 * A leader that hears no quorum any more steps down within two election timeouts (thesis 6.2):
 * its clients must not wait for what cannot come. Time is the leader's own, in heartbeats that
 * its ticks made due: one that is suspended or slow is not blamed for it.
 */
import type { MemberId } from '../../src/lib/ids.ts';
import { allVoters } from '../../src/raft/conf-state.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { ConfState, Message } from '../../src/raft/message.ts';
import { jointVoteResult } from '../../src/raft/quorum.ts';
import type { WorldPlan } from './plan.ts';

/** In election timeouts: two, and as much again for whatever is on its way. */
const PATIENCE_ELECTIONS = 4;

export class LeaderContact {
  readonly #silentMax: number;
  readonly #leaders = new Map<MemberId, Leading>();

  constructor({ heartbeatMs, electionMs }: Pick<WorldPlan, 'heartbeatMs' | 'electionMs'>) {
    this.#silentMax = Math.ceil((PATIENCE_ELECTIONS * electionMs) / heartbeatMs);
  }

  delivered({ from, to }: Message): void {
    this.#leaders.get(to)?.heardAt.set(from, this.#leaders.get(to)!.beats);
  }

  /** After a step; in words, if the member still leads though a quorum has long been silent. */
  tooLong({ id, role, conf, term }: Readonly<RaftCore>): string | undefined {
    if (role.type !== 'leader') {
      this.#leaders.delete(id);
      return undefined;
    }
    const leading = this.#leaders.get(id) ?? newLeading(conf);
    this.#leaders.set(id, leading);
    if (leading.conf !== conf) {
      // Who made the quorum until now may be gone: the silence of the others counts from here.
      leading.conf = conf;
      leading.heardAt.clear();
    }
    // They count up to the heartbeat and begin anew.
    if (role.heartbeatElapsedTicks < leading.elapsedTicks) leading.beats += 1;
    leading.elapsedTicks = role.heartbeatElapsedTicks;
    const heard = allVoters(conf).filter((peer) => {
      const heardAt = leading.heardAt.get(peer);
      // A new member's silence begins now.
      if (heardAt === undefined) leading.heardAt.set(peer, leading.beats);
      const silence = leading.beats - (heardAt ?? leading.beats);
      return peer === id || silence <= this.#silentMax;
    });
    const contact = jointVoteResult(conf, new Map(heard.map((peer) => [peer, true])));
    if (contact === 'won') return undefined;
    return `leads term ${term}, and ${this.#silentMax} heartbeats went unanswered by a quorum`;
  }
}

/** One member, while it leads. */
interface Leading {
  conf: ConfState;
  /** Heartbeats that were due so far. */
  beats: number;
  elapsedTicks: number;
  /** By peer: how many beats there had been when it was last heard. */
  readonly heardAt: Map<MemberId, number>;
}

function newLeading(conf: ConfState): Leading {
  return { conf, beats: 0, elapsedTicks: 0, heardAt: new Map() };
}
