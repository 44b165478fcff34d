/** How kinds of messages are told apart: families by colour, questions and answers by filling. */

export interface MessageLook {
  readonly family: Family;
  /** Answers are drawn as rings. */
  readonly answer: boolean;
}

export type Family = 'heartbeat' | 'append' | 'vote' | 'snapshot' | 'client' | 'other';

export const FAMILIES: Readonly<Record<Family, string>> = {
  heartbeat: 'heartbeat',
  append: 'append entries',
  vote: 'vote, pre-vote',
  snapshot: 'snapshot',
  client: 'proposal, read',
  other: 'other',
};

const BY_KIND: Readonly<Record<string, Family>> = {
  MsgHeartbeat: 'heartbeat',
  MsgApp: 'append',
  MsgVote: 'vote',
  MsgPreVote: 'vote',
  MsgSnap: 'snapshot',
  MsgProp: 'client',
  MsgReadIndex: 'client',
};

export function messageLook(kind: string): MessageLook {
  const answer = kind.endsWith('Resp');
  const family = BY_KIND[answer ? kind.slice(0, -'Resp'.length) : kind] ?? 'other';
  return { family, answer };
}
