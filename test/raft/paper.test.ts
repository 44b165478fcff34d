/**
 * Sentences of Ongaro's thesis ("Consensus: Bridging Theory and Practice"), one test each:
 * bring a cluster there, do it, and look.
 */
import { describe, expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Message, MsgVote } from '../../src/raft/message.ts';
import type { RawNode } from '../../src/raft/raw-node.ts';
import { TestCluster } from './test-cluster.ts';

/** Plain Raft: no pre-vote, no leases. */
const PLAIN = { preVote: false, checkQuorum: false };

function cluster(voters: number, config: object = PLAIN): TestCluster {
  return new TestCluster({ voters: Array.from({ length: voters }, (_, i) => i + 1), config });
}

function statesOf(raft: TestCluster): string[] {
  return raft.running().map(({ state }) => state.join(' '));
}

function voteRequest(from: number, fields: Partial<MsgVote> = {}): MsgVote {
  const last = { index: 1, logTerm: 1 };
  return {
    type: 'MsgVote',
    from: BigInt(from),
    to: 1n,
    term: 2,
    transfer: false,
    ...last,
    ...fields,
  };
}

/** Steps a vote request into member 1 and tells the answer once its write is done. */
function answerTo(raft: TestCluster, request: MsgVote): string {
  raft.step(1, request);
  raft.turn(1);
  while (raft.completeWrite(1)) raft.turn(1);
  const answer = raft.network.find(({ type, to }) => type === 'MsgVoteResp' && to === request.from);
  raft.network = [];
  if (answer?.type !== 'MsgVoteResp') return 'none';
  return answer.reject ? 'rejected' : 'granted';
}

function roleOf(node: RawNode): string {
  return node.status().role;
}

describe('3.3 terms', () => {
  test('a leader or candidate that learns of a later term becomes a follower of it', () => {
    const raft = cluster(3);
    raft.elect(1);
    expect(roleOf(raft.node(1))).toBe('leader');
    raft.step(1, { type: 'MsgHeartbeatResp', from: 2n, to: 1n, term: 9, context: 0 });
    expect(raft.node(1).status()).toMatchObject({ role: 'follower', term: 9, leader: undefined });
  });

  test('a request with a stale term is refused', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.elect(2);
    expect(raft.node(1).status().term).toBe(3);
    expect(answerTo(raft, voteRequest(3, { term: 2, index: 9, logTerm: 2 }))).toBe('rejected');
    const { lastIndex } = raft.node(1).status();
    const entries = [{ type: 'normal', term: 2, index: 2, data: new Uint8Array(1) }] as const;
    const stale = { type: 'MsgApp', from: 3n, to: 1n, term: 2, index: 1, logTerm: 1 } as const;
    raft.step(1, { ...stale, commit: 2, entries });
    expect(raft.node(1).status()).toMatchObject({ lastIndex, term: 3, leader: 2n });
  });
});

describe('3.4 leader election', () => {
  test('a follower that hears nothing over an election timeout begins an election', () => {
    const raft = cluster(3);
    raft.tick(1, 9);
    expect(roleOf(raft.node(1))).toBe('follower');
    raft.tick(1, 10);
    expect(raft.node(1).status()).toMatchObject({ role: 'candidate', term: 2, vote: 1n });
  });

  test('heartbeats keep followers from it', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.run(100);
    expect(raft.node(1).status()).toMatchObject({ role: 'leader', term: 2 });
  });

  test.each([
    [1, 0],
    [3, 1],
    [5, 2],
  ])('with %i voters, %i may be silent', (voters, silent) => {
    const raft = cluster(voters);
    for (let id = voters; id > voters - silent; id--) raft.crash(id, { writesKept: 0 });
    raft.elect(1);
    expect(roleOf(raft.node(1))).toBe('leader');
  });

  test.each([
    [3, 2],
    [5, 3],
  ])('with %i voters, %i may not', (voters, silent) => {
    const raft = cluster(voters);
    for (let id = voters; id > voters - silent; id--) raft.crash(id, { writesKept: 0 });
    raft.elect(1);
    expect(roleOf(raft.node(1))).toBe('candidate');
  });

  test('a member votes for one candidate in a term, first come first served', () => {
    const raft = cluster(3);
    expect(answerTo(raft, voteRequest(2))).toBe('granted');
    expect(answerTo(raft, voteRequest(3))).toBe('rejected');
    expect(answerTo(raft, voteRequest(2))).toBe('granted');
  });

  test('a candidate that hears the leader of its term follows it', () => {
    const raft = cluster(3);
    raft.node(1).campaign();
    raft.step(1, { type: 'MsgHeartbeat', from: 3n, to: 1n, term: 2, commit: 1, context: 0 });
    expect(raft.node(1).status()).toMatchObject({ role: 'follower', term: 2, leader: 3n });
  });

  test('timeouts are spread over [1, 2) election timeouts, and drawn anew each time', () => {
    const raft = cluster(1, { ...PLAIN, electionTimeoutTicks: 10 });
    const drawn = new Set<number>();
    for (let i = 0; i < 200; i++) drawn.add(raft.node(1).core.drawTimeoutTicks());
    expect([...drawn].sort((a, b) => a - b)).toEqual([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
  });

  test('split votes are resolved by them', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const raft = new TestCluster({ voters: [1, 2, 3, 4], config: PLAIN, seed });
      for (const id of [1, 2, 3, 4]) raft.node(id).campaign();
      expect(raft.run(300, () => raft.leader() !== undefined)).toBe(true);
    }
  });
});

describe('3.5 log replication', () => {
  test('an entry is applied everywhere once a majority holds it', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.isolate(3);
    raft.propose(1, 'a');
    raft.settle();
    expect(statesOf(raft)).toEqual(['a', 'a', '']);
    raft.heal();
    raft.run(3);
    expect(statesOf(raft)).toEqual(['a', 'a', 'a']);
  });

  test('it is not committed with less', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.isolate(1);
    raft.propose(1, 'a');
    raft.run(5);
    expect(statesOf(raft)).toEqual(['', '', '']);
  });

  test('the leader forces the logs of followers to duplicate its own', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.isolate(1);
    raft.propose(1, 'lost', 'lost too');
    raft.settle();
    raft.elect(2);
    raft.propose(2, 'kept');
    raft.settle();
    raft.heal();
    raft.run(5);
    expect(statesOf(raft)).toEqual(['kept', 'kept', 'kept']);
    const [last] = raft.running().map(({ running }) => running.status().lastIndex);
    expect(raft.running().every(({ running }) => running.status().lastIndex === last)).toBe(true);
  });
});

describe('3.6 safety', () => {
  test('3.6.1: no vote for a log that is less complete', () => {
    const raft = cluster(3);
    raft.elect(1);
    const own = { index: 2, logTerm: 2 };
    const shorter = voteRequest(2, { term: 3, index: 1, logTerm: 1 });
    expect(answerTo(raft, shorter)).toBe('rejected');
    const longerButOlder = voteRequest(2, { term: 4, index: 9, logTerm: 1 });
    expect(answerTo(raft, longerButOlder)).toBe('rejected');
    expect(answerTo(raft, voteRequest(2, { term: 5, ...own }))).toBe('granted');
    expect(answerTo(raft, voteRequest(3, { term: 6, index: 1, logTerm: 3 }))).toBe('granted');
  });

  test('3.6.2: entries of earlier terms commit only with one of the leader’s', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.isolate(1);
    raft.propose(1, 'old');
    raft.settle();
    raft.heal();
    raft.crash(1, { writesKept: 0 });
    raft.restart(1);
    raft.elect(1);
    const { commit, lastIndex } = raft.node(1).status();
    expect(statesOf(raft)).toEqual(['old', 'old', 'old']);
    expect(commit).toBe(lastIndex);
    expect(raft.node(1).termAt(commit)).toBe(3);
    expect(raft.node(1).termAt(commit - 1)).toBe(2);
  });
});

describe('3.8 persisted state', () => {
  test('a vote is durable before it is given: a crash cannot give a second one', () => {
    const raft = cluster(3);
    raft.step(1, voteRequest(2));
    raft.turn(1);
    expect(raft.network).toEqual([]);
    expect(raft.completeWrite(1)).toBe(true);
    expect(raft.network).toMatchObject([{ type: 'MsgVoteResp', to: 2n, reject: false }]);
    raft.crash(1, { writesKept: 0 });
    raft.restart(1);
    raft.network = [];
    expect(answerTo(raft, voteRequest(3))).toBe('rejected');
  });

  test('a vote that was lost in a crash was never given', () => {
    const raft = cluster(3);
    raft.step(1, voteRequest(2));
    raft.turn(1);
    raft.crash(1, { writesKept: 0 });
    raft.restart(1);
    expect(raft.network).toEqual([]);
    expect(answerTo(raft, voteRequest(3))).toBe('granted');
  });

  test('a candidate asks nobody before its own vote is durable', () => {
    const raft = cluster(3);
    raft.node(1).campaign();
    raft.turn(1);
    expect(raft.network).toEqual([]);
    raft.completeWrite(1);
    expect(raft.network.map(({ type }) => type)).toEqual(['MsgVote', 'MsgVote']);
  });

  test('entries are durable before they are acknowledged', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.propose(1, 'a');
    raft.turn(1);
    raft.deliver(raft.network.findIndex(({ to }) => to === 2n));
    raft.turn(2);
    const acknowledged = (): Message[] => raft.network.filter(({ type }) => type === 'MsgAppResp');
    expect(acknowledged()).toEqual([]);
    raft.completeWrite(2);
    expect(acknowledged()).toMatchObject([{ from: 2n, index: 3, reject: false }]);
  });
});

describe('3.10 leadership transfer', () => {
  test('the target is brought up to date and elected at once', () => {
    const raft = cluster(3, { preVote: true, checkQuorum: true });
    raft.elect(1);
    raft.isolate(2);
    raft.propose(1, 'a');
    raft.settle();
    raft.heal();
    raft.node(1).transferLeadership(2n);
    expect(raft.propose(1, 'refused')).toBe('dropped');
    raft.run(3);
    expect(roleOf(raft.node(2))).toBe('leader');
    expect(statesOf(raft)).toEqual(['a', 'a', 'a']);
  });
});

describe('4 membership', () => {
  test('4.2.1: a new member catches up as a learner, and does not count meanwhile', () => {
    const raft = cluster(1);
    raft.elect(1);
    raft.join(2);
    raft.proposeConfChange(1, 'addLearner 2');
    raft.settle();
    raft.isolate(2);
    raft.propose(1, 'alone');
    raft.settle();
    expect(raft.member(1).state).toEqual(['alone']);
    raft.heal();
    raft.run(3);
    expect(raft.member(2).state).toEqual(['alone']);
    expect(raft.node(2).status().conf).toEqual(simpleConf([1n], [2n]));
  });

  test('4.1: no change before the last one is applied', () => {
    const raft = cluster(3);
    raft.elect(1);
    expect(raft.proposeConfChange(1, 'remove 3')).toBe('appended');
    expect(raft.proposeConfChange(1, 'remove 2')).toBe('refused: unapplied');
    raft.settle();
    expect(raft.proposeConfChange(1, 'remove 2')).toBe('appended');
  });

  test('4.2.3: a removed member cannot disturb the rest', () => {
    const raft = cluster(3, { preVote: true, checkQuorum: true });
    raft.elect(1);
    raft.isolate(3);
    raft.proposeConfChange(1, 'remove 3');
    raft.settle();
    raft.heal();
    raft.run(100);
    expect(raft.node(1).status()).toMatchObject({ role: 'leader', term: 2 });
    expect(raft.node(3).status().term).toBe(2);
  });
});

describe('6 clients', () => {
  test('6.2: a leader without a quorum steps down', () => {
    const raft = cluster(3, { preVote: false, checkQuorum: true });
    raft.elect(1);
    raft.isolate(1);
    for (let i = 0; i < 20; i++) raft.tick(1);
    expect(roleOf(raft.node(1))).toBe('follower');
  });

  test('6.4: a deposed leader answers no read', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.isolate(1);
    raft.read(1);
    raft.elect(2);
    raft.propose(2, 'new');
    raft.settle();
    raft.heal();
    raft.run(5);
    expect(raft.readsAnswered).toBe(0);
  });

  test('6.4: a new leader answers reads only once it knows what is committed', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.propose(1, 'a');
    raft.turn(1);
    for (const id of [2, 3]) raft.deliver(raft.network.findIndex(({ to }) => to === BigInt(id)));
    raft.settle();
    raft.isolate(1);
    raft.elect(2);
    raft.read(2);
    raft.read(3);
    raft.settle();
    // TestCluster checks that neither index lies before what was committed when asked.
    expect(raft.readsAnswered).toBe(2);
  });
});

describe('9.6 pre-vote', () => {
  test('a member cut off does not raise its term', () => {
    const raft = cluster(3, { preVote: true, checkQuorum: false });
    raft.elect(1);
    raft.isolate(3);
    raft.run(100);
    expect(raft.node(3).status()).toMatchObject({ role: 'preCandidate', term: 2 });
    raft.heal();
    raft.run(5);
    expect(raft.node(1).status()).toMatchObject({ role: 'leader', term: 2 });
    expect(raft.node(3).status()).toMatchObject({ role: 'follower', leader: 1n });
  });
});

describe('10.2.1 writing to disk in parallel', () => {
  test('the leader counts itself only when its own write is done', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.isolate(3);
    raft.propose(1, 'a');
    raft.turn(1);
    raft.deliver(raft.network.findIndex(({ to }) => to === 2n));
    raft.turn(2);
    raft.completeWrite(2);
    raft.deliver(raft.network.findIndex(({ type }) => type === 'MsgAppResp'));
    raft.turn(1);
    expect(raft.member(1).state).toEqual([]);
    raft.completeWrite(1);
    raft.turn(1);
    expect(raft.member(1).state).toEqual(['a']);
  });

  test('and commits without itself if the others have it', () => {
    const raft = cluster(3);
    raft.elect(1);
    raft.propose(1, 'a');
    raft.turn(1);
    for (const id of [2, 3]) {
      raft.deliver(raft.network.findIndex(({ to }) => to === BigInt(id)));
      raft.turn(id);
      raft.completeWrite(id);
    }
    while (raft.network.length > 0) raft.deliver(0);
    raft.turn(1);
    expect(raft.member(1).state).toEqual(['a']);
    expect(raft.node(1).status()).toMatchObject({ commit: 3, stable: 2 });
  });
});
