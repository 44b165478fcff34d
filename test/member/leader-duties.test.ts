import { describe, expect, test } from 'vitest';
import { type AutoCompaction, CompactionSchedule } from '../../src/member/auto-compaction.ts';
import type { MemberConfig } from '../../src/member/config.ts';
import { LeaderDuties } from '../../src/member/leader-duties.ts';
import { type ReplicatedState, stateOf } from '../../src/member/replicated-state.ts';
import { timingOf } from '../../src/member/timing.ts';
import { STATE_OPTIONS } from '../service/fake-node.ts';

/** 100 ms a tick, as the states of these tests count. */
const TICK_MS = 100;
const OFF: AutoCompaction = { mode: 'off' };

function dutiesOf(compaction: AutoCompaction): LeaderDuties {
  const timing = timingOf(10 * TICK_MS, 100 * TICK_MS);
  return new LeaderDuties({ timing, compaction } as MemberConfig);
}

function stateAtVersion(clusterVersion = '3.6.0'): ReplicatedState {
  return Object.assign(stateOf(undefined, STATE_OPTIONS), { clusterVersion });
}

describe('a leader', () => {
  test('asks for revokes of what has expired, every half a second', () => {
    const [duties, state] = [dutiesOf(OFF), stateAtVersion()];
    state.lessor.promote(0, 0);
    state.lessor.grant(7n, 2, 0);
    state.lessor.grant(8n, 60, 0);
    const asked = Array.from({ length: 40 }, (_, tick) => duties.due(tick, state));
    expect(asked.flat()).toEqual([{ type: 'leaseRevoke', id: 7n }]);
    const tick = asked.findIndex((requests) => requests.length > 0);
    expect(tick).toBeGreaterThanOrEqual(20);
    expect(tick).toBeLessThan(26);
  });

  test('notes what remains of long leases', () => {
    const [duties, state] = [dutiesOf(OFF), stateAtVersion()];
    state.lessor.promote(0, 0);
    state.lessor.grant(8n, 1_000, 0);
    const asked = Array.from({ length: 5_100 }, (_, tick) => duties.due(tick, state)).flat();
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ type: 'leaseCheckpoint', checkpoints: [{ id: 8n }] });
  });

  test('says the version until everybody knows it, at intervals', () => {
    const [duties, state] = [dutiesOf(OFF), stateAtVersion('')];
    const asked = Array.from({ length: 10 }, (_, tick) => duties.due(tick, state).length);
    expect(asked).toEqual([1, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
    expect(duties.due(10, state)).toEqual([{ type: 'clusterVersion', version: '3.6.0' }]);
    state.clusterVersion = '3.6.0';
    expect(duties.due(15, state)).toEqual([]);
  });

  test('that was none meanwhile starts to count afresh', () => {
    const duties = dutiesOf({ mode: 'revision', keep: 1 });
    const state = stateAtVersion();
    const fiveMinutes = 300_000 / TICK_MS;
    Object.defineProperty(state.store, 'revision', { value: 100 });
    expect(duties.due(0, state)).toEqual([]);
    expect(duties.due(fiveMinutes, state)).toEqual([]);
    for (let tick = fiveMinutes + 1; tick < 2 * fiveMinutes; tick++) {
      expect(duties.due(tick, state)).toEqual([]);
    }
    expect(duties.due(2 * fiveMinutes, state)).toEqual([
      { type: 'compaction', revision: 99, physical: false },
    ]);
  });
});

describe('automatic compaction', () => {
  const MINUTE = 60_000 / TICK_MS;

  /** Minutes at which it is asked for, with its revision; the store makes `perMinute` a minute. */
  function run(config: AutoCompaction, minutes: number, perMinute: number): [number, number][] {
    const schedule = new CompactionSchedule(config, TICK_MS);
    const asked: [number, number][] = [];
    let compacted = 0;
    for (let tick = 0; tick <= minutes * MINUTE; tick++) {
      const now = 1 + Math.floor((tick * perMinute) / MINUTE);
      const revision = schedule.due(tick, now, compacted);
      if (revision === undefined) continue;
      asked.push([tick / MINUTE, revision]);
      compacted = revision;
    }
    return asked;
  }

  test('by revisions: every five minutes, all but the newest', () => {
    expect(run({ mode: 'revision', keep: 10 }, 16, 4)).toEqual([
      [5, 11],
      [10, 31],
      [15, 51],
    ]);
  });

  test('by revisions: not where there are no more than are kept', () => {
    expect(run({ mode: 'revision', keep: 1_000 }, 30, 4)).toEqual([]);
  });

  test('periodic: what is older than the period, after a whole one, then every period', () => {
    expect(run({ mode: 'periodic', periodMs: 600_000 }, 31, 1)).toEqual([
      [10, 1],
      [20, 11],
      [30, 21],
    ]);
  });

  test('periodic: a long period is kept to every hour', () => {
    expect(run({ mode: 'periodic', periodMs: 3 * 3_600_000 }, 301, 1)).toEqual([
      [180, 1],
      [240, 61],
      [300, 121],
    ]);
  });

  test('periodic: a store at rest is compacted once', () => {
    expect(run({ mode: 'periodic', periodMs: 600_000 }, 60, 0)).toEqual([[10, 1]]);
  });

  test('off: never', () => {
    expect(run(OFF, 100, 10)).toEqual([]);
  });
});
