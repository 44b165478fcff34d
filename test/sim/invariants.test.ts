import { describe, expect, test } from 'vitest';
import { Broken, SimInvariants } from '../../harness/sim/invariants.ts';
import { Oracle } from '../../harness/sim/oracle/oracle.ts';
import type { MemberId, Term } from '../../src/lib/ids.ts';
import type { Message, MsgAppResp, MsgVoteResp } from '../../src/raft/message.ts';
import { type Crafted, craft, empty, makeLeader, put, restoreOf } from './crafted-member.ts';

function watch(): SimInvariants {
  return new SimInvariants(new Oracle(), (id) => `n${id}`);
}

function step(invariants: SimInvariants, { core, member }: Crafted): void {
  invariants.afterStep(core.id, member);
}

/** What the check finds broken, and its words. */
function brokenBy(check: () => void): { readonly property: string; readonly detail: string } {
  try {
    check();
  } catch (error) {
    if (error instanceof Broken) return { property: error.property, detail: error.message };
    throw error;
  }
  return { property: 'none', detail: '' };
}

function vote(from: MemberId, to: MemberId, term: Term, reject = false): MsgVoteResp {
  return { type: 'MsgVoteResp', from, to, term, reject };
}

function acknowledged(from: MemberId, term: Term, index: number): MsgAppResp {
  return {
    type: 'MsgAppResp',
    from,
    to: 1n,
    term,
    index,
    reject: false,
    rejectHint: 0,
    logTerm: 0,
  };
}

const LOG = [put(1, 1, 'a'), put(1, 2, 'b'), put(2, 3, 'c')];

describe('elections', () => {
  test('two leaders in one term', () => {
    const invariants = watch();
    step(invariants, makeLeader(craft({ id: 1n, term: 4 })));
    step(invariants, makeLeader(craft({ id: 3n, term: 5 })));
    const found = brokenBy(() => step(invariants, makeLeader(craft({ id: 2n, term: 4 }))));
    expect(found.property).toBe('election safety');
    expect(found.detail).toContain('n1 and n2 lead term 5');
  });

  test('two votes in one term, for others or for itself', () => {
    const { log } = craft({ id: 1n }).core;
    const asks: Message = {
      type: 'MsgVote',
      from: 1n,
      to: 2n,
      term: 5,
      index: 0,
      logTerm: 0,
      transfer: false,
    };
    const others = watch();
    others.sending(vote(1n, 2n, 4), log);
    others.sending(vote(1n, 2n, 4), log);
    others.sending(vote(1n, 3n, 4, true), log);
    others.sending(vote(2n, 3n, 4), log);
    others.sending(vote(1n, 3n, 5), log);
    const found = brokenBy(() => others.sending(vote(1n, 3n, 4), log));
    expect(found.property).toBe('one vote a term');
    expect(found.detail).toBe('n1 voted for n2 and n3 in term 4');
    expect(brokenBy(() => others.sending(asks, log)).property).toBe('one vote a term');
    const preVotes = watch();
    preVotes.sending({ ...vote(1n, 2n, 4), type: 'MsgPreVoteResp' }, log);
    preVotes.sending({ ...vote(1n, 3n, 4), type: 'MsgPreVoteResp' }, log);
  });

  test('a leader that lacks a committed entry', () => {
    const invariants = watch();
    step(invariants, craft({ id: 1n, entries: LOG, commit: 3, term: 2 }));
    const short = makeLeader(craft({ id: 2n, entries: LOG.slice(0, 2), term: 2 }));
    const found = brokenBy(() => step(invariants, short));
    expect(found.property).toBe('leader completeness');
    expect(found.detail).toContain('n2, leader of term 3, lacks committed entry 2/3');
  });

  test('a leader that has them all, or of a term before they were committed, is sound', () => {
    const invariants = watch();
    step(invariants, craft({ id: 1n, entries: LOG, commit: 3, term: 5 }));
    step(invariants, makeLeader(craft({ id: 2n, entries: LOG, commit: 1, term: 6 })));
    step(invariants, makeLeader(craft({ id: 3n, entries: LOG.slice(0, 2), term: 2 })));
  });
});

describe('logs', () => {
  test('one index and term, two entries', () => {
    const invariants = watch();
    step(invariants, craft({ id: 1n, entries: [put(1, 1, 'a')] }));
    const found = brokenBy(() => step(invariants, craft({ id: 2n, entries: [put(1, 1, 'b')] })));
    expect(found.property).toBe('log matching');
    expect(found.detail).toContain('n2 has another entry 1/1');
  });

  test('one index and term, two predecessors', () => {
    const invariants = watch();
    step(invariants, craft({ id: 1n, entries: [empty(1, 1), empty(2, 2)] }));
    const other = craft({ id: 2n, entries: [empty(2, 1), empty(2, 2)] });
    expect(brokenBy(() => step(invariants, other)).property).toBe('log matching');
  });

  test('differ soundly where terms do, and grow and are replaced', () => {
    const invariants = watch();
    const follower = craft({ id: 1n, entries: LOG, term: 4 });
    step(invariants, follower);
    step(invariants, craft({ id: 2n, entries: [put(1, 1, 'a'), put(3, 2, 'x')], term: 4 }));
    follower.core.log.accept(1, 1, [put(3, 2, 'x'), put(4, 3, 'y')]);
    step(invariants, follower);
    const forged = craft({ id: 3n, entries: [put(1, 1, 'a'), put(3, 2, 'x'), put(4, 3, 'z')] });
    expect(brokenBy(() => step(invariants, forged)).property).toBe('log matching');
  });

  test('two entries committed at one index', () => {
    const invariants = watch();
    step(invariants, craft({ id: 1n, entries: LOG, commit: 2 }));
    const other = craft({ id: 2n, entries: [put(1, 1, 'a'), put(2, 2, 'x')], commit: 2 });
    const found = brokenBy(() => step(invariants, other));
    expect(found.property).toBe('state machine safety');
    expect(found.detail).toBe('n2 committed 2/2, 1/2 was');
    expect(invariants.maxCommitted).toBe(2);
  });

  test('an entry committed before its predecessors', () => {
    const ahead = craft({
      id: 1n,
      snapshot: { index: 5, term: 1 },
      entries: [empty(1, 6)],
      commit: 6,
    });
    expect(brokenBy(() => step(watch(), ahead)).property).toBe('commit in order');
  });

  test('a request committed twice', () => {
    const twice = craft({ id: 1n, entries: [put(1, 1, 'a', 7n), put(1, 2, 'a', 7n)], commit: 2 });
    const found = brokenBy(() => step(watch(), twice));
    expect(found.property).toBe('committed once');
    expect(found.detail).toContain('entry 2 is the request of entry 1 again');
  });
});

describe('what a disk must keep', () => {
  /** n1 after it has led term 3 with `LOG`, voted for n2 in term 4, and called all durable. */
  function promising(): SimInvariants {
    const invariants = watch();
    const member = craft({ id: 1n, entries: LOG, term: 4 });
    step(invariants, member);
    invariants.sending(vote(1n, 2n, 4), member.core.log);
    return invariants;
  }

  test.each([
    ['the term', { entries: LOG, term: 3 }, 'durable term', 'acted in term 4 and restarts in 3'],
    ['the vote', { entries: LOG, term: 4 }, 'durable vote', 'voted in term 4'],
    ['the vote', { entries: LOG, term: 4, vote: 3n }, 'durable vote', 'voted in term 4'],
    ['an entry', { entries: LOG.slice(0, 2), term: 4, vote: 2n }, 'durable log', 'called 2/3'],
    [
      'a longer log of a lower term',
      { entries: [...LOG.slice(0, 2), put(1, 3, 'x'), put(1, 4, 'y')], term: 4, vote: 2n },
      'durable log',
      'restarts at 1/4',
    ],
  ])('%s is missed', (_, kept, property, words) => {
    const found = brokenBy(() => promising().restarted(1n, restoreOf(kept)));
    expect(found.property).toBe(property);
    expect(found.detail).toContain(words);
  });

  test('is there, or more, or as a snapshot', () => {
    promising().restarted(1n, restoreOf({ entries: LOG, term: 4, vote: 2n }));
    promising().restarted(1n, restoreOf({ entries: [...LOG, put(2, 4, 'd')], term: 5 }));
    const snapshot = { index: 3, term: 2 };
    promising().restarted(1n, restoreOf({ snapshot, term: 4, vote: 2n }));
    promising().restarted(2n, restoreOf({}));
  });

  test('a leader acts in its term', () => {
    const invariants = watch();
    step(invariants, makeLeader(craft({ id: 1n, term: 6 })));
    const found = brokenBy(() => invariants.restarted(1n, restoreOf({ term: 6 })));
    expect(found.property).toBe('durable term');
  });

  test('an acknowledgement is a promise', () => {
    const invariants = watch();
    const { log } = craft({ id: 2n, entries: LOG }).core;
    invariants.sending(acknowledged(2n, 2, 2), log);
    invariants.restarted(2n, restoreOf({ entries: LOG.slice(0, 2) }));
    const found = brokenBy(() => invariants.restarted(2n, restoreOf({ entries: LOG.slice(0, 1) })));
    expect(found.property).toBe('durable log');
    const refuses = watch();
    refuses.sending({ ...acknowledged(2n, 2, 3), reject: true }, log);
    refuses.restarted(2n, restoreOf({}));
  });

  test('an acknowledgement to an earlier term promises nothing about what replaced it', () => {
    const invariants = watch();
    const member = craft({ id: 2n, entries: LOG.slice(0, 2), term: 3 });
    member.core.log.accept(1, 1, [put(3, 2, 'not yet durable')]);
    step(invariants, member);
    invariants.sending(acknowledged(2n, 1, 2), member.core.log);
    invariants.restarted(2n, restoreOf({ entries: LOG.slice(0, 2), term: 3 }));
  });
});

describe('what never falls', () => {
  const before = craft({ id: 1n, term: 4, entries: LOG, commit: 3, applied: LOG });

  test.each([
    ['term', craft({ id: 1n, term: 3, entries: LOG, commit: 3, applied: LOG })],
    ['commit index', craft({ id: 1n, term: 4, entries: LOG, commit: 2, applied: LOG })],
    ['applied index', craft({ id: 1n, term: 4, entries: LOG, commit: 3, applied: [LOG[0]!] })],
    [
      'revision',
      craft({
        id: 1n,
        term: 4,
        entries: LOG,
        commit: 3,
        applied: LOG.map((e) => empty(e.term, e.index)),
      }),
    ],
  ])('the %s', (what, after) => {
    const invariants = watch();
    step(invariants, before);
    const found = brokenBy(() => step(invariants, after));
    expect(found).toEqual({ property: 'monotone', detail: `n1: its ${what} fell` });
  });

  test('but after a restart it may have been forgotten', () => {
    const invariants = watch();
    step(invariants, before);
    invariants.restarted(1n, restoreOf({ term: 4, entries: LOG }));
    step(invariants, craft({ id: 1n, term: 4, entries: LOG, commit: 1 }));
  });

  test('nothing is applied beyond commit', () => {
    const eager = craft({ id: 1n, entries: LOG, commit: 2, applied: LOG });
    expect(brokenBy(() => step(watch(), eager)).property).toBe('applied ≤ commit');
  });
});

describe('the state', () => {
  test('differs from the model: told when it is compared', () => {
    const invariants = watch();
    const wrong = LOG.with(2, put(2, 3, 'other'));
    const member = craft({ id: 1n, entries: LOG, commit: 3, applied: wrong });
    step(invariants, member);
    expect(brokenBy(() => invariants.compareNow(1n, member.member)).property).toBe('state');
    const right = craft({ id: 2n, entries: LOG, commit: 3, applied: LOG });
    step(invariants, right);
    invariants.compareNow(2n, right.member);
  });

  test('is compared by itself every so many entries', () => {
    const entries = Array.from({ length: 40 }, (_, at) => put(1, at + 1, String(at)));
    const wrong = entries.with(39, put(1, 40, 'other'));
    const member = craft({ id: 1n, entries, commit: 40, applied: wrong });
    const found = brokenBy(() => step(watch(), member));
    expect(found.property).toBe('state');
    expect(found.detail).toContain('n1 at index 40');
  });

  test('the core’s own invariants are looked at, too', () => {
    const member = craft({ id: 1n, term: 2 });
    member.core.role = { ...member.core.role, type: 'follower', leader: 1n } as never;
    expect(() => step(watch(), member)).toThrow('nobody follows itself');
  });
});
