import { expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { putRequest } from '../../src/client/requests.ts';
import type { MemberOutputs } from '../../src/member/input.ts';
import { Member } from '../../src/member/member.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { RAFT_DEFAULTS } from '../../src/raft/config.ts';
import type { Message } from '../../src/raft/message.ts';
import { MEMBER_CONFIG } from './member-config.ts';

/** Requests that come while a leader writes a batch become the next batch together. */

const CONF = simpleConf([1n, 2n, 3n]);
const CONFIG = {
  ...MEMBER_CONFIG,
  raft: { ...RAFT_DEFAULTS, preVote: false },
  snapshotCount: 1_000,
};

function drain(member: Member): MemberOutputs[] {
  const all: MemberOutputs[] = [];
  for (let out = member.takeOutputs(); out !== undefined; out = member.takeOutputs()) all.push(out);
  return all;
}

function ownAnswers(outputs: readonly MemberOutputs[]): Message[] {
  return outputs
    .flatMap(({ append }) => append?.responses ?? [])
    .filter((response) => response.to === 1n);
}

function write(member: Member, outputs: readonly MemberOutputs[]): void {
  for (const message of ownAnswers(outputs)) member.step({ type: 'message', message });
}

/** Both followers have all of its log. */
function acknowledgeAll(member: Member): void {
  const { term } = member;
  const answer = {
    index: member.core.log.lastIndex,
    reject: false,
    rejectHint: 0,
    logTerm: 0,
  };
  for (const from of [2n, 3n]) {
    member.step({
      type: 'message',
      message: { type: 'MsgAppResp', from, to: 1n, term, ...answer },
    });
  }
}

function leader(): Member {
  const hardState = { term: 1, vote: undefined, commit: 0 };
  const snapshot = { index: 0, term: 0, confState: CONF };
  const raft = { hardState, snapshot, entries: [], applied: 0 };
  const member = new Member(CONFIG, { checkpoint: undefined, raft }, seededRandom(1));
  while (member.core.role.type !== 'candidate') member.step({ type: 'tick' });
  write(member, drain(member));
  const { term } = member;
  const vote = { reject: false, commit: 0, commitTerm: 0 };
  member.step({
    type: 'message',
    message: { type: 'MsgVoteResp', from: 2n, to: 1n, term, ...vote },
  });
  // The no-op, and what every new leader has to say.
  for (let turn = 0; turn < 5; turn++) {
    write(member, drain(member));
    acknowledgeAll(member);
    member.step({ type: 'tick' });
  }
  write(member, drain(member));
  acknowledgeAll(member);
  drain(member);
  expect(member.core.role.type).toBe('leader');
  return member;
}

function put(member: Member, id: bigint): void {
  const request = { type: 'put', request: putRequest({ key: `k${id}`, value: 'v' }) } as const;
  member.step({ type: 'propose', id, request, auth: undefined });
}

function batches(outputs: readonly MemberOutputs[]): number[] {
  return outputs.flatMap(({ append }) => {
    const entries = append?.entries ?? [];
    return entries.length > 0 ? [entries.length] : [];
  });
}

test('what comes while a batch is being written goes out together behind it', () => {
  const member = leader();
  put(member, 1n);
  const first = drain(member);
  expect(batches(first)).toEqual([1]);
  for (const id of [2n, 3n, 4n]) {
    put(member, id);
    expect(batches(drain(member))).toEqual([]);
  }
  write(member, first);
  expect(batches(drain(member))).toEqual([3]);
});

test('a majority elsewhere is as good as the own disk', () => {
  const member = leader();
  put(member, 1n);
  drain(member);
  put(member, 2n);
  acknowledgeAll(member);
  expect(batches(drain(member))).toEqual([1]);
});

test('a disk that does not answer holds requests up for two ticks at most', () => {
  const member = leader();
  put(member, 1n);
  drain(member);
  put(member, 2n);
  expect(batches(drain(member))).toEqual([]);
  member.step({ type: 'tick' });
  expect(batches(drain(member))).toEqual([]);
  member.step({ type: 'tick' });
  expect(batches(drain(member))).toEqual([1]);
});
