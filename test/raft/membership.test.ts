/** Sentences of Ongaro's thesis on changes of membership (chapter 4), and those of etcd on top. */
import { describe, expect, test } from 'vitest';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { oneChange } from '../../src/raft/confchange.ts';
import { TestCluster } from './test-cluster.ts';

const PLAIN = { preVote: false, checkQuorum: false };
const ETCD = { preVote: true, checkQuorum: true };

/** Members 1 to 3 vote, led by 1; the others have joined with nothing. */
function cluster(config: object, ...joiners: number[]): TestCluster {
  const raft = new TestCluster({ voters: [1, 2, 3], config });
  for (const id of joiners) raft.join(id);
  raft.elect(1);
  return raft;
}

function change(raft: TestCluster, text: string): void {
  expect(raft.proposeConfChange(1, text)).toBe('appended');
  raft.settle();
}

function leaders(raft: TestCluster): bigint[] {
  return raft
    .running()
    .filter(({ running }) => running.status().role === 'leader')
    .map(({ id }) => id);
}

describe('4.1 one at a time', () => {
  test('no change before the leader has committed in its term', () => {
    const raft = cluster(PLAIN);
    raft.isolate(2);
    raft.isolate(3);
    raft.node(1).transferLeadership(2n);
    raft.heal();
    raft.run(1);
    const leader = Number(leaders(raft)[0]);
    expect(leader).toBe(2);
    raft.node(3).campaign();
    raft.settle();
    const fresh = raft.node(3);
    expect(fresh.status().role).toBe('leader');
    raft.node(1).campaign();
    raft.turn(1);
    raft.completeWrite(1);
    raft.turn(1);
    // Only the votes: the first entry of the term is on its way.
    while (raft.node(1).status().role !== 'leader') {
      raft.deliver(0);
      for (const id of [1, 2, 3]) raft.turn(id);
      for (const id of [2, 3]) raft.completeWrite(id);
    }
    expect(raft.proposeConfChange(1, 'remove 3')).toBe('refused: unapplied');
    raft.settle();
    expect(raft.proposeConfChange(1, 'remove 3')).toBe('appended');
  });

  test('a change that was forwarded too early becomes an empty entry; the rest of it counts', () => {
    const raft = cluster(PLAIN);
    const facts: string[] = [];
    raft.onOutputs = (_, outputs) => {
      for (const fact of outputs.facts) {
        if (fact.type === 'confChangeRefused') facts.push(`${fact.peer} ${fact.reason}`);
      }
    };
    const conf = { type: 'confChange' as const, data: utf8Encode('remove 3') };
    const normal = { type: 'normal' as const, data: utf8Encode('kept') };
    const second = { type: 'confChange' as const, data: utf8Encode('remove 2') };
    expect(raft.node(2).propose([conf, normal, second])).toBe('forwarded');
    raft.settle();
    expect(facts).toEqual(['2 unapplied']);
    expect(raft.node(1).status()).toMatchObject({ conf: simpleConf([1n, 2n]), lastIndex: 5 });
    expect(raft.member(1).state).toEqual(['kept']);
  });

  test('a change that cannot be made is refused before it is in the log', () => {
    const raft = cluster(PLAIN);
    const { lastIndex } = raft.node(1).status();
    expect(raft.proposeConfChange(1, 'remove 1, remove 2, remove 3')).toBe('refused: noVoters');
    expect(raft.proposeConfChange(1, '')).toBe('refused: notJoint');
    expect(raft.node(1).status().lastIndex).toBe(lastIndex);
    // A follower does not know better than the leader; on application all know the same.
    expect(raft.proposeConfChange(2, 'remove 1, remove 2, remove 3')).toBe('forwarded');
    raft.settle();
    for (const id of [1, 2, 3]) {
      expect(raft.node(id).status()).toMatchObject({
        conf: simpleConf([1n, 2n, 3n]),
        applied: lastIndex + 1,
      });
    }
    expect(raft.proposeConfChange(1, 'remove 3')).toBe('appended');
  });
});

describe('4.2.1 learners', () => {
  test('do not stand, are not asked, and count in no decision', () => {
    const raft = cluster(PLAIN, 4, 5);
    change(raft, 'addLearner 4, addLearner 5');
    expect(raft.node(1).status().conf).toEqual(simpleConf([1n, 2n, 3n], [4n, 5n]));
    raft.tick(4, 100);
    expect(raft.node(4).status()).toMatchObject({ role: 'follower', term: 2 });
    raft.isolate(2);
    raft.isolate(3);
    raft.node(2).campaign();
    const { term } = raft.node(2).status();
    for (const from of [4n, 5n]) {
      const granted = { type: 'MsgVoteResp', from, to: 2n, term, reject: false } as const;
      raft.step(2, { ...granted, commit: 0, commitTerm: 0 });
    }
    raft.settle();
    expect(raft.node(2).status()).toMatchObject({ role: 'candidate', term: 3 });
    raft.propose(1, 'alone');
    raft.read(1);
    raft.settle();
    expect(raft.member(1).state).toEqual([]);
    expect(raft.readsAnswered).toBe(0);
    expect(raft.node(4).status().lastIndex).toBe(raft.node(1).status().lastIndex);
  });

  test('do not keep a leader from stepping down', () => {
    const raft = cluster(ETCD, 4, 5);
    change(raft, 'addLearner 4, addLearner 5');
    raft.isolate(2);
    raft.isolate(3);
    raft.run(25);
    expect(raft.node(1).status().role).not.toBe('leader');
  });

  test('are promoted once they have caught up, as the leader knows', () => {
    const raft = cluster(PLAIN, 4);
    raft.isolate(4);
    change(raft, 'addLearner 4');
    for (let i = 0; i < 20; i++) raft.propose(1, `${i}`);
    raft.settle();
    const matchOf = (): number =>
      raft
        .node(1)
        .status()
        .progress.find(({ isLearner }) => isLearner)!.match;
    expect(matchOf()).toBe(0);
    raft.heal();
    raft.run(3);
    expect(matchOf()).toBe(raft.node(1).status().stable);
    change(raft, 'addVoter 4');
    expect(raft.node(4).status().conf).toEqual(simpleConf([1n, 2n, 3n, 4n]));
    raft.elect(4);
    expect(leaders(raft)).toContain(4n);
  });

  test('are no target of a transfer, nor is a stranger', () => {
    const raft = cluster(PLAIN, 4);
    change(raft, 'addLearner 4');
    expect(raft.node(1).transferLeadership(4n)).toBe('refused');
    expect(raft.node(1).transferLeadership(9n)).toBe('refused');
    expect(raft.node(1).transferLeadership(1n)).toBe('alreadyLeader');
    expect(raft.node(2).transferLeadership(1n)).toBe('alreadyLeader');
    expect(raft.node(2).transferLeadership(4n)).toBe('forwarded');
    raft.settle();
    expect(leaders(raft)).toEqual([1n]);
    expect(raft.propose(1, 'goes on')).toBe('appended');
    expect(raft.node(1).transferLeadership(2n)).toBe('started');
    raft.settle();
    expect(leaders(raft)).toEqual([2n]);
  });
});

describe('4.2.2 removing the leader', () => {
  test.each(['remove 1', 'addLearner 1', 'remove 1, addVoter 4', 'addLearner 1, addVoter 4'])(
    '%s: it leads until that is committed, then another does',
    (text) => {
      const raft = cluster(ETCD, 4);
      change(raft, text);
      expect(raft.node(1).status().role).toBe('follower');
      expect(raft.propose(1, 'refused')).toBe('dropped');
      raft.run(60, () => leaders(raft).length === 1);
      const [leader] = leaders(raft);
      expect(leader).not.toBe(1n);
      raft.propose(Number(leader), 'new');
      raft.settle();
      expect(raft.member(Number(leader)).state).toEqual(['new']);
    },
  );

  test('a removed leader does not stand again, nor after a restart once it is written', () => {
    const raft = cluster(PLAIN);
    change(raft, 'remove 1');
    raft.tick(1, 100);
    raft.turn(1);
    raft.crash(1, { writesKept: 9 });
    raft.restart(1);
    raft.settle();
    raft.tick(1, 100);
    expect(raft.node(1).status()).toMatchObject({ role: 'follower', term: 2 });
  });
});

describe('4.2.3 disruptive members', () => {
  test('one that never learnt of its removal cannot depose the leader', () => {
    const raft = cluster(ETCD, 4, 5);
    raft.isolate(3);
    change(raft, 'addVoter 4, addVoter 5, remove 3');
    raft.heal();
    raft.run(100);
    expect(raft.node(1).status()).toMatchObject({ role: 'leader', term: 2 });
    expect(raft.node(3).status()).toMatchObject({ role: 'preCandidate', term: 2 });
  });
});

describe('4.3 joint consensus', () => {
  /** Members 1 and 2 of the outgoing half with 4 and 5 are the incoming one. */
  function joint(config: object): TestCluster {
    const raft = cluster(config, 4, 5);
    change(raft, 'explicit: addVoter 4, addVoter 5, remove 2, remove 3');
    const { voters, votersOutgoing } = raft.node(5).status().conf;
    expect([voters, votersOutgoing]).toEqual([
      [1n, 4n, 5n],
      [1n, 2n, 3n],
    ]);
    return raft;
  }

  test.each([
    ['incoming', [4, 5]],
    ['outgoing', [2, 3]],
  ])('entries and reads need the %s half', (_, away) => {
    const raft = joint(PLAIN);
    for (const id of away) raft.isolate(id);
    raft.propose(1, 'held');
    raft.read(1);
    raft.run(3);
    expect(raft.member(1).state).toEqual([]);
    expect(raft.readsAnswered).toBe(0);
    raft.heal();
    raft.run(3);
    expect(raft.member(1).state).toEqual(['held']);
    expect(raft.readsAnswered).toBe(1);
  });

  test('so does the leader’s contact with a quorum', () => {
    const raft = joint({ preVote: true, checkQuorum: true });
    for (const id of [2, 3]) raft.isolate(id);
    raft.tick(1, 21);
    expect(raft.node(1).status().role).toBe('follower');
  });

  test('and an election', () => {
    const raft = joint(PLAIN);
    raft.crash(1, { writesKept: 9 });
    raft.isolate(3);
    raft.elect(4);
    expect(raft.node(4).status().role).toBe('candidate');
    raft.heal();
    raft.elect(4);
    expect(raft.node(4).status().role).toBe('leader');
  });

  test('a member of the outgoing half only can lead, and leave', () => {
    const raft = joint(PLAIN);
    expect(raft.node(1).transferLeadership(2n)).toBe('started');
    raft.run(2);
    expect(leaders(raft)).toEqual([2n]);
    expect(raft.proposeConfChange(2, '')).toBe('appended');
    raft.settle();
    expect(raft.node(2).status()).toMatchObject({
      role: 'follower',
      conf: simpleConf([1n, 4n, 5n]),
    });
    raft.run(60, () => leaders(raft).length === 1);
    expect([1n, 4n, 5n]).toContain(leaders(raft)[0]);
  });

  test('a transfer under way comes before leaving', () => {
    const raft = cluster(PLAIN, 4);
    raft.proposeConfChange(1, 'addVoter 4, remove 3');
    raft.isolate(2);
    raft.node(1).transferLeadership(2n);
    raft.settle();
    expect(raft.node(1).status().conf.autoLeave).toBe(true);
    raft.run(20);
    raft.heal();
    raft.run(5);
    expect(raft.node(1).status().conf).toEqual(simpleConf([1n, 2n, 4n]));
  });
});

test('a change that is applied without effect leaves the leader’s followers as they are', () => {
  const raft = cluster(PLAIN);
  const before = raft.node(1).status();
  expect(raft.node(1).checkConfChange(oneChange('remove', 9n))).toEqual({
    ok: true,
    value: before.conf,
  });
  change(raft, 'update 2');
  expect(raft.node(1).status().conf).toEqual(before.conf);
  expect(
    raft
      .node(1)
      .status()
      .progress.map(({ id }) => id),
  ).toEqual([2n, 3n]);
});
