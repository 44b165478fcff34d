import { describe, expect, test } from 'vitest';
import { Broken, SimInvariants } from '../../harness/sim/invariants.ts';
import { LeaderContact } from '../../harness/sim/leader-contact.ts';
import { LeasePromises } from '../../harness/sim/lease-promises.ts';
import { MembershipWatch } from '../../harness/sim/membership-watch.ts';
import { Oracle } from '../../harness/sim/oracle/oracle.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { confChangeRecord, type MembershipChange } from '../../src/member/apply-membership.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry } from '../../src/raft/message.ts';
import { becomeCandidate } from '../../src/raft/transitions.ts';
import { encodeConfChange } from '../../src/wire/raft-records.ts';
import { type Crafted, craft, makeLeader, put } from './crafted-member.ts';

const VOTERS: readonly MemberId[] = [1n, 2n, 3n];

function addition(id: MemberId, isLearner: boolean): MembershipChange {
  const member = { id, name: `n${id}`, peerUrls: [`http://n${id}`], clientUrls: [], isLearner };
  return { type: 'add', member };
}

function entryOf(index: number, change: MembershipChange): Entry {
  const data = encodeConfChange(confChangeRecord(BigInt(100 + index), change));
  return { type: 'confChange', term: 1, index, data };
}

/** Three voters and n4, who learns. */
const LOG: readonly Entry[] = [
  ...VOTERS.map((id, at) => entryOf(at + 1, addition(id, false))),
  entryOf(4, addition(4n, true)),
];

function knowing(): { readonly oracle: Oracle; readonly watch: MembershipWatch } {
  const oracle = new Oracle();
  for (const entry of LOG) oracle.commit(entry);
  return { oracle, watch: new MembershipWatch(oracle) };
}

/** One that has applied all of it, and counts whom raft should. */
function sound(): Crafted {
  const crafted = craft({ id: 1n, entries: LOG, commit: LOG.length, applied: LOG });
  crafted.core.log.takeCommitted(Number.POSITIVE_INFINITY);
  crafted.core.log.appliedTo(LOG.length);
  crafted.core.conf = simpleConf(VOTERS, [4n]);
  return crafted;
}

describe('after every step', () => {
  test('a member that knows what the log says is left in peace', () => {
    const { watch } = knowing();
    expect(watch.difference(1n, sound().member)).toBeUndefined();
  });

  test.each([
    ['counts a voter too few', simpleConf([1n, 2n], [4n])],
    ['counts the learner', simpleConf([...VOTERS, 4n])],
    ['has lost the learner', simpleConf(VOTERS)],
  ])('a member that %s is found', (_, conf) => {
    const { watch } = knowing();
    const { core, member } = sound();
    expect(watch.difference(1n, member)).toBeUndefined();
    core.conf = conf;
    expect(watch.difference(1n, member)).toContain('the model says');
  });

  test('a table that lacks what the log has just changed is found', () => {
    const { oracle, watch } = knowing();
    const { core, machine, member } = sound();
    expect(watch.difference(1n, member)).toBeUndefined();
    const update = { type: 'update', id: 2n, peerUrls: ['http://elsewhere'] } as const;
    const entry = entryOf(5, update);
    oracle.commit(entry);
    machine.apply(put(1, 5, 'no change at all'), { tick: 0, conf: core.conf });
    core.log.append(entry);
    core.log.commitTo(5);
    core.log.takeCommitted(Number.POSITIVE_INFINITY);
    core.log.appliedTo(5);
    expect(watch.difference(1n, member)).toContain('the model says');
  });

  test('a new life is looked at anew', () => {
    const { watch } = knowing();
    expect(watch.difference(1n, sound().member)).toBeUndefined();
    const { machine, member } = sound();
    machine.membership.remove(2n);
    watch.restarted(1n);
    expect(watch.difference(1n, member)).toContain('removed 2');
  });

  test('so is a checkpoint', () => {
    const { watch } = knowing();
    const { core, member } = sound();
    core.snapshot = { index: 4, term: 1, confState: simpleConf(VOTERS, [4n]) };
    expect(watch.difference(1n, member)).toBeUndefined();
    core.snapshot = { index: 4, term: 1, confState: simpleConf([]) };
    expect(watch.difference(1n, member)).toContain('in the checkpoint of index 4');
    core.snapshot = { index: 3, term: 1, confState: simpleConf(VOTERS) };
    expect(watch.difference(1n, member)).toBeUndefined();
  });
});

describe('a promotion', () => {
  const promotion = entryOf(5, { type: 'promote', id: 4n });

  /** A leader of a log of twenty, of which the learner has so much. */
  function promotes(match: number): string | undefined {
    const { watch } = knowing();
    const rest = Array.from({ length: 15 }, (_, at) => put(1, at + 5, 'x'));
    const leader = craft({ id: 1n, entries: [...LOG, ...rest] });
    leader.core.conf = simpleConf(VOTERS, [4n]);
    makeLeader(leader);
    const { role } = leader.core;
    if (role.type !== 'leader') throw new Error('it leads');
    role.progress.get(4n)!.match = match;
    watch.noteReady(leader.core);
    return watch.appended(promotion);
  }

  test('of a learner far behind is found', () => {
    expect(promotes(0)).toContain('less than nine tenths');
    expect(promotes(16)).toContain('less than nine tenths');
  });

  test('of one that has caught up is not', () => {
    expect(promotes(19)).toBeUndefined();
  });
});

test('a candidate under a membership that its own log has replaced', () => {
  const contact = new LeaderContact({ heartbeatMs: 100, electionMs: 1_000 });
  const leases = new LeasePromises(() => 0);
  const invariants = new SimInvariants(new Oracle(), (id) => `n${id}`, { contact, leases });
  const { core, member } = craft({ id: 1n, entries: LOG, commit: LOG.length });
  invariants.afterStep(1n, member);
  becomeCandidate(core);
  let found: unknown;
  try {
    invariants.afterStep(1n, member);
  } catch (error) {
    found = error;
  }
  expect(found).toBeInstanceOf(Broken);
  expect((found as Broken).property).toBe('stands by its membership');
});
