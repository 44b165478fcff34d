/**
 * What must hold after every step: of one member, and of all members together (the properties
 * of thesis figure 3.2). For tests and simulation: the cluster checks look at whole logs.
 */
import { assert, assertNever } from '../lib/assert.ts';
import type { Index, MemberId, Term } from '../lib/ids.ts';
import { allVoters, confStateFault, members, sameConf } from './conf-state.ts';
import type { RaftCore } from './core.ts';
import { describeConf } from './describe.ts';
import { entriesSizeBytes } from './log.ts';
import type { ConfState, Entry } from './message.ts';
import type { LeaderRole } from './role.ts';

type Core = Readonly<RaftCore>;

/** One member on its own. */
export function checkMember(core: Core): void {
  const { log, role } = core;
  const pending = log.pendingSnapshot !== undefined;
  assert(log.applied <= log.applying, 'invariant: applied ≤ applying');
  assert(log.applying <= log.commit, 'invariant: applying ≤ commit');
  assert(log.commit <= log.lastIndex, 'invariant: commit ≤ last');
  assert(pending || log.base <= log.applied, 'invariant: base ≤ applied');
  assert(pending || log.base <= log.stable, 'invariant: base ≤ stable');
  assert(pending || log.base <= core.snapshot.index, 'invariant: base ≤ newest checkpoint');
  assert(log.stable <= log.handed, 'invariant: stable ≤ handed');
  assert(log.handed <= log.lastIndex, 'invariant: handed ≤ last');
  assert(log.lastTerm <= core.term, 'invariant: no entry of a future term');
  assert(confStateFault(core.conf) === undefined, 'invariant: the membership can exist');
  const unstable = log.entriesAfter(log.stable);
  assert(log.unstableBytes === entriesSizeBytes(unstable), 'invariant: unstable bytes are exact');
  switch (role.type) {
    case 'follower':
      assert(role.leader !== core.id, 'invariant: nobody follows itself');
      return;
    case 'preCandidate':
      assert(role.votes.get(core.id) !== false, 'invariant: a candidate is for itself');
      return;
    case 'candidate':
      assert(core.vote === core.id, 'invariant: a candidate votes for itself');
      return;
    case 'leader':
      checkLeader(core, role);
      return;
    default:
      assertNever(role);
  }
}

function checkLeader(core: Core, leader: LeaderRole): void {
  const { log } = core;
  const peers = members(core.conf).filter((id) => id !== core.id);
  assert(core.vote === core.id, 'invariant: a leader has voted for itself');
  assert(allVoters(core.conf).includes(core.id), 'invariant: a leader has a vote');
  const changes = log.entriesAfter(log.applied).filter(({ type }) => type !== 'normal');
  assert(
    changes.every(({ index }) => index <= leader.pendingConfIndex),
    'invariant: unapplied membership changes hold up the next',
  );
  assert(
    changes.filter(({ term }) => term === core.term).length <= 1,
    'invariant: one membership change at a time',
  );
  assert(log.pendingSnapshot === undefined, 'invariant: a leader has its log');
  assert(peers.length === leader.progress.size, 'invariant: progress follows the membership');
  assert(
    log.termAt(leader.firstIndexOfTerm) === core.term || log.base >= leader.firstIndexOfTerm,
    'invariant: the no-op is of the leader’s term',
  );
  assert(
    leader.uncommittedBytes === entriesSizeBytes(log.uncommitted()),
    'invariant: uncommitted bytes are exact',
  );
  for (const id of peers) {
    const progress = leader.progress.get(id);
    assert(progress !== undefined, 'invariant: every peer has progress');
    assert(progress.match < progress.next, 'invariant: match < next');
    assert(progress.match <= log.lastIndex, 'invariant: match ≤ last');
    assert(progress.next <= log.lastIndex + 1, 'invariant: next ≤ last + 1');
    const { state } = progress;
    assert(
      state.type !== 'snapshot' || state.pendingSnapshot <= log.commit,
      'invariant: snapshots hold committed entries',
    );
  }
}

/** Remembers what was ever true of a cluster, and checks every member against it. */
export class ClusterInvariants {
  readonly #leaders: Map<Term, MemberId> = new Map();
  /** Every entry that any member ever called committed, and the term it was committed in. */
  readonly #committed: Map<Index, { readonly entry: Entry; readonly inTerm: Term }> = new Map();
  #maxCommitted: Index = 0;
  /** How far each running member has been compared with it; a restart starts over. */
  readonly #compared: Map<MemberId, Index> = new Map();
  /** The membership at every index that any member has applied. */
  readonly #memberships: Map<Index, ConfState> = new Map();

  /** After each step, with all running members. */
  check(cores: readonly Core[]): void {
    for (const core of cores) {
      checkMember(core);
      this.#electionSafety(core);
      this.#stateMachineSafety(core);
      this.#sameMembership(core);
    }
    for (const core of cores) this.#leaderCompleteness(core);
    for (const [at, a] of cores.entries()) {
      for (const b of cores.slice(at + 1)) logMatching(a, b);
    }
  }

  /** The member has lost its memory; its log is compared anew. */
  restarted(id: MemberId): void {
    this.#compared.delete(id);
  }

  /** At most one leader in a term. */
  #electionSafety(core: Core): void {
    if (core.role.type !== 'leader') return;
    const known = this.#leaders.get(core.term);
    assert(known === undefined || known === core.id, `two leaders in term ${core.term}`);
    this.#leaders.set(core.term, core.id);
  }

  /** No two members commit different entries at one index. */
  #stateMachineSafety(core: Core): void {
    const { log } = core;
    const from = Math.max(this.#compared.get(core.id) ?? 0, log.base) + 1;
    for (let index = from; index <= log.commit; index++) {
      const entry = log.entryAt(index)!;
      const known = this.#committed.get(index);
      const same = known === undefined || sameEntry(known.entry, entry);
      assert(same, `index ${index} committed twice`);
      // The first to know is the leader that counted.
      if (known === undefined) this.#committed.set(index, { entry, inTerm: core.term });
    }
    this.#maxCommitted = Math.max(this.#maxCommitted, log.commit);
    this.#compared.set(core.id, Math.max(log.commit, this.#compared.get(core.id) ?? 0));
  }

  /** Members that have applied the same log have the same membership, joint or not. */
  #sameMembership({ log, conf }: Core): void {
    // A snapshot's membership counts before its state machine is in place.
    if (log.pendingSnapshot !== undefined) return;
    const known = this.#memberships.get(log.applied);
    if (known === undefined) this.#memberships.set(log.applied, conf);
    else if (known !== conf && !sameConf(known, conf)) {
      const both = `${describeConf(known)} and ${describeConf(conf)}`;
      assert(false, `two memberships at index ${log.applied}: ${both}`);
    }
  }

  /** A leader holds every entry that was committed in an earlier term, by whatever leader. */
  #leaderCompleteness(core: Core): void {
    if (core.role.type !== 'leader') return;
    const { log } = core;
    for (let index = this.#maxCommitted; index > log.commit; index--) {
      const committed = this.#committed.get(index);
      assert(committed !== undefined, `index ${index} was committed unseen`);
      // One that was deposed unawares may lack what its successors commit.
      if (committed.inTerm >= core.term) continue;
      const own = log.entryAt(index);
      const holds = own !== undefined && sameEntry(own, committed.entry);
      assert(holds, `the leader of term ${core.term} lacks committed entry ${index}`);
    }
  }
}

/** Logs with one equal (index, term) are equal up to there. */
function logMatching(a: Core, b: Core): void {
  const from = Math.max(a.log.base, b.log.base);
  let agree = false;
  for (let index = Math.min(a.log.lastIndex, b.log.lastIndex); index > from; index--) {
    const left = a.log.entryAt(index)!;
    const right = b.log.entryAt(index)!;
    if (left === right) agree = true;
    else if (agree || left.term === right.term) {
      agree = true;
      assert(sameEntry(left, right), `logs agree beyond index ${index}, and differ there`);
    }
  }
}

function sameEntry(a: Entry, b: Entry): boolean {
  if (a === b) return true;
  const sameData = a.data.length === b.data.length && a.data.every((byte, i) => byte === b.data[i]);
  return a.index === b.index && a.term === b.term && a.type === b.type && sameData;
}
