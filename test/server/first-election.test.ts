import { describe, expect, test } from 'vitest';
import type { MemberId } from '../../src/lib/ids.ts';
import { timingOf } from '../../src/member/timing.ts';
import { bringElectionForward } from '../../src/server/first-election.ts';
import { ManualClock } from '../support/manual-clock.ts';

const TIMING = timingOf(100, 1_000);
const { electionTicks, heartbeatTicks } = TIMING;

/** A member of so many, connected to those in `connected`. */
function memberOf(voters: number, connected: Set<MemberId> = new Set()) {
  const ids = Array.from({ length: voters }, (_, at) => BigInt(at + 1));
  const skipped: number[] = [];
  let leader: MemberId | undefined;
  return {
    skipped,
    lead: (id: MemberId) => {
      leader = id;
    },
    members: () =>
      ids.map((id) => ({ id, name: '', peerUrls: [], clientUrls: [], isLearner: false })),
    status: () => ({ leader }) as never,
    isConnectedFor: (id: MemberId) => id === 1n || connected.has(id),
    skipElectionTicks: (ticks: number) => void skipped.push(ticks),
  };
}

describe('the first election of a start', () => {
  test('comes at once for a member alone, wanted or not', () => {
    const member = memberOf(1);
    bringElectionForward(member, new ManualClock(), { timing: TIMING, isWanted: false });
    expect(member.skipped).toEqual([electionTicks - heartbeatTicks]);
  });

  test('waits for a majority, then leaves a leader two heartbeats to be heard', async () => {
    const [clock, connected] = [new ManualClock(), new Set<MemberId>()];
    const member = memberOf(3, connected);
    bringElectionForward(member, clock, { timing: TIMING, isWanted: true });
    await clock.pass(500);
    expect(member.skipped).toEqual([]);
    connected.add(2n);
    await clock.pass(500);
    expect(member.skipped).toEqual([electionTicks - 2 * heartbeatTicks]);
  });

  test('is left alone where a leader is known, nobody answers, or it is not wanted', async () => {
    const clock = new ManualClock();
    const [led, lonely, calm] = [
      memberOf(3, new Set([2n])),
      memberOf(3),
      memberOf(3, new Set([2n])),
    ];
    led.lead(2n);
    bringElectionForward(led, clock, { timing: TIMING, isWanted: true });
    bringElectionForward(lonely, clock, { timing: TIMING, isWanted: true });
    bringElectionForward(calm, clock, { timing: TIMING, isWanted: false });
    await clock.pass(20_000);
    expect([led.skipped, lonely.skipped, calm.skipped]).toEqual([[], [], []]);
  });
});
