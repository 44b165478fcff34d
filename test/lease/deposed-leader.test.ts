import { beforeEach, describe, expect, test } from 'vitest';
import { Lessor } from '../../src/lease/lessor.ts';
import { TestCluster } from '../raft/test-cluster.ts';

/**
 * A leader that is stopped for longer than leases live, while their clients keep them alive at
 * the next: what it does when it goes on, before and after it hears of its successor.
 */

const ELECTION_TICKS = 10;
const TTL_S = 5;
const OPTIONS = { minTtlS: 2, ticksPerS: 10, checkpointIntervalS: 300, leasesMax: 10 };
const REVOKE = 'revoke 7';

let cluster: TestCluster;
let old: number;
let next: number;

/** Ticks the others only: the old leader is stopped, and what is sent to it waits or is lost. */
function runOthers(ticks: number, done: () => boolean = () => false): void {
  const others = [1, 2, 3].filter((id) => id !== old);
  for (let tick = 0; tick < ticks && !done(); tick++) {
    for (const id of others) cluster.tick(id);
    for (let round = 0; round < 10; round++) {
      for (const id of others) {
        cluster.turn(id);
        while (cluster.completeWrite(id)) cluster.turn(id);
      }
      for (let at = cluster.network.length - 1; at >= 0; at--) {
        if (cluster.network[at]!.to !== BigInt(old)) cluster.deliver(at);
      }
    }
  }
}

function appliedRevokes(): number {
  return [1, 2, 3].reduce(
    (count, id) => count + cluster.member(id).state.filter((data) => data === REVOKE).length,
    0,
  );
}

beforeEach(() => {
  cluster = new TestCluster({
    voters: [1, 2, 3],
    config: { electionTimeoutTicks: ELECTION_TICKS },
  });
  cluster.run(200, () => cluster.leader() !== undefined);
  old = Number(cluster.leader()!.id);
  cluster.propose(old, 'grant 7');
  cluster.settle();
  runOthers(200, () => Number(cluster.leader()?.id) !== old);
  next = Number(cluster.leader()!.id);
  expect(next).not.toBe(old);
});

describe('the leader that was stopped', () => {
  test('has its own time stand still, so nothing is expired when it wakes', () => {
    const lessor = new Lessor(OPTIONS);
    lessor.promote(0, ELECTION_TICKS);
    lessor.grant(7n, TTL_S, 0);
    // However long it was: at most two ticks are made up.
    expect(lessor.expired(2, 10)).toEqual([]);
  });

  test('still takes itself for the leader, and its revoke never commits', () => {
    expect(cluster.propose(old, REVOKE)).toBe('appended');
    cluster.settle();
    cluster.run(5 * ELECTION_TICKS);
    expect(cluster.node(old).status().role).toBe('follower');
    cluster.propose(next, 'put');
    cluster.settle();
    expect(cluster.member(old).state).toContain('put');
    expect(appliedRevokes()).toBe(0);
  });

  test('nor does one that others receive before it hears of its successor', () => {
    for (const id of [1, 2, 3]) if (id !== old) cluster.cut.add(`${id}>${old}`);
    expect(cluster.propose(old, REVOKE)).toBe('appended');
    cluster.settle();
    cluster.run(ELECTION_TICKS);
    cluster.heal();
    cluster.run(5 * ELECTION_TICKS);
    expect(appliedRevokes()).toBe(0);
  });

  test('once it follows it must not propose: that would be forwarded, and commit', () => {
    cluster.settle();
    cluster.run(3 * ELECTION_TICKS);
    const leader = Number(cluster.leader()!.id);
    const follower = [1, 2, 3].find((id) => id !== leader)!;
    expect(cluster.propose(follower, REVOKE)).toBe('forwarded');
    cluster.settle();
    cluster.run(3);
    expect(appliedRevokes()).toBe(3);
    // This is why: a lessor that was demoted names nothing.
    const lessor = new Lessor(OPTIONS);
    lessor.promote(0, 0);
    lessor.grant(7n, TTL_S, 0);
    lessor.demote();
    expect(lessor.expired(1_000_000, 10)).toEqual([]);
  });
});
