/** The leader: orders proposals, drives the followers, and proves to itself that it still leads. */
import { assert, assertNever } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { MemberId } from '../lib/ids.ts';
import { members } from './conf-state.ts';
import {
  type ConfChangeEntry,
  type ConfChangeRefusal,
  isLeaveEntry,
  jointRefusal,
} from './confchange.ts';
import type { RaftCore } from './core.ts';
import { entriesSizeBytes } from './log.ts';
import type { EntryType, Message, MsgAppResp, MsgHeartbeatResp } from './message.ts';
import { newProgress } from './progress.ts';
import { jointVoteResult } from './quorum.ts';
import type { ReadRequest } from './read-only.ts';
import { appendAsLeader, handleAppResp, maybeCommit, resumeAfterHeartbeat } from './replication.ts';
import type { LeaderRole } from './role.ts';
import { becomeFollower } from './transitions.ts';

/** Entries this leader's own disk may lag behind; further proposals wait. */
const UNSTABLE_ENTRIES_MAX = 32_768;

type ProposedEntry = { readonly type: EntryType; readonly data: Uint8Array };
type Proposal = readonly ProposedEntry[];

export function tickLeader(core: RaftCore, leader: LeaderRole): void {
  const { config } = core;
  assert(core.role === leader, 'leader: ticked in another role');
  if (leader.transfer !== undefined) {
    leader.transfer.elapsedTicks++;
    if (leader.transfer.elapsedTicks >= config.electionTimeoutTicks) abortTransfer(core, leader);
  }
  leader.quorumElapsedTicks++;
  if (leader.quorumElapsedTicks >= config.electionTimeoutTicks) {
    leader.quorumElapsedTicks = 0;
    if (config.checkQuorum && !heardFromQuorum(core, leader)) {
      becomeFollower(core, core.term, { leader: undefined, reason: 'no contact with a quorum' });
      return;
    }
  }
  leader.heartbeatElapsedTicks++;
  if (leader.heartbeatElapsedTicks < config.heartbeatTicks) return;
  leader.heartbeatElapsedTicks = 0;
  sendHeartbeats(core, leader);
}

/** Messages of the current term; votes and storage are handled before roles. */
export function stepLeader(core: RaftCore, leader: LeaderRole, message: Message): void {
  assert(core.role === leader, 'leader: stepped in another role');
  switch (message.type) {
    case 'MsgProp':
      // Refused: lost, as if on the way. The asker's deadline tells it.
      propose(core, leader, { from: message.from, entries: message.entries });
      leader.urgentCommit = core.log.lastIndex;
      return;
    case 'MsgAppResp':
      stepAppResp(core, leader, message);
      return;
    case 'MsgHeartbeatResp':
      stepHeartbeatResp(core, leader, message);
      return;
    case 'MsgReadIndex':
      addRead(core, leader, { from: message.from, context: message.context });
      return;
    case 'MsgTransferLeader':
      startTransfer(core, leader, message.transferee);
      return;
    case 'MsgApp':
    case 'MsgHeartbeat':
    case 'MsgSnap':
      core.unsafe(message.from, `a second leader in term ${core.term}`);
      return;
    case 'MsgVoteResp':
    case 'MsgPreVoteResp':
      // The election is won; late answers change nothing.
      return;
    case 'MsgReadIndexResp':
      // Asked of the leader before; whoever waits here asks again.
      return;
    case 'MsgTimeoutNow':
      // Leads already.
      return;
    case 'MsgVote':
    case 'MsgPreVote':
    case 'MsgStorageAppendResp':
      assert(false, `leader: ${message.type} is handled before roles`);
      return;
    default:
      assertNever(message);
  }
}

/**
 * Appends, or refuses: during a transfer (3.10), or beyond maxUncommittedBytes. A first proposal
 * of any size is taken. A membership change that comes too early or against the joint state
 * leaves an empty entry in its place and a fact, as in etcd: what came with it still counts.
 */
export function propose(
  core: RaftCore,
  leader: LeaderRole,
  { from, entries }: { readonly from: MemberId; readonly entries: Proposal },
): boolean {
  assert(core.role === leader, 'leader: proposed to another role');
  assert(core.isVoter(core.id), 'leader: leads without a vote');
  if (entries.length === 0 || leader.transfer !== undefined) return false;
  const limit = core.config.maxUncommittedBytes;
  const addedBytes = entriesSizeBytes(entries);
  // Neither what waits for the others nor what waits for this member's own disk may pile up.
  for (const waitingBytes of [leader.uncommittedBytes, core.log.unstableBytes]) {
    if (waitingBytes > 0 && waitingBytes + addedBytes > limit) return false;
  }
  if (core.log.lastIndex - core.log.stable > UNSTABLE_ENTRIES_MAX) return false;
  appendAsLeader(core, leader, admitConfChanges(core, leader, from, entries));
  return true;
}

/** Why a membership change cannot be appended now; undefined: it can (thesis 4.1, 4.3). */
export function confEntryRefusal(
  core: RaftCore,
  leader: LeaderRole,
  entry: ConfChangeEntry,
): ConfChangeRefusal | undefined {
  assert(core.role === leader, 'leader: changed membership in another role');
  if (leader.pendingConfIndex > core.log.applied) return 'unapplied';
  return jointRefusal(core.conf, { leaves: isLeaveEntry(entry) });
}

function admitConfChanges(
  core: RaftCore,
  leader: LeaderRole,
  peer: MemberId,
  entries: Proposal,
): Proposal {
  if (entries.every(({ type }) => type === 'normal')) return entries;
  let admitted = 0;
  return entries.map((entry): ProposedEntry => {
    const { type, data } = entry;
    if (type === 'normal') return entry;
    const reason = admitted > 0 ? 'unapplied' : confEntryRefusal(core, leader, { type, data });
    if (reason === undefined) {
      admitted++;
      return entry;
    }
    core.fact({ type: 'confChangeRefused', term: core.term, peer, reason });
    return { type: 'normal', data: EMPTY_BYTES };
  });
}

/**
 * Once per turn: a joint configuration that is to be left by itself is, as soon as it is
 * applied, by whoever leads then (thesis 4.3). A transfer under way comes first.
 */
export function leaveJointWhenDue(core: RaftCore, leader: LeaderRole): void {
  assert(core.role === leader, 'leader: left a joint configuration in another role');
  if (!core.conf.autoLeave || leader.transfer !== undefined) return;
  if (leader.pendingConfIndex > core.log.applied) return;
  appendAsLeader(core, leader, [{ type: 'confChangeV2', data: EMPTY_BYTES }]);
  assert(leader.pendingConfIndex === core.log.lastIndex, 'leader: left a joint one unnoticed');
}

/** After anything that may have moved a match: commit, and let waiting reads start. */
export function advanceCommit(core: RaftCore, leader: LeaderRole): void {
  assert(core.role === leader, 'leader: committed in another role');
  if (!maybeCommit(core, leader)) return;
  assert(core.log.commit >= leader.firstIndexOfTerm, 'leader: committed another term by counting');
  for (const request of leader.reads.takePostponed()) addRead(core, leader, request);
}

/** False: too many wait already. */
export function addRead(core: RaftCore, leader: LeaderRole, request: ReadRequest): boolean {
  const { reads } = leader;
  assert(core.role === leader, 'leader: read in another role');
  if (reads.full()) return false;
  if (core.log.commit < leader.firstIndexOfTerm) {
    // What the leaders before committed is not known until the no-op is (thesis 6.4).
    reads.postpone(request);
    return true;
  }
  if (reads.add(request, core.log.commit)) sendHeartbeats(core, leader);
  answerReads(core, leader);
  return true;
}

/** Starts handing leadership to a voter that is then caught up, told to stand, and elected. */
export function startTransfer(
  core: RaftCore,
  leader: LeaderRole,
  to: MemberId,
): 'started' | 'alreadyLeader' | 'refused' {
  if (to === core.id) return 'alreadyLeader';
  if (!core.isVoter(to)) return 'refused';
  if (leader.transfer?.to === to) return 'started';
  if (leader.transfer !== undefined) abortTransfer(core, leader);
  assert(leader.progress.has(to), 'leader: a voter without progress');
  leader.transfer = { to, elapsedTicks: 0 };
  core.fact({ type: 'transferStarted', term: core.term, transferee: to });
  finishTransferIfCaughtUp(core, leader);
  return 'started';
}

/** The membership changed: feed the new, forget the gone, and count again. */
export function membershipChanged(core: RaftCore, leader: LeaderRole): void {
  assert(core.role === leader, 'leader: membership changed in another role');
  const peers = members(core.conf).filter((id) => id !== core.id);
  for (const id of peers) {
    if (leader.progress.has(id)) continue;
    // Active, so that it is not held against the leader before it had a chance to answer.
    leader.progress.set(id, newProgress(core.log.lastIndex + 1, { recentActive: true }));
  }
  for (const id of leader.progress.keys()) {
    if (!peers.includes(id)) leader.progress.delete(id);
  }
  assert(leader.progress.size === peers.length, 'leader: progress differs from the membership');
  if (!core.isVoter(core.id)) {
    // The change that removed or demoted it is committed; until then it had to lead, also as a
    // voter of the outgoing half only (thesis 4.2.2, 4.3).
    becomeFollower(core, core.term, { leader: undefined, reason: 'no longer a voter' });
    return;
  }
  if (leader.transfer && !core.isVoter(leader.transfer.to)) abortTransfer(core, leader);
  advanceCommit(core, leader);
  answerReads(core, leader);
}

function stepAppResp(core: RaftCore, leader: LeaderRole, message: MsgAppResp): void {
  const result = handleAppResp(core, leader, message);
  if (result === 'ignored') return;
  assert(leader.progress.has(message.from), 'leader: answer of a stranger');
  if (result === 'advanced') advanceCommit(core, leader);
  if (leader.transfer?.to === message.from) finishTransferIfCaughtUp(core, leader);
}

function stepHeartbeatResp(core: RaftCore, leader: LeaderRole, message: MsgHeartbeatResp): void {
  const progress = leader.progress.get(message.from);
  // Removed meanwhile.
  if (progress === undefined) return;
  resumeAfterHeartbeat(core, progress);
  leader.reads.acknowledge(message.from, message.context);
  answerReads(core, leader);
  if (leader.transfer?.to === message.from) finishTransferIfCaughtUp(core, leader);
}

/** Proposals are refused, so what is behind now stays to be sent and nothing is added. */
function finishTransferIfCaughtUp(core: RaftCore, leader: LeaderRole): void {
  const { transfer } = leader;
  assert(transfer !== undefined, 'leader: no transfer under way');
  const progress = leader.progress.get(transfer.to);
  if (progress === undefined || progress.match !== core.log.lastIndex) return;
  core.send({ type: 'MsgTimeoutNow', from: core.id, to: transfer.to, term: core.term });
}

function abortTransfer(core: RaftCore, leader: LeaderRole): void {
  assert(leader.transfer !== undefined, 'leader: no transfer under way');
  core.fact({ type: 'transferAborted', term: core.term, transferee: leader.transfer.to });
  leader.transfer = undefined;
}

/** Commit no further than the follower is known to match: it may hold another's entries there. */
function sendHeartbeats(core: RaftCore, leader: LeaderRole): void {
  const { id: from, term, log } = core;
  const { context } = leader.reads;
  assert(core.role === leader, 'leader: heartbeat in another role');
  for (const [to, { match }] of leader.progress) {
    const commit = Math.min(match, log.commit);
    core.send({ type: 'MsgHeartbeat', from, to, term, commit, context });
  }
}

/** Gives out the indexes of reads that a majority has confirmed. */
function answerReads(core: RaftCore, leader: LeaderRole): void {
  for (const { index, requests } of leader.reads.takeConfirmed(core.conf, core.id)) {
    assert(index >= leader.firstIndexOfTerm, 'leader: read index from before its leadership');
    assert(index <= core.log.commit, 'leader: read index beyond commit');
    for (const { from, context } of requests) {
      if (from === core.id) core.readStates.push({ context, index });
      else {
        const { id, term } = core;
        leader.urgentCommit = Math.max(leader.urgentCommit, index);
        core.send({ type: 'MsgReadIndexResp', from: id, to: from, term, context, index });
      }
    }
  }
}

/** Counts a quorum of contacts since the last call, itself included, and starts counting anew. */
function heardFromQuorum(core: RaftCore, leader: LeaderRole): boolean {
  const heard = new Map<MemberId, boolean>([[core.id, true]]);
  for (const [id, progress] of leader.progress) {
    heard.set(id, progress.recentActive);
    progress.recentActive = false;
  }
  assert(heard.size === members(core.conf).length, 'leader: progress differs from the membership');
  return jointVoteResult(core.conf, heard) === 'won';
}
