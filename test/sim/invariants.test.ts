import { describe, expect, test } from 'vitest';
import { Broken, SimInvariants } from '../../harness/sim/invariants.ts';
import { LeaderContact } from '../../harness/sim/leader-contact.ts';
import { LeasePromises } from '../../harness/sim/lease-promises.ts';
import { Oracle } from '../../harness/sim/oracle/oracle.ts';
import { assert } from '../../src/lib/assert.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import type { Entry, Message } from '../../src/raft/message.ts';
import { becomeFollower } from '../../src/raft/transitions.ts';
import type { InternalRequest } from '../../src/wire/internal-request.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { encodeConfChange } from '../../src/wire/raft-records.ts';
import {
  acknowledge,
  acknowledged,
  type Crafted,
  commitAsLeader,
  craft,
  elect,
  empty,
  makeLeader,
  put,
  restoreOf,
  vote,
} from './crafted-member.ts';

const NO_CHANGE = { id: 0n, type: 'updateNode', nodeId: 1n, context: new Uint8Array(0) } as const;
const HEARTBEAT_MS = 100;
const ELECTION_MS = 1_000;
/** Of four election timeouts; one more without an answer is too many. */
const SILENT_BEATS_MAX = 40;

function watch(): SimInvariants {
  const contact = new LeaderContact({ heartbeatMs: HEARTBEAT_MS, electionMs: ELECTION_MS });
  const leases = new LeasePromises(() => 0);
  return new SimInvariants(new Oracle(), (id) => `n${id}`, { contact, leases });
}

/** One that knows `LOG` to be durable on the other two members. */
function watchHeld(): SimInvariants {
  const invariants = watch();
  acknowledge(invariants, [2n, 3n], LOG);
  return invariants;
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

const LOG = [put(1, 1, 'a'), put(1, 2, 'b'), put(2, 3, 'c')];

describe('elections', () => {
  test('two leaders in one term', () => {
    const invariants = watch();
    step(invariants, elect(invariants, craft({ id: 1n, term: 4 }), [3n]));
    step(invariants, elect(invariants, craft({ id: 3n, term: 5 }), [1n]));
    const found = brokenBy(() => step(invariants, makeLeader(craft({ id: 2n, term: 4 }))));
    expect(found.property).toBe('election safety');
    expect(found.detail).toContain('n1 and n2 lead term 5');
  });

  test('a leader for whom less than a majority voted', () => {
    const invariants = watch();
    const { log } = craft({ id: 2n }).core;
    invariants.sending(vote(2n, 1n, 4), log);
    invariants.sending(vote(2n, 1n, 5, true), log);
    invariants.sending({ ...vote(2n, 1n, 5), type: 'MsgPreVoteResp' }, log);
    invariants.sending(vote(3n, 2n, 5), log);
    const found = brokenBy(() => step(invariants, makeLeader(craft({ id: 1n, term: 4 }))));
    expect(found).toEqual({
      property: 'elected by a majority',
      detail: 'n1 leads term 5 by n1 alone',
    });
  });

  test('half of the votes are none, and one more is enough', () => {
    const four = { id: 1n, term: 4, voters: [1n, 2n, 3n, 4n] };
    const half = watch();
    const found = brokenBy(() => step(half, elect(half, craft(four), [2n])));
    expect(found.property).toBe('elected by a majority');
    expect(found.detail).toBe('n1 leads term 5 by n1, n2 alone');
    const most = watch();
    step(most, elect(most, craft(four), [2n, 4n]));
    step(watch(), makeLeader(craft({ id: 1n, term: 4, voters: [1n] })));
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
    const invariants = watchHeld();
    step(invariants, craft({ id: 1n, entries: LOG, commit: 3, term: 2 }));
    const short = craft({ id: 2n, entries: LOG.slice(0, 2), term: 2 });
    const found = brokenBy(() => step(invariants, elect(invariants, short, [3n])));
    expect(found.property).toBe('leader completeness');
    expect(found.detail).toContain('n2, leader of term 3, lacks committed entry 2/3');
  });

  test('a leader that has them all, or of a term before they were committed, is sound', () => {
    const invariants = watchHeld();
    step(invariants, craft({ id: 1n, entries: LOG, commit: 3, term: 5 }));
    const full = craft({ id: 2n, entries: LOG, commit: 1, term: 6 });
    step(invariants, elect(invariants, full, [3n]));
    const unaware = craft({ id: 3n, entries: LOG.slice(0, 2), term: 2 });
    step(invariants, elect(invariants, unaware, [2n]));
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

describe('commits', () => {
  test('of an entry that less than a majority called durable', () => {
    const alone = craft({ id: 1n, entries: LOG, commit: 3 });
    const found = brokenBy(() => step(watch(), alone));
    expect(found.property).toBe('commit by a majority');
    expect(found.detail).toBe('2/3 is durable on n1 only');
    const behind = watch();
    acknowledge(behind, [2n, 3n], LOG.slice(0, 2));
    expect(brokenBy(() => step(behind, alone)).property).toBe('commit by a majority');
    const four = watch();
    const half = craft({ id: 1n, entries: LOG, commit: 3, voters: [1n, 2n, 3n, 4n] });
    acknowledge(four, [2n], LOG);
    const detail = brokenBy(() => step(four, half)).detail;
    expect(detail).toBe('2/3 is durable on n1, n2 only');
  });

  test('of what a majority holds, its own disk or not, in a log or a snapshot', () => {
    const others = watch();
    acknowledge(others, [2n, 3n], LOG);
    const slow = craft({ id: 1n, entries: LOG.slice(0, 2), term: 2 });
    slow.core.log.append(LOG[2]!);
    slow.core.log.commitTo(3);
    step(others, slow);
    const snapshots = watch();
    step(snapshots, craft({ id: 2n, snapshot: { index: 3, term: 2 } }));
    step(snapshots, craft({ id: 1n, entries: LOG, commit: 3 }));
    const further = watch();
    acknowledge(further, [2n], [...LOG, put(3, 4, 'd')]);
    step(further, craft({ id: 1n, entries: LOG, commit: 3 }));
    expect([others, snapshots, further].map(({ maxCommitted }) => maxCommitted)).toEqual([3, 3, 3]);
  });

  test('of the entries that a cluster begins with need nobody', () => {
    const invariants = watch();
    step(invariants, craft({ id: 1n, entries: LOG, commit: 2 }));
    expect(invariants.maxCommitted).toBe(2);
  });

  test('by counting what an earlier leader left', () => {
    const invariants = watchHeld();
    const leader = elect(invariants, craft({ id: 1n, entries: LOG, term: 2 }), [2n]);
    step(invariants, leader);
    commitAsLeader(leader, 3);
    expect(brokenBy(() => step(invariants, leader))).toEqual({
      property: 'commit of its own term',
      detail: 'n1, leader of term 3, committed 2/3',
    });
  });

  test('of an earlier term that come with its own, or came before it led', () => {
    const invariants = watchHeld();
    const leader = craft({ id: 1n, entries: LOG, term: 2 });
    step(invariants, leader);
    leader.core.log.commitTo(2);
    step(invariants, elect(invariants, leader, [2n]));
    acknowledge(invariants, [2n, 3n], [...LOG, empty(3, 4)]);
    commitAsLeader(leader, 4);
    step(invariants, leader);
    const follower = craft({ id: 2n, entries: [...LOG, empty(3, 4)], commit: 3 });
    step(invariants, follower);
    expect(invariants.maxCommitted).toBe(4);
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
    step(invariants, elect(invariants, craft({ id: 1n, term: 6 }), [2n]));
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
    const invariants = watchHeld();
    step(invariants, before);
    const found = brokenBy(() => step(invariants, after));
    expect(found).toEqual({ property: 'monotone', detail: `n1: its ${what} fell` });
  });

  test('but after a restart it may have been forgotten', () => {
    const invariants = watchHeld();
    step(invariants, before);
    invariants.restarted(1n, restoreOf({ term: 4, entries: LOG }));
    step(invariants, craft({ id: 1n, term: 4, entries: LOG, commit: 1 }));
  });

  test('nothing is applied beyond commit', () => {
    const eager = craft({ id: 1n, entries: LOG, commit: 2, applied: LOG });
    expect(brokenBy(() => step(watchHeld(), eager)).property).toBe('applied ≤ commit');
  });
});

describe('the state', () => {
  test('that a member starts with is compared at once', () => {
    const invariants = watchHeld();
    const wrong = LOG.with(2, put(2, 3, 'other'));
    const member = craft({ id: 1n, entries: LOG, commit: 3, applied: wrong });
    expect(brokenBy(() => step(invariants, member)).property).toBe('state');
    step(invariants, craft({ id: 2n, entries: LOG, commit: 3, applied: LOG }));
  });

  test('that differs later is told when it is compared', () => {
    const applyLast = (id: MemberId, last: Entry): (() => void) => {
      const invariants = watchHeld();
      const crafted = craft({ id, entries: LOG, commit: 3, applied: LOG.slice(0, 2) });
      step(invariants, crafted);
      crafted.machine.apply(last, { tick: 0, conf: crafted.core.conf });
      step(invariants, crafted);
      return () => invariants.compareNow(id, crafted.member);
    };
    expect(brokenBy(applyLast(1n, put(2, 3, 'other'))).property).toBe('state');
    expect(brokenBy(applyLast(2n, LOG[2]!)).property).toBe('none');
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

describe('changes of the membership', () => {
  const change = (term: number, index: number): Entry => {
    return { type: 'confChange', term, index, data: encodeConfChange(NO_CHANGE) };
  };

  test('one is begun while another is not committed', () => {
    const invariants = watch();
    const entries = [put(1, 1, 'a'), change(2, 2), put(2, 3, 'b'), change(2, 4)];
    const found = brokenBy(() => step(invariants, craft({ id: 1n, entries })));
    expect(found).toEqual({
      property: 'one change at a time',
      detail: 'n1 appended change 2/4 while 2 was not committed',
    });
  });

  test('one may follow another that is committed, or that gave way', () => {
    const first = [put(1, 1, 'a'), change(2, 2)];
    const committed = watch();
    acknowledge(committed, [1n, 2n, 3n], first);
    step(committed, craft({ id: 1n, entries: first, commit: 2 }));
    step(committed, craft({ id: 2n, entries: [...first, change(2, 3)], commit: 2 }));
    const gaveWay = watch();
    step(gaveWay, craft({ id: 1n, entries: first }));
    step(gaveWay, craft({ id: 2n, entries: [put(1, 1, 'a'), put(3, 2, 'b'), change(3, 3)] }));
  });
});

test('a lease that the cluster ends before the time that was told', () => {
  let nowNs = 0;
  const leases = new LeasePromises(() => nowNs);
  const contact = new LeaderContact({ heartbeatMs: HEARTBEAT_MS, electionMs: ELECTION_MS });
  const invariants = new SimInvariants(new Oracle(), (id) => `n${id}`, { contact, leases });
  const logged = (index: number, request: InternalRequest, id: bigint): Entry => {
    return { type: 'normal', term: 1, index, data: encodeLoggedRequest({ id, request }) };
  };
  const entries = [
    logged(1, { type: 'leaseGrant', id: 7n, ttlS: 5 }, 1n),
    logged(2, { type: 'leaseGrant', id: 8n, ttlS: 5 }, 2n),
    logged(3, { type: 'leaseRevoke', id: 8n }, 3n),
    logged(4, { type: 'leaseRevoke', id: 7n }, 0n),
  ];
  for (const id of [7n, 8n]) leases.told(id, 0, 5);
  nowNs = 4e9;
  const found = brokenBy(() => step(invariants, craft({ id: 1n, entries, commit: 4 })));
  expect(found.property).toBe('lease kept');
  expect(found.detail).toContain('lease 7 was ended 1000 ms before');
});

describe('the membership', () => {
  const URLS = { peerUrls: ['http://p'], clientUrls: ['http://c'], isLearner: false };

  test.each([
    ['a name', { name: 'other' }],
    ['an URL for members', { peerUrls: [] }],
    ['an URL for clients', { clientUrls: ['http://d'] }],
  ])('differs between two that applied the same: %s', (_, change) => {
    const invariants = watch();
    const [one, two] = [1n, 2n].map((id) => craft({ id, entries: LOG, commit: 2 }));
    one!.machine.membership.add({ id: 3n, name: 'n3', ...URLS });
    two!.machine.membership.add({ id: 3n, name: 'n3', ...URLS, ...change });
    invariants.compareNow(1n, one!.member);
    const found = brokenBy(() => invariants.compareNow(2n, two!.member));
    expect(found.property).toBe('membership');
    expect(found.detail).toContain('n2 at index 0 knows 3 ');
  });

  test('is one at one index, and may be another at the next', () => {
    const invariants = watch();
    const [one, two] = [1n, 2n].map((id) => craft({ id, entries: LOG, commit: 2 }));
    const later = craft({ id: 3n, entries: LOG, commit: 2, applied: LOG.slice(0, 1) });
    for (const { machine } of [one!, two!]) machine.membership.add({ id: 3n, name: 'a', ...URLS });
    later.machine.membership.add({ id: 3n, name: 'b', ...URLS });
    for (const each of [one!, two!, later]) invariants.compareNow(each.core.id, each.member);
    later.machine.membership.setAttributes({ memberId: 3n, name: 'c', clientUrls: [] });
    expect(brokenBy(() => invariants.compareNow(3n, later.member)).property).toBe('membership');
  });
});

const TICKS_PER_BEAT = 10;

describe('contact', () => {
  /** n1, which leads, and its heartbeats. */
  class Beating {
    readonly invariants = watch();
    readonly leader = elect(this.invariants, craft({ id: 1n, term: 4 }), [2n]);

    /** So many heartbeats come due, and those in `answering` answer each one. */
    beat(count: number, { answering = [] }: BeatOptions = {}): void {
      const { role } = this.leader.core;
      assert(role.type === 'leader', 'only leaders have heartbeats');
      for (let n = 0; n < count; n++) {
        role.heartbeatElapsedTicks = TICKS_PER_BEAT - 1;
        this.look();
        role.heartbeatElapsedTicks = 0;
        this.look();
        for (const from of answering) this.answer(from);
      }
    }

    answer(from: MemberId): void {
      const { term } = this.leader.core;
      this.invariants.delivered({ type: 'MsgHeartbeatResp', from, to: 1n, term, context: 0 });
    }

    look(): void {
      step(this.invariants, this.leader);
    }
  }

  interface BeatOptions {
    readonly answering?: readonly MemberId[];
  }

  function isTooLong(check: () => void): boolean {
    return brokenBy(check).property === 'contact';
  }

  test('with a quorum that is long lost by one who still leads', () => {
    const cluster = new Beating();
    cluster.beat(SILENT_BEATS_MAX);
    expect(brokenBy(() => cluster.beat(1))).toEqual({
      property: 'contact',
      detail: `n1 leads term 5, and ${SILENT_BEATS_MAX} heartbeats went unanswered by a quorum`,
    });
  });

  test('with a minority may be lost for ever', () => {
    const cluster = new Beating();
    cluster.beat(10 * SILENT_BEATS_MAX, { answering: [2n] });
    cluster.beat(SILENT_BEATS_MAX);
    expect(isTooLong(() => cluster.beat(1))).toBe(true);
  });

  test('is renewed by any message, of whoever makes up a quorum', () => {
    const cluster = new Beating();
    cluster.beat(SILENT_BEATS_MAX);
    cluster.invariants.delivered(acknowledged(3n, 5, 1));
    cluster.beat(SILENT_BEATS_MAX);
    cluster.answer(2n);
    cluster.beat(SILENT_BEATS_MAX);
    cluster.invariants.delivered({ ...acknowledged(3n, 5, 1), to: 2n });
    expect(isTooLong(() => cluster.beat(1))).toBe(true);
  });

  test('is missed by heartbeats that were due, not by other steps', () => {
    const cluster = new Beating();
    for (let n = 1; n <= 10 * SILENT_BEATS_MAX; n++) cluster.look();
    cluster.beat(SILENT_BEATS_MAX);
    expect(isTooLong(() => cluster.beat(1))).toBe(true);
  });

  test('is due anew of who leads anew', () => {
    const cluster = new Beating();
    const { core } = cluster.leader;
    cluster.beat(SILENT_BEATS_MAX);
    becomeFollower(core, 5, { leader: undefined, reason: 'no contact with a quorum' });
    cluster.look();
    elect(cluster.invariants, cluster.leader, [3n]);
    cluster.beat(SILENT_BEATS_MAX);
    expect(brokenBy(() => cluster.beat(1)).detail).toContain('n1 leads term 6');
  });

  test('need not be kept by a follower, nor by one without peers', () => {
    const invariants = watch();
    const { member } = craft({ id: 1n, term: 4 });
    for (let n = 1; n <= 2 * SILENT_BEATS_MAX; n++) invariants.afterStep(1n, member);
    const lone = makeLeader(craft({ id: 1n, term: 4, voters: [1n] }));
    step(watch(), lone);
  });
});
