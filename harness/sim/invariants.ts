/**
 * What must hold after every step of every member: the properties of thesis figure 3.2, checked
 * as the cluster grows so that a step costs what it changed; and the promises that a member has
 * made to others, which its disk must still keep after any crash.
 */
import type { Index, MemberId, Term } from '../../src/lib/ids.ts';
import type { Member } from '../../src/member/member.ts';
import type { Store } from '../../src/mvcc/store.ts';
import { allVoters } from '../../src/raft/conf-state.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import { checkMember } from '../../src/raft/invariants.ts';
import type { RaftLog } from '../../src/raft/log.ts';
import type { ConfState, Entry, Message } from '../../src/raft/message.ts';
import { jointVoteResult } from '../../src/raft/quorum.ts';
import type { RaftRestore } from '../../src/raft/raw-node.ts';
import type { Role } from '../../src/raft/role.ts';
import type { LeaderContact } from './leader-contact.ts';
import { LeaseHandover } from './lease-handover.ts';
import type { LeasePromises } from './lease-promises.ts';
import { MembershipWatch } from './membership-watch.ts';
import type { Oracle } from './oracle/oracle.ts';
import { ReadRounds } from './read-rounds.ts';

/** A property that does not hold; thrown by the checks and caught by the simulation. */
export class Broken extends Error {
  override readonly name = 'Broken';
  readonly property: string;
  readonly by: 'invariant' | 'oracle';
  constructor(property: string, detail: string, by: 'invariant' | 'oracle' = 'invariant') {
    super(detail);
    this.property = property;
    this.by = by;
  }
}

/** What is remembered of one member over all its lives. */
interface Promises {
  /** Whom it voted for, by term. */
  readonly votes: Map<Term, MemberId>;
  /** How far it has told the leader of a term that it holds that leader's log. */
  readonly acknowledged: Map<Term, Index>;
  /** The most advanced log that it has called durable. */
  durable: { readonly term: Term; readonly index: Index };
  /** The highest term that it has acted in as candidate or leader, or voted in. */
  term: Term;
}

/** What is remembered of one life of a member. */
interface Seen {
  /** Entries of its log, by index, as last looked at. */
  readonly entries: Entry[];
  last: Index;
  role: Role | undefined;
  term: Term;
  commit: Index;
  /** Compared with what the cluster committed, up to here. */
  commitChecked: Index;
  /** Its membership after the last step: a commit counts by this one, and is then applied. */
  conf: ConfState;
  applied: Index;
  revision: number;
  comparedAt: Index;
  /** The one that was compared in full. */
  store: Store | undefined;
}

/** A prime: the past revisions that are compared with the model come from everywhere. */
const STRIDE = 7_919;
/** A member's store is compared with the model once in so many applied entries. */
const COMPARE_EVERY = 32;

export class SimInvariants {
  readonly #oracle: Oracle;
  readonly #nameOf: (id: MemberId) => string;
  readonly #promises = new Map<MemberId, Promises>();
  readonly #lives = new Map<MemberId, Seen>();
  readonly #leaders = new Map<Term, MemberId>();
  /** Every entry that any member had, by index and term. */
  readonly #known = new Map<number, KnownEntry>();
  /** By index; what any member ever called committed. */
  readonly #committed: CommittedEntry[] = [];
  #maxCommitted: Index = 0;
  /** The member table at an index, as the first to be asked knew it. */
  readonly #memberships = new Map<Index, string>();
  readonly #contact: LeaderContact;
  readonly #leases: LeasePromises;
  readonly #handover: LeaseHandover;
  readonly #membership: MembershipWatch;
  readonly #readRounds = new ReadRounds();
  /** Of the last change of the membership that anybody appended. */
  #lastChange: Index = 0;

  constructor(
    oracle: Oracle,
    nameOf: (id: MemberId) => string,
    watchers: { readonly contact: LeaderContact; readonly leases: LeasePromises },
  ) {
    this.#contact = watchers.contact;
    this.#leases = watchers.leases;
    this.#handover = new LeaseHandover(oracle, watchers.leases);
    this.#oracle = oracle;
    this.#nameOf = nameOf;
    this.#membership = new MembershipWatch(oracle);
  }

  /** Highest index that any member has called committed. */
  get maxCommitted(): Index {
    return this.#maxCommitted;
  }

  /** A member has started again on what its disk kept. */
  restarted(id: MemberId, restore: RaftRestore): void {
    this.#lives.delete(id);
    this.#membership.restarted(id);
    const promised = this.#promisesOf(id);
    const { hardState, entries, snapshot } = restore;
    const last = entries.at(-1) ?? snapshot;
    const who = this.#nameOf(id);
    if (hardState.term < promised.term) {
      throw new Broken(
        'durable term',
        `${who} acted in term ${promised.term} and restarts in ${hardState.term}`,
      );
    }
    const vote = promised.votes.get(hardState.term);
    if (vote !== undefined && hardState.vote !== vote) {
      throw new Broken(
        'durable vote',
        `${who} voted in term ${hardState.term} and restarts without that vote`,
      );
    }
    const { term, index } = promised.durable;
    if (last.term > term || (last.term === term && last.index >= index)) return;
    throw new Broken(
      'durable log',
      `${who} called ${term}/${index} durable and restarts at ${last.term}/${last.index}`,
    );
  }

  /** The member that was made of it, before its first step. */
  restored(id: MemberId, member: Member): void {
    const seen = newLife(member.core);
    this.#lives.set(id, seen);
    this.#compareState(id, seen, member, COMPARE_EVERY);
  }

  /** Before a message leaves its member, which holds `log`. */
  sending(message: Message, log: RaftLog): void {
    const { from, term } = message;
    switch (message.type) {
      case 'MsgHeartbeat':
        return this.#readRounds.sending(message);
      case 'MsgAppResp': {
        // An answer to an earlier term is not about today's log.
        const isStale = (this.#lives.get(from)?.term ?? 0) > term;
        if (message.reject) return;
        // The leader of that term may still count it, though the member has moved on.
        const { acknowledged } = this.#promisesOf(from);
        acknowledged.set(term, Math.max(acknowledged.get(term) ?? 0, message.index));
        if (!isStale) this.#calledDurable(from, log, message.index);
        return;
      }
      case 'MsgVote':
        return this.#voted(from, term, from);
      case 'MsgVoteResp':
        if (!message.reject) this.#voted(from, term, message.to);
        return;
      default:
        return;
    }
  }

  /** A message has reached its member. */
  delivered(message: Message): void {
    this.#contact.delivered(message);
    this.#readRounds.delivered(message);
  }

  /** After each callback of the member's process. */
  afterStep(id: MemberId, member: Member): void {
    const { core } = member;
    checkMember(core);
    const seen = this.#lives.get(id) ?? newLife(core);
    this.#lives.set(id, seen);
    this.#ownTermCounts(id, seen, core);
    this.#monotone(id, seen, member);
    this.#membership.noteReady(core);
    this.#logMatching(id, seen, core);
    this.#calledDurable(id, core.log, core.log.stable);
    const early = this.#readRounds.tooEarly(core, seen.conf, this.#nameOf);
    if (early !== undefined) throw new Broken('read by a majority', early);
    this.#stateMachineSafety(id, seen, core);
    if (core.role !== seen.role) {
      seen.role = core.role;
      if (core.role.type === 'leader') this.#newLeader(core);
    }
    this.#standsByCommitted(id, core);
    const wrong = this.#membership.difference(id, member);
    if (wrong !== undefined) throw new Broken('membership', `${this.#nameOf(id)} knows ${wrong}`);
    const tooLong = this.#contact.tooLong(core);
    if (tooLong !== undefined) throw new Broken('contact', `${this.#nameOf(id)} ${tooLong}`);
    const handedOver = this.#handover.wrong(member);
    if (handedOver !== undefined) {
      throw new Broken('lease kept', `${this.#nameOf(id)} leads: ${handedOver}`);
    }
    this.#compareState(id, seen, member, COMPARE_EVERY);
  }

  /** At the end: whatever the member has applied since it was last compared. */
  compareNow(id: MemberId, member: Member): void {
    const seen = this.#lives.get(id);
    if (seen !== undefined) this.#compareState(id, seen, member, 1);
    this.#compareMembership(id, member);
  }

  /** Members that have applied the same log know the same members. */
  #compareMembership(id: MemberId, { machine }: Member): void {
    const { applied, membership } = machine;
    const words = membership
      .list()
      .map(({ id: of, name, peerUrls, clientUrls }) =>
        [of, name, ...peerUrls, ...clientUrls].join(' '),
      )
      .join(', ');
    const known = this.#memberships.get(applied) ?? words;
    this.#memberships.set(applied, known);
    if (words === known) return;
    throw new Broken(
      'membership',
      `${this.#nameOf(id)} at index ${applied} knows ${words}; another ${known}`,
    );
  }

  /** Who stands for election knows of no change that has replaced its membership (thesis 4.1). */
  #standsByCommitted(id: MemberId, { role, log, term }: Readonly<RaftCore>): void {
    if (role.type !== 'candidate' && role.type !== 'preCandidate') return;
    for (let index = log.applied + 1; index <= log.commit; index++) {
      const entry = log.entryAt(index);
      if (entry === undefined || entry.type === 'normal') continue;
      throw new Broken(
        'stands by its membership',
        `${this.#nameOf(id)} stands in term ${term}, change ${entry.term}/${index} is committed`,
      );
    }
  }

  /** A leader counts copies of entries of its own term only (thesis 3.6.2). */
  #ownTermCounts(id: MemberId, seen: Seen, { role, term, log }: Readonly<RaftCore>): void {
    const isSameLeader = role.type === 'leader' && role === seen.role;
    if (!isSameLeader || log.commit <= seen.commit || log.termAt(log.commit) === term) return;
    throw new Broken(
      'commit of its own term',
      `${this.#nameOf(id)}, leader of term ${term}, committed ${log.termAt(log.commit)}/${log.commit}`,
    );
  }

  #compareState(id: MemberId, seen: Seen, member: Member, every: number): void {
    const { applied, store } = member.machine;
    // From its own disk, or from another member.
    const isNew = store !== seen.store;
    seen.store = store;
    // A comparison reads the whole store: a large one is compared less often.
    const dueAfter = isNew ? 0 : Math.max(every, every > 1 ? store.keyCount : 1);
    if (applied - seen.comparedAt < dueAfter) return;
    seen.comparedAt = applied;
    const who = `${this.#nameOf(id)} at index ${applied}`;
    const past = 1 + ((applied * STRIDE) % store.revision);
    const difference =
      this.#oracle.compareStore(applied, store) ??
      (isNew || every === 1 ? this.#oracle.compareRows(applied, store) : undefined) ??
      this.#oracle.compareHistory(applied, store, past) ??
      this.#oracle.compareHash(applied, store, past);
    if (difference !== undefined) throw new Broken('state', `${who}: ${difference}`, 'oracle');
    const upkeep = this.#oracle.compareUpkeep(member);
    if (upkeep === undefined) return;
    const { subject, words } = upkeep;
    if (subject === 'members' || subject === 'voters') {
      throw new Broken('membership', `${who} knows ${words}`);
    }
    throw new Broken('state', `${who}: ${subject}: ${words}`, 'oracle');
  }

  #calledDurable(id: MemberId, log: RaftLog, index: Index): void {
    const term = log.termAt(index);
    if (term === undefined) return;
    const promised = this.#promisesOf(id);
    const { durable } = promised;
    const isFurther = term === durable.term && index > durable.index;
    if (term > durable.term || isFurther) promised.durable = { term, index };
  }

  #voted(voter: MemberId, term: Term, candidate: MemberId): void {
    const promised = this.#promisesOf(voter);
    promised.term = Math.max(promised.term, term);
    const known = promised.votes.get(term);
    if (known === undefined) promised.votes.set(term, candidate);
    else if (known !== candidate) {
      const [first, second] = [known, candidate].map(this.#nameOf);
      throw new Broken(
        'one vote a term',
        `${this.#nameOf(voter)} voted for ${first} and ${second} in term ${term}`,
      );
    }
  }

  #monotone(id: MemberId, seen: Seen, { core, machine }: Member): void {
    const { applied } = machine;
    const { commit } = core.log;
    const { revision } = machine.store;
    const fell =
      (core.term < seen.term && 'term') ||
      (commit < seen.commit && 'commit index') ||
      (applied < seen.applied && 'applied index') ||
      (revision < seen.revision && 'revision');
    if (fell) throw new Broken('monotone', `${this.#nameOf(id)}: its ${fell} fell`);
    if (applied > commit) {
      throw new Broken('applied ≤ commit', `${this.#nameOf(id)} applied ${applied} of ${commit}`);
    }
    Object.assign(seen, { term: core.term, commit, applied, revision });
  }

  /** Entries with one index and term are one entry, with one predecessor (by induction, one log). */
  #logMatching(id: MemberId, seen: Seen, { log }: Readonly<RaftCore>): void {
    const { entries } = seen;
    let from = Math.min(log.lastIndex, seen.last);
    while (from > log.base && entries[from] !== log.entryAt(from)) from--;
    for (let index = Math.max(from, log.base) + 1; index <= log.lastIndex; index++) {
      const entry = log.entryAt(index)!;
      entries[index] = entry;
      const key = index * TERMS_MAX + entry.term;
      const previousTerm = log.termAt(index - 1);
      const known = this.#known.get(key);
      if (known === undefined) {
        this.#known.set(key, { entry, previousTerm });
        this.#oneChange(id, entry);
        continue;
      }
      const follows = previousTerm === undefined || known.previousTerm === undefined;
      if (sameEntry(known.entry, entry) && (follows || previousTerm === known.previousTerm)) {
        continue;
      }
      throw new Broken(
        'log matching',
        `${this.#nameOf(id)} has another entry ${entry.term}/${index} than was known`,
      );
    }
    seen.last = log.lastIndex;
  }

  /** A change of the membership is begun when the one before is committed (thesis 4.1). */
  #oneChange(id: MemberId, entry: Entry): void {
    const { type, term, index } = entry;
    if (type === 'normal' || term === FIRST_TERM) return;
    const refusal = this.#membership.appended(entry);
    if (refusal !== undefined) {
      throw new Broken('membership', `change ${term}/${index} of ${this.#nameOf(id)}: ${refusal}`);
    }
    const before = this.#lastChange;
    this.#lastChange = index;
    // One that was never committed may have given way to this one.
    if (before <= this.#maxCommitted || before >= index) return;
    if (this.#lives.get(id)?.entries[before]?.type === 'normal') return;
    throw new Broken(
      'one change at a time',
      `${this.#nameOf(id)} appended change ${term}/${index} while ${before} was not committed`,
    );
  }

  #stateMachineSafety(id: MemberId, seen: Seen, core: Readonly<RaftCore>): void {
    const { log } = core;
    for (let index = Math.max(seen.commitChecked, log.base) + 1; index <= log.commit; index++) {
      const entry = log.entryAt(index);
      // A snapshot that waits to be installed has moved commit past what is held here.
      if (entry === undefined) break;
      const known = this.#committed[index];
      if (known === undefined) this.#commit(index, entry, core.term, [seen.conf, core.conf]);
      else if (!sameEntry(known.entry, entry)) {
        throw new Broken(
          'state machine safety',
          `${this.#nameOf(id)} committed ${entry.term}/${index}, ${known.entry.term}/${index} was`,
        );
      }
    }
    seen.commitChecked = log.commit;
    seen.conf = core.conf;
  }

  #commit(index: Index, entry: Entry, inTerm: Term, confs: readonly ConfState[]): void {
    if (index !== this.#maxCommitted + 1) {
      throw new Broken('commit in order', `${index} committed after ${this.#maxCommitted}`);
    }
    // The first entries of a cluster are committed by configuration, before anybody asked.
    const voters = [...new Set(confs.flatMap(allVoters))];
    const holders = voters.filter((voter) => this.#holds(voter, entry, inTerm));
    if (entry.term > FIRST_TERM && !confs.some((conf) => decides(conf, holders))) {
      const names = holders.map(this.#nameOf).join(', ');
      throw new Broken(
        'commit by a majority',
        `${entry.term}/${index} is durable on ${names} only`,
      );
    }
    this.#committed[index] = { entry, inTerm };
    this.#maxCommitted = index;
    const { repeated, revoked } = this.#oracle.commit(entry);
    if (repeated !== undefined) throw new Broken('committed once', repeated);
    if (revoked === undefined || !revoked.hasExpired) return;
    const early = this.#leases.expired(revoked.id);
    if (early !== undefined) throw new Broken('lease kept', early);
  }

  /** Whether it has called the entry, or a later leader's, durable, or told that leader so. */
  #holds(id: MemberId, entry: Entry, inTerm: Term): boolean {
    const { acknowledged, durable } = this.#promisesOf(id);
    if ((acknowledged.get(inTerm) ?? 0) >= entry.index) return true;
    const { term, index } = durable;
    return term > entry.term || (term === entry.term && index >= entry.index);
  }

  /** Election safety and leader completeness. */
  #newLeader(core: Readonly<RaftCore>): void {
    const { id, term, log } = core;
    const who = this.#nameOf(id);
    const promised = this.#promisesOf(id);
    promised.term = Math.max(promised.term, term);
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== id) {
      throw new Broken('election safety', `${this.#nameOf(known)} and ${who} lead term ${term}`);
    }
    this.#leaders.set(term, id);
    const votes = allVoters(core.conf).filter(
      (voter) => voter === id || this.#promisesOf(voter).votes.get(term) === id,
    );
    if (!decides(core.conf, votes)) {
      const names = votes.map(this.#nameOf).join(', ');
      throw new Broken('elected by a majority', `${who} leads term ${term} by ${names} alone`);
    }
    for (let index = this.#maxCommitted; index > log.commit; index--) {
      const committed = this.#committed[index];
      // One that was deposed unawares may lack what its successors commit.
      if (committed === undefined || committed.inTerm >= term) continue;
      const own = log.entryAt(index);
      if (own !== undefined && sameEntry(own, committed.entry)) continue;
      throw new Broken(
        'leader completeness',
        `${who}, leader of term ${term}, lacks committed entry ${committed.entry.term}/${index}`,
      );
    }
  }

  #promisesOf(id: MemberId): Promises {
    const known = this.#promises.get(id);
    if (known !== undefined) return known;
    const fresh: Promises = {
      votes: new Map(),
      acknowledged: new Map(),
      durable: { term: 0, index: 0 },
      term: 0,
    };
    this.#promises.set(id, fresh);
    return fresh;
  }
}

interface KnownEntry {
  readonly entry: Entry;
  readonly previousTerm: Term | undefined;
}

interface CommittedEntry {
  readonly entry: Entry;
  readonly inTerm: Term;
}

/** Of the entries that a new cluster begins with. */
const FIRST_TERM: Term = 1;
/** Simulations end long before this many elections. */
const TERMS_MAX = 2 ** 20;

/** A majority, of both halves if it is joint. */
function decides(conf: ConfState, members: readonly MemberId[]): boolean {
  return jointVoteResult(conf, new Map(members.map((id) => [id, true]))) === 'won';
}

function newLife(core: Readonly<RaftCore>): Seen {
  return {
    entries: [],
    last: core.log.base,
    role: undefined,
    term: 0,
    commit: 0,
    commitChecked: core.log.base,
    conf: core.conf,
    applied: 0,
    revision: 0,
    comparedAt: 0,
    store: undefined,
  };
}

function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  if (a.term !== b.term || a.type !== b.type || a.data.length !== b.data.length) return false;
  return a.data === b.data || a.data.every((byte, at) => byte === b.data[at]);
}
