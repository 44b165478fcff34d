/**
 * Linearizable reads, by what passes between members (thesis 6.4): a round of reads is over when
 * a majority has answered a heartbeat that left after its reads had come.
 */
import type { MemberId, Term } from '../../src/lib/ids.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { ConfState, Message } from '../../src/raft/message.ts';
import { jointVoteResult } from '../../src/raft/quorum.ts';

export class ReadRounds {
  readonly #leaders = new Map<MemberId, Leading>();

  /** Before a message leaves its member: the heartbeats of a round say that there is one. */
  sending(message: Message): void {
    if (message.type !== 'MsgHeartbeat' || message.context === 0) return;
    const leading = this.#leadingOf(message.from, message.term);
    leading.waiting = Math.max(leading.waiting, message.context);
  }

  /** A message has reached its member. */
  delivered(message: Message): void {
    if (message.type !== 'MsgHeartbeatResp') return;
    const { from, to, term, context } = message;
    const answered = this.#leadingOf(to, term).answered;
    answered.set(from, Math.max(answered.get(from) ?? 0, context));
  }

  /** After a step; in words, if reads were let go too early. `before`: as it was until then. */
  tooEarly(
    { id, role, term, conf }: Readonly<RaftCore>,
    before: ConfState,
    nameOf: (id: MemberId) => string,
  ): string | undefined {
    if (role.type !== 'leader') {
      this.#leaders.delete(id);
      return undefined;
    }
    const leading = this.#leadingOf(id, term);
    const { waiting } = leading;
    leading.waiting = role.reads.context;
    if (waiting <= leading.over || leading.waiting !== 0) return undefined;
    leading.over = waiting;
    const heard = [...leading.answered].filter(([, round]) => round >= waiting);
    const who = [id, ...heard.map(([voter]) => voter)];
    const votes = new Map(who.map((voter) => [voter, true]));
    if ([before, conf].some((each) => jointVoteResult(each, votes) === 'won')) return undefined;
    const names = who.map(nameOf).join(', ');
    return `reads of round ${waiting} in term ${term} were let go after answers of ${names} alone`;
  }

  #leadingOf(id: MemberId, term: Term): Leading {
    const known = this.#leaders.get(id);
    if (known !== undefined && known.term >= term) return known.term === term ? known : IGNORED();
    const fresh: Leading = { term, answered: new Map(), waiting: 0, over: 0 };
    this.#leaders.set(id, fresh);
    return fresh;
  }
}

/** One member, while it leads. */
interface Leading {
  readonly term: Term;
  /** By member: the newest round whose heartbeat it has answered. */
  readonly answered: Map<MemberId, number>;
  /** The newest round that waits; 0: none. */
  waiting: number;
  /** The newest round that was over. */
  over: number;
}

/** Of an earlier term: nobody counts it. */
const IGNORED = (): Leading => ({ term: 0, answered: new Map(), waiting: 0, over: 0 });
