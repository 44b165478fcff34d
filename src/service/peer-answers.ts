import { assertNever } from '../lib/assert.ts';
import type { MemberNode } from '../member/node.ts';
import type { PeerAnswer, PeerQuestion } from '../member/peer-question.ts';
import { answerLeaseQuestion } from './lease-questions.ts';
import { hashInPieces } from './maintenance.ts';
import { promoteHere } from './promotion.ts';

export interface PeerAnswersOptions {
  readonly isStrict: boolean;
  readonly pause: () => Promise<void>;
}

/** What this member tells others who ask it; refusals are named as in the table of errors. */
export function peerAnswers(
  node: MemberNode,
  { isStrict, pause }: PeerAnswersOptions,
): (question: PeerQuestion) => Promise<PeerAnswer> {
  return async (question) => {
    switch (question.type) {
      case 'leaseRenew':
      case 'leaseTimeToLive':
        return answerLeaseQuestion(node, question);
      case 'promote': {
        const failure = await promoteHere(node, question.member, isStrict);
        return failure === undefined ? { type: 'promoted' } : { type: 'refused', failure };
      }
      case 'hashKv': {
        const hashed = await hashInPieces(node, question.revision, pause);
        if (!hashed.ok) return { type: 'refused', failure: hashed.error };
        const { hash, compactRevision, hashRevision } = hashed.value;
        return { type: 'hash', hash, compactRevision, hashRevision };
      }
      default:
        return assertNever(question);
    }
  };
}
