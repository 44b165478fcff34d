/** Members put together by hand, in states that no member should be in. */
import { seededRandom } from '../../harness/seeded-random.ts';
import { putRequest } from '../../src/client/requests.ts';
import type { Index, MemberId, Term } from '../../src/lib/ids.ts';
import { StateMachine } from '../../src/member/apply.ts';
import type { Member } from '../../src/member/member.ts';
import { raftConfig } from '../../src/raft/config.ts';
import { RaftCore as Core, type RaftCore } from '../../src/raft/core.ts';
import type { ConfState, Entry } from '../../src/raft/message.ts';
import type { RaftRestore } from '../../src/raft/raw-node.ts';
import { appendAsLeader } from '../../src/raft/replication.ts';
import { becomeCandidate, becomeLeader } from '../../src/raft/transitions.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';

const CONF: ConfState = { voters: [1n, 2n, 3n], learners: [] };
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
  const machine = new StateMachine(undefined, REMOVED_MAX);
  for (const entry of applied) machine.apply(entry);
  // The invariants look at nothing else.
  return { member: { core, machine } as unknown as Member, core, machine };
}

/** What its disk kept. */
export function restoreOf({
  entries = [],
  snapshot = { index: 0, term: 0 },
  term = entries.at(-1)?.term ?? snapshot.term,
  vote,
}: Omit<CraftedOptions, 'id'>): RaftRestore {
  return {
    hardState: { term, vote, commit: snapshot.index },
    snapshot: { ...snapshot, confState: CONF },
    entries,
    applied: snapshot.index,
  };
}

/** Leader of the next term, with its no-op; whoever voted for it. */
export function makeLeader(crafted: Crafted): Crafted {
  const { core } = crafted;
  becomeCandidate(core);
  appendAsLeader(core, becomeLeader(core), [{ type: 'normal', data: NO_DATA }]);
  return crafted;
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
