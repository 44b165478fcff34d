import { describe, expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { raftConfig } from '../../src/raft/config.ts';
import type { Entry, Message } from '../../src/raft/message.ts';
import { RawNode } from '../../src/raft/raw-node.ts';
import { forkedRandom } from './forked-random.ts';

/** How followers hear that something is committed, and what they answer to that. */

const CONF = simpleConf([1n, 2n, 3n]);
const DATA = new Uint8Array(4);

function freshNode(): RawNode {
  const config = raftConfig({ id: 1n, random: forkedRandom(1), preVote: false });
  return new RawNode(config, {
    hardState: { term: 1, vote: undefined, commit: 0 },
    snapshot: { index: 0, term: 0, confState: CONF },
    entries: [],
    applied: 0,
  });
}

/** Carries out what is due, its own disk included; returns what is sent. */
function turn(node: RawNode, commitAlone: boolean): readonly Message[] {
  const sent: Message[] = [];
  for (
    let outputs = node.takeOutputs({ commitAlone });
    outputs !== undefined;
    outputs = node.takeOutputs({ commitAlone })
  ) {
    sent.push(...outputs.messages);
    for (const { index } of outputs.committed) node.appliedTo(index);
    for (const response of outputs.append?.responses ?? []) {
      if (response.to === 1n) node.step(response);
      else sent.push(response);
    }
  }
  return sent;
}

function acknowledge(node: RawNode, from: bigint, index: number): void {
  const { term } = node;
  const rest = { reject: false, rejectHint: 0, logTerm: 0 };
  node.step({ type: 'MsgAppResp', from, to: 1n, term, index, ...rest });
}

/** Its no-op, index 1, is committed and told; both followers are fed without being asked. */
function leader(): RawNode {
  const node = freshNode();
  node.campaign();
  turn(node, true);
  const vote = { reject: false, commit: 0, commitTerm: 0 };
  node.step({ type: 'MsgVoteResp', from: 2n, to: 1n, term: node.term, ...vote });
  turn(node, true);
  for (const id of [2n, 3n]) acknowledge(node, id, 1);
  turn(node, true);
  return node;
}

function sentApps(messages: readonly Message[]): { to: bigint; commit: number; entries: number }[] {
  return messages
    .filter((message) => message.type === 'MsgApp')
    .map(({ to, commit, entries }) => ({ to, commit, entries: entries.length }));
}

describe('a leader', () => {
  test('keeps the news for the next entries, and says that it does', () => {
    const node = leader();
    node.propose([{ type: 'normal', data: DATA }]);
    turn(node, false);
    acknowledge(node, 2n, 2);
    expect(sentApps(turn(node, false))).toEqual([]);
    expect([node.commit, node.hasUntoldCommit(1), node.hasUntoldCommit(2)]).toEqual([
      2,
      false,
      true,
    ]);
    node.propose([{ type: 'normal', data: DATA }]);
    expect(sentApps(turn(node, false))).toEqual([
      { to: 2n, commit: 2, entries: 1 },
      { to: 3n, commit: 2, entries: 1 },
    ]);
    expect(node.hasUntoldCommit(2)).toBe(false);
  });

  test('tells them by themselves when asked to', () => {
    const node = leader();
    node.propose([{ type: 'normal', data: DATA }]);
    turn(node, false);
    acknowledge(node, 2n, 2);
    turn(node, false);
    expect(sentApps(turn(node, true)).map(({ commit }) => commit)).toEqual([2, 2]);
  });

  test('tells at once what a follower proposed', () => {
    const node = leader();
    const entries = [{ type: 'normal' as const, data: DATA }];
    node.step({ type: 'MsgProp', from: 3n, to: 1n, term: 0, entries });
    turn(node, false);
    acknowledge(node, 2n, 2);
    expect(sentApps(turn(node, false)).map(({ commit }) => commit)).toEqual([2, 2]);
  });

  test('tells at once up to where a follower is to read', () => {
    const node = leader();
    node.propose([{ type: 'normal', data: DATA }]);
    turn(node, false);
    acknowledge(node, 2n, 2);
    turn(node, false);
    const { term } = node;
    node.step({ type: 'MsgReadIndex', from: 3n, to: 1n, term: 0, context: 7 });
    const [asked] = turn(node, false).filter((message) => message.type === 'MsgHeartbeat');
    expect(asked?.context).toBeGreaterThan(0);
    const context = asked?.context ?? 0;
    node.step({ type: 'MsgHeartbeatResp', from: 2n, to: 1n, term, context });
    const sent = turn(node, false);
    expect(sent.map(({ type }) => type)).toContain('MsgReadIndexResp');
    expect(sentApps(sent).map(({ commit }) => commit)).toEqual([2, 2]);
  });

  test('tells at once of a change of the membership: who is removed hears it', () => {
    const node = leader();
    const entry = { type: 'confChange' as const, data: DATA };
    node.propose([entry]);
    turn(node, false);
    acknowledge(node, 2n, 2);
    expect(sentApps(turn(node, false)).map(({ commit }) => commit)).toEqual([2, 2]);
  });
});

describe('a follower', () => {
  function app(index: number, commit: number, entries: readonly Entry[]): Message {
    return { type: 'MsgApp', from: 2n, to: 1n, term: 5, index, logTerm: 5, commit, entries };
  }
  const first: Entry = { type: 'normal', term: 5, index: 1, data: DATA };

  function acknowledgements(node: RawNode): number[] {
    return turn(node, true).flatMap((sent) => (sent.type === 'MsgAppResp' ? [sent.index] : []));
  }

  test('says nothing to news about what it has acknowledged', () => {
    const node = freshNode();
    node.step({ ...app(0, 0, [first]), logTerm: 0 } as Message);
    expect(acknowledgements(node)).toEqual([1]);
    node.step(app(1, 1, []));
    expect(acknowledgements(node)).toEqual([]);
    expect(node.commit).toBe(1);
  });

  test('answers when it is asked again: the first answer may be lost', () => {
    const node = freshNode();
    node.step({ ...app(0, 0, [first]), logTerm: 0 } as Message);
    acknowledgements(node);
    node.step(app(1, 1, []));
    acknowledgements(node);
    node.step(app(1, 1, []));
    expect(acknowledgements(node)).toEqual([1]);
  });

  test('answers a leader that it has told nothing yet', () => {
    const node = freshNode();
    node.step({ ...app(0, 0, [first]), logTerm: 0 } as Message);
    acknowledgements(node);
    node.step({ ...app(1, 1, []), from: 3n, term: 6 } as Message);
    expect(acknowledgements(node)).toEqual([1]);
  });
});
