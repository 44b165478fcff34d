import { describe, expect, test } from 'vitest';
import { ReadRounds } from '../../harness/sim/read-rounds.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { RaftCore } from '../../src/raft/core.ts';
import type { MsgHeartbeatResp } from '../../src/raft/message.ts';
import type { LeaderRole } from '../../src/raft/role.ts';
import { craft, makeLeader } from './crafted-member.ts';

const READ = { from: 1n, context: 77 };

/** n1, which leads term 5 for n1, n2 and n3. */
function leading(voters: readonly MemberId[] = [1n, 2n, 3n]): {
  readonly core: RaftCore;
  readonly reads: LeaderRole['reads'];
} {
  const { core } = makeLeader(craft({ id: 1n, term: 4, voters }));
  if (core.role.type !== 'leader') throw new Error('it leads');
  return { core, reads: core.role.reads };
}

function answer(from: MemberId, context: number, term = 5): MsgHeartbeatResp {
  return { type: 'MsgHeartbeatResp', from, to: 1n, term, context };
}

function judge(rounds: ReadRounds, core: RaftCore): string | undefined {
  return rounds.tooEarly(core, core.conf, (id) => `n${id}`);
}

/** The leader takes its answers as they come, or believes what nobody said. */
function letGo({ core, reads }: ReturnType<typeof leading>, believed: readonly MemberId[]): void {
  for (const voter of believed) reads.acknowledge(voter, reads.context);
  expect(reads.takeConfirmed(core.conf, core.id)).not.toEqual([]);
}

describe('reads are let go', () => {
  test('after answers of a majority', () => {
    const rounds = new ReadRounds();
    const leader = leading();
    leader.reads.add(READ, 0);
    expect(judge(rounds, leader.core)).toBeUndefined();
    rounds.delivered(answer(2n, 1));
    letGo(leader, [2n]);
    expect(judge(rounds, leader.core)).toBeUndefined();
  });

  test.each([
    ['to heartbeats from before them', answer(2n, 0)],
    ['to another term', answer(2n, 1, 4)],
  ])('too early, after answers %s', (_, message) => {
    const rounds = new ReadRounds();
    const leader = leading();
    expect(judge(rounds, leader.core)).toBeUndefined();
    leader.reads.add(READ, 0);
    expect(judge(rounds, leader.core)).toBeUndefined();
    rounds.delivered(message);
    letGo(leader, [2n]);
    const words = 'reads of round 1 in term 5 were let go after answers of n1 alone';
    expect(judge(rounds, leader.core)).toBe(words);
  });

  test('too early, after the answer of one that does not vote', () => {
    const rounds = new ReadRounds();
    const leader = leading();
    leader.core.conf = simpleConf([1n, 2n, 3n], [4n]);
    leader.reads.add(READ, 0);
    judge(rounds, leader.core);
    rounds.delivered(answer(4n, 1));
    letGo(leader, [2n]);
    expect(judge(rounds, leader.core)).toContain('answers of n1, n4 alone');
  });

  test('too early, in the step that they came in', () => {
    const rounds = new ReadRounds();
    const leader = leading();
    leader.reads.add(READ, 0);
    letGo(leader, [2n]);
    rounds.sending({ type: 'MsgHeartbeat', from: 1n, to: 2n, term: 5, commit: 0, context: 1 });
    expect(judge(rounds, leader.core)).toContain('answers of n1 alone');
    // Told once; a heartbeat that was on its way says nothing new.
    rounds.sending({ type: 'MsgHeartbeat', from: 1n, to: 3n, term: 5, commit: 0, context: 1 });
    expect(judge(rounds, leader.core)).toBeUndefined();
  });

  test('at once by a lone voter', () => {
    const rounds = new ReadRounds();
    const leader = leading([1n]);
    leader.reads.add(READ, 0);
    expect(judge(rounds, leader.core)).toBeUndefined();
    letGo(leader, []);
    expect(judge(rounds, leader.core)).toBeUndefined();
  });
});
