/** A small plan on a good machine, of which a test says what matters to it. */

import type { FaultKind } from '../../harness/nemesis/fault.ts';
import { drawSchedule } from '../../harness/nemesis/schedule.ts';
import { nodeNames } from '../../harness/plan.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { SIM_FORMAT, type SimPlan } from '../../harness/sim/plan.ts';

const HEARTBEAT_MS = 20;
const ELECTION_MS = 100;

export interface ShortPlanOptions extends Partial<SimPlan> {
  readonly faults?: readonly FaultKind[];
}

export function shortPlan({ faults = [], ...overrides }: ShortPlanOptions = {}): SimPlan {
  const { seed = 1, memberCount = 3, safetyMs = 2_000, electionMs = ELECTION_MS } = overrides;
  const names = nodeNames(memberCount);
  return {
    format: SIM_FORMAT,
    code: 'test',
    seed,
    memberCount,
    spareCount: 0,
    heartbeatMs: HEARTBEAT_MS,
    electionMs,
    member: {
      snapshotCount: 50,
      catchupEntries: 5,
      segmentBytesMax: 16_384,
      maxMessageBytes: 4_096,
      maxInflightMessages: 16,
      maxCommittedBytesPerTurn: 4_096,
      maxUncommittedBytes: 268_435_456,
      compactEveryMs: 0,
      compactedRowsPerTick: 10,
      leaseCheckpointS: 2,
      watchRowsMax: 64,
      watchFragmentBytes: 1_000,
      watchProgressMs: 500,
      watchUntakenMax: 8,
      checkpointChunkBytes: 262_144,
      rangeKeysPerTurn: 1_000,
      pauseUs: 10,
      strictReconfig: false,
      quotaBytes: 0,
    },
    network: { latencyUs: [100, 500], clientLatencyUs: [20, 50], encodes: false },
    disk: {
      writeUs: [1, 5],
      syncUs: [300, 900],
      processKillPercent: 50,
      snapshotCrashPercent: 0,
    },
    clockDriftPpm: names.map((_, at) => at * 100 - 100),
    workload: {
      concurrency: 6,
      ratePerSecond: 60,
      opTimeoutMs: 300,
      registerPercent: 40,
      setPercent: 20,
      kvPercent: 40,
      leasePercent: 0,
      lockPercent: 0,
      watchPercent: 0,
      upkeepPercent: 0,
      authPercent: 0,
      alarmPercent: 0,
      electionPercent: 0,
      keys: 4,
      burstMs: 1_000,
      restMs: 0,
    },
    safetyMs,
    schedule: drawSchedule(
      {
        nodes: names,
        kinds: faults,
        timeLimitMs: safetyMs,
        electionMs,
        density: { marginMs: 2 * electionMs, slotElections: 5 },
      },
      seededRandom(seed).fork('schedule'),
    ),
    changes: [],
    core: names,
    ...overrides,
  };
}
