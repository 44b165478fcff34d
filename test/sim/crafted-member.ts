/** Members put together by hand, in states that no member should be in. */

import { seededRandom } from '../../harness/seeded-random.ts';
import type { SimInvariants } from '../../harness/sim/invariants.ts';
import { putRequest } from '../../src/client/requests.ts';
import type { Index, MemberId, Term } from '../../src/lib/ids.ts';
import { StateMachine } from '../../src/member/apply.ts';
import type { Member } from '../../src/member/member.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { raftConfig } from '../../src/raft/config.ts';
import { RaftCore as Core, type RaftCore } from '../../src/raft/core.ts';
import { entriesSizeBytes } from '../../src/raft/log.ts';
import type { ConfState, Entry, MsgAppResp, MsgVoteResp } from '../../src/raft/message.ts';
import type { RaftRestore } from '../../src/raft/raw-node.ts';
import { appendAsLeader } from '../../src/raft/replication.ts';
import { becomeCandidate, becomeLeader } from '../../src/raft/transitions.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';

const VOTERS: readonly MemberId[] = [1n, 2n, 3n];
const NO_DATA = new Uint8Array(0);
const REMOVED_MAX = 10;

export interface Crafted {
  readonly member: Member;
  readonly core: RaftCore;
  readonly machine: StateMachine;
}

export interface CraftedOptions {
  readonly id: MemberId;
  readonly term?: Term;
  readonly vote?: MemberId;
  /** After the snapshot, without a gap; all durable. */
  readonly entries?: readonly Entry[];
  readonly commit?: Index;
  /** What its state machine applied. */
  readonly applied?: readonly Entry[];
  readonly snapshot?: { readonly index: Index; readonly term: Term };
  /** The cluster; three unless told. */
  readonly voters?: readonly MemberId[];
}

export function craft(options: CraftedOptions): Crafted {
  const { id, entries = [], applied = [], commit = 0 } = options;
  const restore = restoreOf(options);
  const snapshot = restore.snapshot.index;
  const core = new Core(raftConfig({ id, random: seededRandom(1) }), {
    ...restore,
    hardState: { ...restore.hardState, commit: Math.max(commit, snapshot) },
    entries,
  });
  const machine = new StateMachine(undefined, {
    removedMembersMax: REMOVED_MAX,
    learnersMax: 1,
    hashSeed: 1,
    lessor: { minTtlS: 1, ticksPerS: 10, checkpointIntervalS: 300, leasesMax: 100 },
  });
  const conf = restore.snapshot.confState;
  for (const entry of applied) machine.apply(entry, { tick: 0, conf });
  // The invariants look at nothing else.
  return { member: { core, machine } as unknown as Member, core, machine };
}

/** What its disk kept. */
export function restoreOf({
  entries = [],
  snapshot = { index: 0, term: 0 },
  term = entries.at(-1)?.term ?? snapshot.term,
  vote,
  voters = VOTERS,
}: Omit<CraftedOptions, 'id'>): RaftRestore {
  const confState: ConfState = simpleConf(voters);
  return {
    hardState: { term, vote, commit: snapshot.index },
    snapshot: { ...snapshot, confState },
    entries,
    applied: snapshot.index,
  };
}

/** Leader of the next term, with its no-op; whoever voted for it. */
export function makeLeader<Held extends Pick<Crafted, 'core'>>(crafted: Held): Held {
  const { core } = crafted;
  becomeCandidate(core);
  appendAsLeader(core, becomeLeader(core), [{ type: 'normal', data: NO_DATA }]);
  return crafted;
}

/** The same, after the votes of `voters` have left them; the member itself need not be among them. */
export function elect(
  invariants: SimInvariants,
  crafted: Crafted,
  voters: readonly MemberId[],
): Crafted {
  const { core } = makeLeader(crafted);
  for (const voter of voters) invariants.sending(vote(voter, core.id, core.term), core.log);
  return crafted;
}

/** The acknowledgements of `members` have left them: each holds `entries`, a log from its start. */
export function acknowledge(
  invariants: SimInvariants,
  members: readonly MemberId[],
  entries: readonly Entry[],
): void {
  const { term, index } = entries.at(-1)!;
  for (const id of members) {
    const { log } = craft({ id, entries }).core;
    invariants.sending(acknowledged(id, term, index), log);
  }
}

/** It leads and commits, whoever holds the entry. */
export function commitAsLeader({ core: { log, role } }: Crafted, index: Index): void {
  if (role.type !== 'leader') throw new Error('it does not lead');
  log.commitTo(index);
  role.uncommittedBytes = entriesSizeBytes(log.uncommitted());
}

export function vote(from: MemberId, to: MemberId, term: Term, reject = false): MsgVoteResp {
  return { type: 'MsgVoteResp', from, to, term, reject, commit: 0, commitTerm: 0 };
}

/** To the first member, in `term`. */
export function acknowledged(from: MemberId, term: Term, index: Index): MsgAppResp {
  const fields = { reject: false, rejectHint: 0, logTerm: 0 };
  return { type: 'MsgAppResp', from, to: 1n, term, index, ...fields };
}

/** An entry that changes nothing. */
export function empty(term: Term, index: Index): Entry {
  return { type: 'normal', term, index, data: NO_DATA };
}

/** An entry that puts; `id` is the request's. */
export function put(term: Term, index: Index, value: string, id: bigint = BigInt(index)): Entry {
  const request = { type: 'put' as const, request: putRequest({ key: 'k', value }) };
  return { type: 'normal', term, index, data: encodeLoggedRequest({ id, request }) };
}
