/** What a member makes of its disk when it starts, and what it may do before it has caught up. */

import { describe, expect, test } from 'vitest';
import { utf8Encode } from '../../src/lib/utf8.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { oneChange } from '../../src/raft/confchange.ts';
import { raftConfig } from '../../src/raft/config.ts';
import { checkMember } from '../../src/raft/invariants.ts';
import type { Entry, EntryType, Fact, Message } from '../../src/raft/message.ts';
import { RawNode } from '../../src/raft/raw-node.ts';
import { forkedRandom } from './forked-random.ts';

const SNAPSHOT = { index: 1, term: 1, confState: simpleConf([1n, 2n, 3n]) };

/** Entries after the snapshot, all of term 2. */
function nodeWith(
  types: readonly EntryType[],
  commit: number,
  options: { readonly hasLostEntries?: boolean } = {},
): RawNode {
  const entries = types.map((type, i): Entry => {
    const data = type !== 'normal' ? utf8Encode(`addVoter ${4 + i}`) : new Uint8Array(8);
    return { type, term: 2, index: i + 2, data };
  });
  const config = raftConfig({
    id: 1n,
    random: forkedRandom(1),
    preVote: false,
    maxCommittedBytesPerTurn: 1,
  });
  const hardState = { term: 2, vote: undefined, commit };
  return new RawNode(config, { hardState, snapshot: SNAPSHOT, entries, applied: 1, ...options });
}

function factsOf(node: RawNode): readonly Fact[] {
  return node.takeOutputs()?.facts ?? [];
}

function heartbeat(commit: number): Message {
  return { type: 'MsgHeartbeat', from: 2n, to: 1n, term: 2, commit, context: 0 };
}

describe('restore', () => {
  test('everything restored is durable; what is committed is applied again', () => {
    const node = nodeWith(['normal', 'normal', 'normal'], 3);
    expect(node.status()).toMatchObject({ commit: 3, applied: 1, stable: 4, lastIndex: 4 });
    expect(node.takeOutputs()?.committed.map(({ index }) => index)).toEqual([2]);
    expect(node.takeOutputs()?.committed.map(({ index }) => index)).toEqual([3]);
    expect(node.takeOutputs()).toBeUndefined();
  });

  test('a commit index beyond the log is reported, not believed', () => {
    const node = nodeWith(['normal'], 9);
    expect(node.status().commit).toBe(2);
    expect(factsOf(node)).toMatchObject([{ type: 'unsafe', peer: undefined }]);
  });

  test('a commit index before the snapshot follows it', () => {
    expect(nodeWith([], 0).status()).toMatchObject({ commit: 1, applied: 1 });
  });

  test('two membership changes in the log prove the first committed', () => {
    const node = nodeWith(['normal', 'confChange', 'normal', 'confChange', 'normal'], 1);
    expect(node.status().commit).toBe(3);
    expect(nodeWith(['normal', 'confChange', 'normal'], 1).status().commit).toBe(1);
    expect(nodeWith(['confChangeV2', 'confChange'], 1).status().commit).toBe(2);
    expect(nodeWith(['confChange', 'normal', 'confChangeV2'], 1).status().commit).toBe(2);
  });

  test('a gap, a future term and a skipped membership change are bugs of the caller', () => {
    const config = raftConfig({ id: 1n, random: forkedRandom(1) });
    const hardState = { term: 2, vote: undefined, commit: 1 };
    const restored = (entry: Partial<Entry>, applied: number): RawNode => {
      const plain: Entry = { type: 'normal', term: 2, index: 2, data: new Uint8Array(0) };
      const entries = [{ ...plain, ...entry }];
      const state = { ...hardState, commit: applied };
      return new RawNode(config, { hardState: state, snapshot: SNAPSHOT, entries, applied });
    };
    expect(() => restored({ index: 3 }, 1)).toThrow('gap');
    expect(() => restored({ term: 3 }, 1)).toThrow('beyond the hard state');
    expect(() => restored({ type: 'confChange' }, 2)).toThrow('membership change');
    checkMember(restored({}, 2).core);
  });
});

describe('before it has caught up, a member', () => {
  test.each<EntryType>(['confChange', 'confChangeV2'])(
    'does not stand for election under a membership about to be replaced: %s',
    (change) => {
      const node = nodeWith(['normal', change], 3);
      node.campaign();
      expect(node.status().role).toBe('follower');
      for (let outputs = node.takeOutputs(); outputs; outputs = node.takeOutputs()) {
        for (const { index, type } of outputs.committed) {
          if (type !== 'normal') node.applyConfChange(oneChange('addVoter', 4n));
          node.appliedTo(index);
        }
      }
      node.campaign();
      expect(node.status().role).toBe('candidate');
    },
  );

  test.each<[string, EntryType, number, object]>([
    ['a membership change', 'confChangeV2', 2, { role: 'follower', commit: 3 }],
    ['anything else', 'normal', 2, { role: 'candidate', commit: 3 }],
    ['what it does not hold', 'confChangeV2', 1, { role: 'candidate', commit: 1 }],
  ])(
    'learns from a refused vote what is committed, and what that means to it: %s',
    (_, type, term, status) => {
      const node = nodeWith(['normal', type], 1);
      node.campaign();
      const refusal = { type: 'MsgVoteResp', from: 2n, to: 1n, term: 3, reject: true } as const;
      node.step({ ...refusal, commit: 3, commitTerm: term });
      expect(node.status()).toMatchObject(status);
    },
  );

  test('says once that it lost what it acknowledged, and answers heartbeats', () => {
    const node = nodeWith(['normal'], 1);
    node.step(heartbeat(7));
    node.step(heartbeat(7));
    const outputs = node.takeOutputs();
    expect(outputs?.facts.filter(({ type }) => type === 'lostEntries')).toHaveLength(1);
    expect(outputs?.messages.map(({ type }) => type)).toEqual([
      'MsgHeartbeatResp',
      'MsgHeartbeatResp',
    ]);
    expect(node.status().commit).toBe(1);
  });

  test('a heartbeat commits what this life has acknowledged, or what its leader wrote', () => {
    // Of term 2, and the leader's term is 3: they may be what a later entry had replaced before
    // this disk went back.
    const node = nodeWith(['normal', 'normal', 'normal'], 1);
    node.step({ ...heartbeat(3), term: 3 });
    expect(node.status()).toMatchObject({ term: 3, commit: 1, hasLostEntries: false });
    const append = { type: 'MsgApp', from: 2n, to: 1n, term: 3, index: 3, logTerm: 2 } as const;
    node.step({ ...append, entries: [], commit: 1 });
    node.step({ ...heartbeat(4), term: 3 });
    expect(node.status().commit).toBe(1);
    node.step({ ...heartbeat(3), term: 3 });
    expect(node.status().commit).toBe(3);
    const own = nodeWith(['normal', 'normal', 'normal'], 1);
    own.step(heartbeat(4));
    expect(own.status().commit).toBe(4);
  });

  test.each(['now', 'in an earlier life'])('that lost entries, %s, has no vote', (when) => {
    const node = nodeWith(['normal'], 1, { hasLostEntries: when !== 'now' });
    if (when === 'now') node.step(heartbeat(7));
    node.takeOutputs();
    expect(node.status().hasLostEntries).toBe(true);
    const vote = { from: 3n, to: 1n, term: 9, index: 99, logTerm: 8, transfer: true } as const;
    node.step({ ...vote, type: 'MsgPreVote' });
    node.step({ ...vote, type: 'MsgVote' });
    const outputs = node.takeOutputs();
    const sent = [...(outputs?.messages ?? []), ...(outputs?.append?.responses ?? [])];
    expect(sent).toMatchObject([
      { type: 'MsgPreVoteResp', reject: true },
      { type: 'MsgVoteResp', reject: true },
    ]);
    expect(node.status()).toMatchObject({ term: 9, vote: undefined });
    node.campaign();
    for (let ticks = 0; ticks < 100; ticks++) node.tick();
    expect(node.status()).toMatchObject({ role: 'follower', term: 9 });
    // It follows, and what it acknowledges anew it has.
    node.step({ ...heartbeat(0), term: 9 });
    const entry: Entry = { type: 'normal', term: 9, index: 3, data: new Uint8Array(1) };
    const append = { type: 'MsgApp', from: 2n, to: 1n, term: 9, index: 2, logTerm: 2 } as const;
    node.step({ ...append, entries: [entry], commit: 3 });
    expect(node.status()).toMatchObject({ leader: 2n, commit: 3, lastIndex: 3 });
  });

  test('obeys one leader in a term', () => {
    const node = nodeWith(['normal'], 1);
    node.step(heartbeat(1));
    node.step({ ...heartbeat(2), from: 3n });
    expect(node.status()).toMatchObject({ leader: 2n, commit: 1 });
    expect(factsOf(node)).toContainEqual({
      type: 'unsafe',
      term: 2,
      peer: 3n,
      reason: 'a second leader in term 2',
    });
  });

  test('passes proposals and reads on to the leader it knows', () => {
    const node = nodeWith([], 1);
    const entries = [{ type: 'normal' as const, data: new Uint8Array(1) }];
    expect([node.propose(entries), node.readIndex(1)]).toEqual(['dropped', 'dropped']);
    node.step(heartbeat(1));
    node.takeOutputs();
    expect([node.propose(entries), node.readIndex(2)]).toEqual(['forwarded', 'forwarded']);
    expect(node.takeOutputs()?.messages).toMatchObject([
      { type: 'MsgProp', to: 2n, term: 0 },
      { type: 'MsgReadIndex', to: 2n, term: 0, context: 2 },
    ]);
  });
});

describe('the commit index', () => {
  test('is written by itself at most every other tick', () => {
    const node = nodeWith(['normal', 'normal'], 1);
    node.step(heartbeat(2));
    expect(node.takeOutputs()?.append).toBeUndefined();
    node.tick();
    expect(node.takeOutputs()?.append).toBeUndefined();
    node.tick();
    expect(node.takeOutputs()?.append).toMatchObject({ entries: [], hardState: { commit: 2 } });
    node.tick();
    node.step(heartbeat(3));
    expect(node.takeOutputs()?.append).toBeUndefined();
  });
});
