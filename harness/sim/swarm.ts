/**
 * The swarm: a seed draws the whole configuration, not only the faults. Settings that nobody
 * would choose meet each other; what one hides another shows.
 */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween, drawOne, drawOrder } from '../draw.ts';
import type { FaultKind } from '../nemesis/fault.ts';
import { SIM_FAULT_KINDS } from '../nemesis/packages.ts';
import { drawSchedule } from '../nemesis/schedule.ts';
import { nodeNames } from '../plan.ts';
import { seededRandom } from '../seeded-random.ts';
import {
  SIM_FORMAT,
  type SimDiskOptions,
  type SimMemberOptions,
  type SimNetworkOptions,
  type SimPlan,
  type SimWorkloadOptions,
} from './plan.ts';

/** What a user may fix; the rest is drawn. */
export interface SwarmChoices {
  readonly memberCount?: number;
  readonly safetyMs?: number;
  readonly faults?: readonly FaultKind[];
}

/** Members, by how often: three and five most. */
const MEMBER_COUNTS = [1, 2, 3, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5, 6, 7];
const HEARTBEATS_MS = [20, 50, 100, 100, 100];

export function drawSimPlan(seed: number, code: string, choices: SwarmChoices = {}): SimPlan {
  const random = seededRandom(seed).fork('swarm');
  const heartbeatMs = drawOne(random, HEARTBEATS_MS);
  const electionMs = heartbeatMs * drawBetween(random, 5, 12);
  const drawnMembers = drawOne(random, MEMBER_COUNTS);
  const memberCount = choices.memberCount ?? drawnMembers;
  const drawnSafetyMs = electionMs * drawBetween(random, 15, 60);
  const slotElections = drawOne(random, [1, 1.5, 2.5, 4, 8]);
  const safetyMs = choices.safetyMs ?? drawnSafetyMs;
  const kinds = choices.faults ?? drawKinds(random, memberCount);
  const names = nodeNames(memberCount);
  const schedule = drawSchedule(
    {
      nodes: names,
      kinds,
      timeLimitMs: safetyMs,
      electionMs,
      density: { marginMs: electionMs, slotElections },
    },
    random.fork('schedule'),
  );
  return {
    format: SIM_FORMAT,
    code,
    seed,
    memberCount,
    heartbeatMs,
    electionMs,
    member: drawMember(random.fork('member')),
    network: drawNetwork(random.fork('network')),
    disk: drawDisk(random.fork('disk')),
    clockDriftPpm: names.map(() => random.below(2_001) - 1_000),
    workload: drawWorkload(random.fork('workload'), electionMs),
    safetyMs,
    schedule,
    core: drawCore(random.fork('core'), names),
  };
}

/** Some runs have nearly all kinds, others dwell on one or two. */
function drawKinds(random: Random, memberCount: number): FaultKind[] {
  const own = random.fork('kinds');
  const possible = SIM_FAULT_KINDS.filter((kind) => {
    const isOfLinks = kind.startsWith('partition') || kind === 'flaky-links';
    return !isOfLinks || memberCount >= (kind === 'partition-ring' ? 3 : 2);
  });
  const percent = drawOne(own, [10, 20, 50, 80]);
  const drawn = possible.filter(() => own.below(100) < percent);
  return drawn.length > 0 ? drawn : [drawOne(own, possible)];
}

function drawMember(random: Random): SimMemberOptions {
  const snapshotCount = drawOne(random, [5, 10, 20, 50, 200, 1_000, 100_000]);
  return {
    snapshotCount,
    catchupEntries: drawOne(random, [1, 1, 5, 20]),
    segmentBytesMax: drawOne(random, [4_096, 16_384, 65_536, 1_048_576]),
    maxMessageBytes: drawOne(random, [64, 512, 4_096, 1_048_576]),
    maxInflightMessages: drawOne(random, [1, 2, 16, 512]),
    maxCommittedBytesPerTurn: drawOne(random, [64, 4_096, 1_048_576]),
  };
}

function drawNetwork(random: Random): SimNetworkOptions {
  const leastUs = drawOne(random, [20, 100, 500, 5_000]);
  return {
    latencyUs: [leastUs, leastUs * drawOne(random, [1, 2, 10])],
    clientLatencyUs: [20, drawOne(random, [50, 500, 5_000])],
    encodes: random.below(4) === 0,
  };
}

function drawDisk(random: Random): SimDiskOptions {
  const syncUs = drawOne(random, [50, 300, 2_000, 10_000]);
  return {
    writeUs: [1, drawOne(random, [5, 50, 500])],
    syncUs: [syncUs, syncUs * drawOne(random, [1, 3, 10])],
    processKillPercent: drawOne(random, [0, 50, 100]),
  };
}

function drawWorkload(random: Random, electionMs: number): SimWorkloadOptions {
  const registerPercent = drawOne(random, [20, 40, 60]);
  const setPercent = drawOne(random, [10, 20, 30]);
  return {
    concurrency: drawBetween(random, 4, 16),
    ratePerSecond: drawOne(random, [5, 15, 30, 60, 120, 250]),
    opTimeoutMs: Math.max(200, Math.round(electionMs * drawOne(random, [0.5, 1.5, 4]))),
    burstMs: drawBetween(random, 50, 1_000),
    restMs: random.below(2) === 0 ? 0 : drawBetween(random, 100, 3_000),
    registerPercent,
    setPercent,
    kvPercent: 100 - registerPercent - setPercent,
    keys: drawOne(random, [2, 4, 8, 16]),
  };
}

/** All of them, or a quorum. */
function drawCore(random: Random, names: readonly string[]): string[] {
  if (random.below(2) === 0) return [...names];
  const quorum = Math.floor(names.length / 2) + 1;
  return drawOrder(random, names)
    .slice(0, drawBetween(random, quorum, names.length))
    .sort();
}
