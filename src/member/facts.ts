import { assertNever } from '../lib/assert.ts';
import { formatId, type MemberId } from '../lib/ids.ts';
import type { Log } from '../ports/log.ts';
import type { MemberFact } from './input.ts';

/** Words for what happened, as an operator wants to read it: who, in which term, why. */
export function logFact(log: Log, fact: MemberFact): void {
  switch (fact.type) {
    case 'becameFollower':
      return log.info('became follower', { term: fact.term, leader: nameOf(fact.leader) });
    case 'becamePreCandidate':
      return log.info('started pre-vote: no word from a leader', { term: fact.term });
    case 'becameCandidate':
      return log.info('became candidate: asking for votes', { term: fact.term });
    case 'becameLeader':
      return log.info('became leader', { term: fact.term });
    case 'leaderChanged':
      if (fact.leader === undefined) return log.warn('lost the leader', { term: fact.term });
      return log.info('leader is known', { term: fact.term, leader: formatId(fact.leader) });
    case 'voteCast':
      return log.info(fact.granted ? 'granted vote' : 'refused vote', {
        kind: fact.kind === 'MsgVote' ? 'vote' : 'pre-vote',
        term: fact.term,
        candidate: formatId(fact.candidate),
        reason: fact.reason,
      });
    case 'steppedDown':
      return log.warn('stepped down', { term: fact.term, reason: fact.reason });
    case 'transferStarted':
      return log.info('handing leadership over', {
        term: fact.term,
        to: formatId(fact.transferee),
      });
    case 'transferAborted':
      return log.warn('handing leadership over failed in time', {
        term: fact.term,
        to: formatId(fact.transferee),
      });
    case 'confChangeRefused':
      return log.warn('refused a membership change', {
        term: fact.term,
        peer: formatId(fact.peer),
        reason: fact.reason,
      });
    case 'lostEntries':
      return log.error('lost entries that it had acknowledged; it votes no more', {
        term: fact.term,
        acknowledged: fact.acknowledged,
        lastIndex: fact.lastIndex,
      });
    case 'unsafe':
      return log.error('ignored a message that contradicts what was acknowledged', {
        term: fact.term,
        peer: nameOf(fact.peer),
        reason: fact.reason,
      });
    case 'memberAdded':
      return log.info('member added', { member: formatId(fact.member) });
    case 'memberRemoved':
      return log.info('member removed', { member: formatId(fact.member) });
    case 'memberPromoted':
      return log.info('learner promoted', { member: formatId(fact.member) });
    case 'memberUpdated':
      return log.info('member updated', { member: formatId(fact.member) });
    case 'removedFromCluster':
      return log.error('this member was removed from the cluster; it stops for good');
    case 'memberPublished':
      return log.info('member announced', { member: formatId(fact.member), name: fact.name });
    // The words of these two are etcd's: scripts wait for them.
    case 'published':
      return log.info('published this member to the cluster', { name: fact.name });
    case 'clusterVersionSet':
      return log.info('enabled capabilities for version', { clusterVersion: fact.version });
    default:
      return assertNever(fact);
  }
}

function nameOf(member: MemberId | undefined): string {
  return member === undefined ? 'unknown' : formatId(member);
}
