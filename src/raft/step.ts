/**
 * The entrance of every message: the term decides first (thesis 3.3), then what concerns all
 * roles alike, then the role. Messages come from a network: a malformed or misdirected one is
 * ignored, never a reason to stop.
 */
import { assert, assertNever } from '../lib/assert.ts';
import { stepCandidate, tickCandidate } from './candidate.ts';
import type { RaftCore } from './core.ts';
import { handleVoteRequest, learnCommit } from './election.ts';
import { stepFollower, tickFollower } from './follower.ts';
import { advanceCommit, stepLeader, tickLeader } from './leader.ts';
import type { Message, MsgStorageAppendResp, MsgVoteResp } from './message.ts';
import { becomeFollower } from './transitions.ts';

export function tick(core: RaftCore): void {
  core.ticks++;
  const { role } = core;
  switch (role.type) {
    case 'follower':
      return tickFollower(core, role);
    case 'preCandidate':
    case 'candidate':
      return tickCandidate(core, role);
    case 'leader':
      return tickLeader(core, role);
    default:
      return assertNever(role);
  }
}

export function step(core: RaftCore, message: Message): void {
  if (!isAddressedHere(core, message)) return;
  if (message.type === 'MsgStorageAppendResp') {
    storageAppended(core, message);
    return;
  }
  if (isRefusal(message)) learnCommit(core, message);
  if (!passTermGate(core, message)) return;
  if (message.type === 'MsgVote' || message.type === 'MsgPreVote') {
    handleVoteRequest(core, message);
    return;
  }
  const { role } = core;
  switch (role.type) {
    case 'follower':
      return stepFollower(core, role, message);
    case 'preCandidate':
    case 'candidate':
      return stepCandidate(core, role, message);
    case 'leader':
      return stepLeader(core, role, message);
    default:
      return assertNever(role);
  }
}

function isRefusal(message: Message): message is MsgVoteResp {
  const isAnswer = message.type === 'MsgVoteResp' || message.type === 'MsgPreVoteResp';
  return isAnswer && message.reject;
}

/** Only storage and the own vote are self-addressed; nobody else may speak for them. */
function isAddressedHere(core: RaftCore, message: Message): boolean {
  if (message.to !== core.id) return false;
  const fromSelf = message.from === core.id;
  if (message.type === 'MsgStorageAppendResp') return fromSelf;
  return !fromSelf || (message.type === 'MsgVoteResp' && message.term <= core.term);
}

/**
 * What a write left behind when it became durable. A snapshot is committed state, whatever the
 * term. Entries are not: a write of an earlier term may have been overwritten and the same
 * entry appended again since, while its second write is still under way (A, B, A). The write
 * that followed the change of term carries its own answer.
 */
function storageAppended(core: RaftCore, message: MsgStorageAppendResp): void {
  assert(message.term <= core.term, 'step: storage answers for a term not reached');
  if (message.snapshot !== undefined && core.log.snapshotInstalled(message.snapshot)) {
    core.snapshot = message.snapshot;
  }
  if (message.term < core.term) return;
  const moved = core.log.stableTo(message.index, message.logTerm);
  if (moved && core.role.type === 'leader') advanceCommit(core, core.role);
}

/** False: the message is done with. Afterwards its term is ours, or no term concerns it. */
function passTermGate(core: RaftCore, message: Message): boolean {
  if (message.type === 'MsgProp' || message.type === 'MsgReadIndex') return true;
  if (message.term === core.term) return true;
  if (message.term > core.term) return passHigherTerm(core, message);
  answerLowerTerm(core, message);
  return false;
}

function passHigherTerm(core: RaftCore, message: Message): boolean {
  assert(message.term > core.term, 'step: not a higher term');
  switch (message.type) {
    case 'MsgVote':
    case 'MsgPreVote':
      if (!message.transfer && hasLiveLeader(core)) {
        const { type: kind, term, from: candidate } = message;
        const reason = 'the leader is alive';
        core.fact({ type: 'voteCast', kind, term, candidate, granted: false, reason });
        return false;
      }
      // A pre-vote only asks: nobody has reached that term.
      if (message.type === 'MsgPreVote') return true;
      break;
    case 'MsgPreVoteResp':
      // Granted for the term that we asked about and have not reached.
      if (!message.reject) return true;
      break;
    case 'MsgApp':
    case 'MsgHeartbeat':
    case 'MsgSnap':
      becomeFollower(core, message.term, { leader: message.from, reason: 'newer leader' });
      return true;
    default:
      break;
  }
  becomeFollower(core, message.term, { leader: undefined, reason: 'newer term' });
  return true;
}

/** Contact within an election timeout: no election may disturb that leader (thesis 6.2, 4.2.3). */
function hasLiveLeader(core: RaftCore): boolean {
  const { role, config } = core;
  if (!config.checkQuorum) return false;
  if (role.type === 'leader') return true;
  if (role.type !== 'follower' || role.leader === undefined) return false;
  return role.electionElapsedTicks < config.electionTimeoutTicks;
}

function answerLowerTerm(core: RaftCore, message: Message): void {
  const { id: from, term } = core;
  const to = message.from;
  assert(message.term < term, 'step: not a lower term');
  switch (message.type) {
    case 'MsgApp':
    case 'MsgHeartbeat':
    case 'MsgSnap':
      // Left behind with a higher term that nobody asks for again (pre-vote, leases): tell the
      // leader, which steps down, so that the next election includes this member.
      core.send({
        type: 'MsgAppResp',
        from,
        to,
        term,
        index: 0,
        reject: true,
        rejectHint: 0,
        logTerm: 0,
      });
      return;
    case 'MsgVote':
      core.send({ type: 'MsgVoteResp', from, to, term, reject: true, ...core.commitPoint() });
      return;
    case 'MsgPreVote':
      // Without an answer, a longer log in a lower term and a shorter one in a higher would
      // refuse each other for ever.
      core.send({ type: 'MsgPreVoteResp', from, to, term, reject: true, ...core.commitPoint() });
      return;
    default:
      // Answers to what an earlier term asked.
      return;
  }
}
