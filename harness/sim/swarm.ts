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
  type PlannedChange,
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
/** Of the seeds, so many change the membership. */
const CHANGES_PERCENT = 25;
const CHANGES_MAX = 5;
const CHANGE_TYPES = ['add', 'add', 'add-voter', 'remove', 'replace', 'replace'] as const;
const SPARES_MAX = 2;
const DESTROYS: readonly FaultKind[] = ['bit-rot', 'misdirected-write', 'lying-disk'];
/** Of the seeds, so many ask for keys only. */
const PLAIN_PERCENT = 30;
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
  const changesMembers = random.fork('changes').below(100) < CHANGES_PERCENT;
  const possible = choices.faults ?? drawKinds(random, memberCount);
  // With members that come and go nobody can say how many copies may be destroyed.
  const kinds = changesMembers ? possible.filter((kind) => !DESTROYS.includes(kind)) : possible;
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
  const changes = changesMembers
    ? drawChanges(random.fork('changes'), { names, safetyMs, electionMs })
    : [];
  const machines = memberCount + SPARES_MAX;
  return {
    format: SIM_FORMAT,
    code,
    seed,
    memberCount,
    spareCount: changesMembers ? SPARES_MAX : 0,
    heartbeatMs,
    electionMs,
    member: drawMember(random.fork('member')),
    network: drawNetwork(random.fork('network')),
    disk: drawDisk(random.fork('disk')),
    clockDriftPpm: Array.from({ length: machines }, () => random.below(2_001) - 1_000).slice(
      0,
      changesMembers ? machines : memberCount,
    ),
    workload: drawWorkload(random.fork('workload'), electionMs),
    safetyMs,
    schedule,
    changes,
    core: changesMembers ? names : drawCore(random.fork('core'), names),
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
    ...drawUpkeep(random.fork('upkeep')),
  };
}

function drawUpkeep(
  random: Random,
): Pick<
  SimMemberOptions,
  | 'compactEveryMs'
  | 'compactedRowsPerTick'
  | 'leaseCheckpointS'
  | 'watchRowsMax'
  | 'watchFragmentBytes'
  | 'watchProgressMs'
  | 'strictReconfig'
> {
  return {
    compactEveryMs: drawOne(random, [0, 0, 0, 500, 3_000]),
    compactedRowsPerTick: drawOne(random, [1, 10, 2_000]),
    leaseCheckpointS: drawOne(random, [1, 2, 5]),
    watchRowsMax: drawOne(random, [4, 64, 8_192]),
    watchFragmentBytes: drawOne(random, [100, 1_000, 2_097_152]),
    watchProgressMs: drawOne(random, [100, 1_000, 600_000]),
    strictReconfig: random.below(2) === 0,
  };
}

/** One after the other, begun within the first four fifths of the safety phase. */
function drawChanges(
  random: Random,
  {
    names,
    safetyMs,
    electionMs,
  }: { readonly names: readonly string[]; readonly safetyMs: number; readonly electionMs: number },
): PlannedChange[] {
  const count = drawBetween(random, 1, CHANGES_MAX);
  const spares = Array.from({ length: SPARES_MAX }, (_, at) => `n${names.length + at + 1}`);
  const untilMs = Math.max(electionMs + 1, Math.floor(safetyMs * 0.8));
  const starts = Array.from({ length: count }, () => drawBetween(random, electionMs, untilMs));
  return starts
    .sort((a, b) => a - b)
    .map((atMs) => {
      const type = drawOne(random, CHANGE_TYPES);
      const isAddition = type === 'add' || type === 'add-voter';
      return { atMs, type, node: drawOne(random, isAddition ? spares : [...names, ...spares]) };
    });
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
  const registers = drawOne(random, [20, 40, 60]);
  const sets = drawOne(random, [10, 20, 30]);
  const extra = drawExtra(random.fork('extra'));
  const left = 100 - Object.values(extra).reduce((sum, percent) => sum + percent, 0);
  const registerPercent = Math.floor((registers * left) / 100);
  const setPercent = Math.floor((sets * left) / 100);
  return {
    concurrency: drawBetween(random, 4, 16) + Object.values(extra).filter(Boolean).length,
    ratePerSecond: drawOne(random, [5, 15, 30, 60, 120, 250]),
    opTimeoutMs: Math.max(200, Math.round(electionMs * drawOne(random, [0.5, 1.5, 4]))),
    burstMs: drawBetween(random, 50, 1_000),
    restMs: random.below(2) === 0 ? 0 : drawBetween(random, 100, 3_000),
    registerPercent,
    setPercent,
    kvPercent: left - registerPercent - setPercent,
    ...extra,
    keys: drawOne(random, [2, 4, 8, 16]),
  };
}

type Extra = Pick<
  SimWorkloadOptions,
  'leasePercent' | 'lockPercent' | 'watchPercent' | 'upkeepPercent' | 'authPercent'
>;

/** None of it in a part of the seeds; a little of some in the others. */
function drawExtra(random: Random): Extra {
  const isPlain = random.below(100) < PLAIN_PERCENT;
  const draw = (percent: number, shares: readonly number[]): number => {
    const [isDrawn, share] = [random.below(100) < percent, drawOne(random, shares)];
    return isDrawn && !isPlain ? share : 0;
  };
  return {
    leasePercent: draw(45, [5, 10, 20]),
    lockPercent: draw(30, [5, 10]),
    watchPercent: draw(50, [5, 10, 20]),
    upkeepPercent: draw(40, [1, 3, 8]),
    authPercent: draw(20, [5, 15]),
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
