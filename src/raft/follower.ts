/** A follower: keeps its log equal to the leader's, and loses patience when it is silent. */
import { assert, assertNever } from '../lib/assert.ts';
import type { Index, MemberId } from '../lib/ids.ts';
import { confStateFault } from './conf-state.ts';
import type { RaftCore } from './core.ts';
import { campaign } from './election.ts';
import type { Entry, Message, MsgApp, MsgHeartbeat, MsgSnap } from './message.ts';
import type { FollowerRole } from './role.ts';

export function tickFollower(core: RaftCore, follower: FollowerRole): void {
  assert(core.role === follower, 'follower: ticked in another role');
  follower.electionElapsedTicks++;
  if (follower.electionElapsedTicks < follower.randomizedTimeoutTicks) return;
  follower.electionElapsedTicks = 0;
  campaign(core, 'timeout');
}

/** Messages of the current term; votes and storage are handled before roles. */
export function stepFollower(core: RaftCore, follower: FollowerRole, message: Message): void {
  assert(core.role === follower, 'follower: stepped in another role');
  switch (message.type) {
    case 'MsgApp':
      if (hearLeader(core, follower, message.from)) handleAppend(core, follower, message);
      return;
    case 'MsgHeartbeat':
      if (hearLeader(core, follower, message.from)) handleHeartbeat(core, follower, message);
      return;
    case 'MsgSnap':
      if (hearLeader(core, follower, message.from)) handleSnapshot(core, message);
      return;
    case 'MsgProp':
      // Each hop reaches a member whose term is later, so it cannot circle. No leader: lost.
      if (follower.leader !== undefined && follower.leader !== message.from) {
        core.send({ ...message, from: core.id, to: follower.leader });
      }
      return;
    case 'MsgTransferLeader':
      if (follower.leader !== undefined && follower.leader !== message.from) {
        core.send({ ...message, from: core.id, to: follower.leader, term: core.term });
      }
      return;
    case 'MsgTimeoutNow':
      if (follower.leader === undefined || follower.leader === message.from) {
        campaign(core, 'transfer');
      }
      return;
    case 'MsgReadIndexResp':
      core.readStates.push({ context: message.context, index: message.index });
      return;
    case 'MsgReadIndex':
      // The asker retries, and will have learnt of a new leader by then.
      return;
    case 'MsgVoteResp':
    case 'MsgPreVoteResp':
    case 'MsgAppResp':
    case 'MsgHeartbeatResp':
      // Answers to a candidacy or leadership that has ended.
      return;
    case 'MsgVote':
    case 'MsgPreVote':
    case 'MsgStorageAppendResp':
      assert(false, `follower: ${message.type} is handled before roles`);
      return;
    default:
      assertNever(message);
  }
}

/** The share of an election timeout in which followers that saw the leader die stand. */
const LEADER_GONE_SHARE = 5;

/**
 * `peer`'s process is gone. If it was the leader, its lease is over and little patience is
 * left; should it be heard after all, patience starts over.
 */
export function leaderGone(core: RaftCore, follower: FollowerRole, peer: MemberId): void {
  assert(core.role === follower, 'follower: leader gone in another role');
  if (follower.leader !== peer) return;
  // A listener may refuse while its process lives. A dead one misses its next heartbeat, and
  // the refusal repeats.
  if (follower.electionElapsedTicks <= core.config.heartbeatTicks) return;
  follower.leader = undefined;
  core.fact({ type: 'leaderChanged', term: core.term, leader: undefined });
  const { electionTimeoutTicks, random } = core.config;
  const patienceTicks = 1 + random.below(Math.ceil(electionTimeoutTicks / LEADER_GONE_SHARE));
  const elapsedTicks = follower.randomizedTimeoutTicks - patienceTicks;
  assert(elapsedTicks >= 0, 'follower: more patience than a timeout');
  follower.electionElapsedTicks = Math.max(follower.electionElapsedTicks, elapsedTicks);
}

/** False: a second leader in this term; obeying it could only spread the damage. */
function hearLeader(core: RaftCore, follower: FollowerRole, from: MemberId): boolean {
  if (follower.leader === undefined) {
    follower.leader = from;
    core.fact({ type: 'leaderChanged', term: core.term, leader: from });
  }
  if (follower.leader !== from) {
    reportUnsafe(core, follower, from, `a second leader in term ${core.term}`);
    return false;
  }
  follower.electionElapsedTicks = 0;
  return true;
}

function handleAppend(core: RaftCore, follower: FollowerRole, message: MsgApp): void {
  const { log, id: from, term } = core;
  const to = message.from;
  if (!isWellFormed(message)) return;
  if (message.index < log.commit) {
    // Old news. What is committed matches the leader's log; that much it may count on.
    acknowledge(core, to, log.commit);
    return;
  }
  const result = log.accept(message.index, message.logTerm, message.entries);
  switch (result.type) {
    case 'accepted': {
      const isNews = log.commitTo(Math.min(message.commit, result.last));
      const isKnown = message.entries.length === 0 && follower.acknowledged === result.last;
      // Only told how far it may apply. Should the answer have been lost, it is asked again.
      if (isNews && isKnown) return;
      follower.acknowledged = result.last;
      acknowledge(core, to, result.last);
      return;
    }
    case 'mismatch': {
      const rejectHint = Math.max(
        log.findConflictByTerm(message.index, message.logTerm, log.commit),
        log.commit,
      );
      const logTerm = log.termAt(rejectHint);
      const { index } = message;
      assert(logTerm !== undefined, 'follower: no term at its own hint');
      const type = 'MsgAppResp';
      core.send({ type, from, to, term, index, reject: true, rejectHint, logTerm });
      return;
    }
    case 'conflictsWithCommitted':
      reportUnsafe(core, follower, to, `entry ${result.index} differs from the committed one`);
      assert(false, `raft: leader ${to.toString(16)} replaces committed entry ${result.index}`);
      return;
    default:
      assertNever(result);
  }
}

/** Acknowledges through `index` once durable: one answer for all that came in this turn. */
function acknowledge(core: RaftCore, to: MemberId, index: Index): void {
  const { id: from, term, responses } = core;
  const type = 'MsgAppResp';
  assert(index <= core.log.lastIndex, 'follower: acknowledged beyond its log');
  const before = responses.at(-1);
  const merges = before?.type === type && before.to === to && before.term === term;
  if (merges && before.index > index) return;
  if (merges) responses.pop();
  core.sendWhenDurable({ type, from, to, term, index, reject: false, rejectHint: 0, logTerm: 0 });
}

/** Indexes without gaps, terms that never fall nor pass the sender's. */
function isWellFormed(message: MsgApp): boolean {
  let previous: Pick<Entry, 'index' | 'term'> = { index: message.index, term: message.logTerm };
  for (const entry of message.entries) {
    if (entry.index !== previous.index + 1 || entry.term < previous.term) return false;
    previous = entry;
  }
  return previous.term <= message.term;
}

/**
 * The leader tells no commit index beyond what this member has acknowledged as durable in this
 * term. A log that ends before it has lost entries, by a disk rolled back or emptied: say so
 * and go on without them, and without a vote. The leader of the next term starts over from
 * nothing and refills the log; who was voted for is lost for good.
 */
function handleHeartbeat(core: RaftCore, follower: FollowerRole, message: MsgHeartbeat): void {
  const { log } = core;
  const { commit } = message;
  if (commit > log.lastIndex) {
    reportLost(core, message);
  } else if (commit <= follower.acknowledged || log.termAt(commit) === message.term) {
    // Acknowledged in this life, or this leader's own. What else was acknowledged before a disk
    // was rolled back may have other entries in its place: a MsgApp will tell.
    log.commitTo(commit);
  }
  assert(log.commit <= log.lastIndex, 'follower: commit lies beyond the log');
  const { id: from, term } = core;
  core.send({ type: 'MsgHeartbeatResp', from, to: message.from, term, context: message.context });
}

/**
 * Ignored if malformed: no term lies beyond the sender's or before one already committed, and
 * the membership is one that changes can lead to.
 */
function handleSnapshot(core: RaftCore, message: MsgSnap): void {
  const { log } = core;
  const { snapshot, from: to } = message;
  const committedTerm = log.termAt(log.commit);
  assert(committedTerm !== undefined, 'follower: no term at commit');
  if (snapshot.term > message.term || confStateFault(snapshot.confState) !== undefined) return;
  if (snapshot.index > log.commit && snapshot.term < committedTerm) return;
  if (snapshot.index > log.commit) {
    if (log.termAt(snapshot.index) === snapshot.term) {
      // The log already holds all of it; only the commit index is news.
      log.commitTo(snapshot.index);
    } else {
      log.restore(snapshot);
      core.conf = snapshot.confState;
    }
  }
  assert(log.commit >= snapshot.index, 'follower: the snapshot was not taken in');
  acknowledge(core, to, log.commit);
}

function reportLost(core: RaftCore, { from: peer, commit: acknowledged }: MsgHeartbeat): void {
  if (core.hasLostEntries) return;
  core.hasLostEntries = true;
  const { lastIndex } = core.log;
  core.fact({ type: 'lostEntries', term: core.term, peer, acknowledged, lastIndex });
}

function reportUnsafe(
  core: RaftCore,
  follower: FollowerRole,
  peer: MemberId,
  reason: string,
): void {
  if (follower.unsafeReported) return;
  follower.unsafeReported = true;
  core.unsafe(peer, reason);
}
