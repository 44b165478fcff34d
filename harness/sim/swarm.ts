/**
 * The swarm: a seed draws the whole configuration, not only the faults. Settings that nobody
 * would choose meet each other; what one hides another shows.
 */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween, drawOne, drawOrder } from '../draw.ts';
import { type FaultKind, type FaultSpec, LEADER } from '../nemesis/fault.ts';
import { SIM_FAULT_KINDS } from '../nemesis/packages.ts';
import { drawSchedule, type PlannedFault } from '../nemesis/schedule.ts';
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
const CHANGES_PERCENT = 35;
const CHANGES_MAX = 6;
/** By how often. */
const CHANGES = [
  ...(['add', 'add', 'add-learner', 'add-learner', 'add-voter', 'remove'] as const),
  ...(['replace', 'replace', 'replace', 'update', 'clash'] as const),
];
const SPARES_MAX = 2;
const DESTROYS: readonly FaultKind[] = ['bit-rot', 'misdirected-write', 'lying-disk'];
/** Of the seeds, so many ask for keys only. */
const PLAIN_PERCENT = 30;
/** Of the others, so many have alarms. */
const ALARM_PERCENT = 18;
/** Of those, so many have elections. */
const ELECTION_PERCENT = 25;
/** Of the seeds with leases, so many suspend leaders for longer than short ones live. */
const LONG_PAUSES_PERCENT = 30;
/** All that is drawn besides keys has so many per cent of the operations at most. */
const EXTRA_PERCENT_MAX = 85;
/** More often than not nothing reaches the limit. */
const UNCOMMITTED_BYTES = [268_435_456, 268_435_456, 268_435_456];
/** An empty store counts so many pages, as the server says (src/mvcc/store.ts). */
const EMPTY_PAGES = 13;
const PAGE_BYTES = 4_096;
const RATES_PER_SECOND = [5, 15, 30, 60, 120, 250];
/** With such a share of users and alarms: much has to come together before they matter at all. */
const BUSY = { percent: 25, threads: 8, ratePerSecond: 80 };
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
  const reachesSpares = changesMembers && random.fork('spares').below(2) === 0;
  const schedule = drawSchedule(
    {
      nodes: reachesSpares ? nodeNames(memberCount + SPARES_MAX) : names,
      kinds,
      timeLimitMs: safetyMs,
      electionMs,
      density: { marginMs: electionMs, slotElections },
    },
    random.fork('schedule'),
  );
  const changes = changesMembers
    ? drawChanges(random.fork('changes'), { names, safetyMs, electionMs, schedule })
    : [];
  const machines = memberCount + SPARES_MAX;
  const workload = drawWorkload(random.fork('workload'), electionMs);
  const { faults } = choices;
  const pausing: Pausing = { memberCount, safetyMs, electionMs, workload, faults };
  return {
    format: SIM_FORMAT,
    code,
    seed,
    memberCount,
    spareCount: changesMembers ? SPARES_MAX : 0,
    heartbeatMs,
    electionMs,
    member: {
      ...drawMember(random.fork('member')),
      quotaBytes: workload.alarmPercent > 0 ? drawQuota(random.fork('quota')) : 0,
    },
    network: drawNetwork(random.fork('network')),
    disk: drawDisk(random.fork('disk')),
    clockDriftPpm: Array.from({ length: machines }, () => random.below(2_001) - 1_000).slice(
      0,
      changesMembers ? machines : memberCount,
    ),
    workload,
    safetyMs,
    schedule: drawLongPauses(random.fork('long-pauses'), pausing) ?? schedule,
    changes,
    core: changesMembers ? names : drawCore(random.fork('core'), names),
  };
}

interface Pausing {
  readonly memberCount: number;
  readonly safetyMs: number;
  readonly electionMs: number;
  readonly workload: SimWorkloadOptions;
  readonly faults: readonly FaultKind[] | undefined;
}

/** Instead of the schedule; undefined: the seed keeps it. */
function drawLongPauses(
  random: Random,
  { memberCount, safetyMs, electionMs, workload, faults }: Pausing,
): PlannedFault[] | undefined {
  const { leasePercent, lockPercent, electionPercent } = workload;
  const isDrawn = random.below(100) < LONG_PAUSES_PERCENT;
  if (!isDrawn || leasePercent + lockPercent + electionPercent === 0) return undefined;
  if (memberCount < 3 || faults !== undefined) return undefined;
  const shortestMs = Math.ceil((1.5 * electionMs) / 1_000) * 1_000;
  const pauses: Omit<PlannedFault, 'id'>[] = [];
  let startMs = electionMs;
  for (;;) {
    // An election, a lease with an election on top, and its revoke.
    const durationMs = 3 * electionMs + shortestMs + drawBetween(random, 600, 600 + shortestMs);
    // Cut off as well, and for longer, it does not hear who leads when it goes on.
    const cutMs = random.below(2) * (durationMs + 3 * electionMs);
    const endMs = startMs + Math.max(durationMs, cutMs) + PAUSE_DELAY_MS;
    if (endMs > safetyMs) break;
    if (cutMs > 0) pauses.push({ startMs, durationMs: cutMs, spec: CUT_LEADER });
    pauses.push({ startMs: startMs + PAUSE_DELAY_MS, durationMs, spec: PAUSED_LEADER });
    startMs = endMs + electionMs * drawBetween(random, 1, 4);
  }
  return pauses.length > 0 ? pauses.map((pause, at) => ({ id: at + 1, ...pause })) : undefined;
}

/** Short of an election: the leader that is cut off is the one that is suspended. */
const PAUSE_DELAY_MS = 10;
const CUT_LEADER: FaultSpec = { kind: 'partition-leader', node: LEADER };
const PAUSED_LEADER: FaultSpec = { kind: 'pause', node: LEADER };

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

function drawMember(random: Random): Omit<SimMemberOptions, 'quotaBytes'> {
  const snapshotCount = drawOne(random, [5, 10, 20, 20, 50, 50, 200, 1_000, 100_000]);
  return {
    snapshotCount,
    catchupEntries: drawOne(random, [1, 1, 5, 20]),
    segmentBytesMax: drawOne(random, [4_096, 16_384, 65_536, 1_048_576]),
    maxMessageBytes: drawOne(random, [64, 512, 4_096, 1_048_576]),
    maxInflightMessages: drawOne(random, [1, 2, 16, 512]),
    maxCommittedBytesPerTurn: drawOne(random, [64, 4_096, 1_048_576]),
    maxUncommittedBytes: drawOne(random.fork('uncommitted'), [400, 2_000, ...UNCOMMITTED_BYTES]),
    ...drawUpkeep(random.fork('upkeep')),
    ...drawPieces(random.fork('pieces')),
    ...drawWatches(random.fork('watches')),
  };
}

function drawUpkeep(
  random: Random,
): Pick<
  SimMemberOptions,
  'compactEveryMs' | 'compactedRowsPerTick' | 'leaseCheckpointS' | 'strictReconfig'
> {
  return {
    compactEveryMs: drawOne(random, [0, 0, 0, 500, 3_000]),
    compactedRowsPerTick: drawOne(random, [1, 10, 2_000]),
    leaseCheckpointS: drawOne(random, [1, 2, 5]),
    // Strict checks ask for five seconds without a break: more than many runs have.
    strictReconfig: random.below(4) === 0,
  };
}

/** How much of long work is done at a time, and how long others have their turns meanwhile. */
function drawPieces(
  random: Random,
): Pick<SimMemberOptions, 'checkpointChunkBytes' | 'rangeKeysPerTurn' | 'pauseUs'> {
  const isSmall = random.below(2) === 0;
  return {
    checkpointChunkBytes: isSmall ? 4_096 : drawOne(random, [16_384, 262_144]),
    rangeKeysPerTurn: isSmall ? drawOne(random, [2, 32]) : 1_000,
    pauseUs: isSmall ? drawOne(random, [200, 2_000, 20_000]) : 10,
  };
}

/** In a good part of the seeds watchers get little at a time, and hear of progress all the while. */
function drawWatches(
  random: Random,
): Pick<
  SimMemberOptions,
  'watchRowsMax' | 'watchFragmentBytes' | 'watchProgressMs' | 'watchUntakenMax'
> {
  const isTight = random.below(2) === 0;
  return {
    watchRowsMax: isTight ? 4 : drawOne(random, [64, 8_192]),
    watchFragmentBytes: drawOne(random, [100, 1_000, 2_097_152]),
    watchProgressMs: isTight ? 100 : drawOne(random, [100, 1_000, 600_000]),
    watchUntakenMax: isTight ? drawOne(random, [1, 2]) : drawOne(random, [2, 8]),
  };
}

/** For so many pages of rows, after an empty database; in some seeds only hands raise an alarm. */
function drawQuota(random: Random): number {
  const pages = drawOne(random, [0, 2, 5, 5, 15]);
  return pages === 0 ? 0 : (EMPTY_PAGES + pages) * PAGE_BYTES;
}

/**
 * Begun within the first four fifths of the safety phase: at any time, together with the change
 * before, by somebody else, or around a fault, so that it counts who decides.
 */
function drawChanges(
  random: Random,
  {
    names,
    safetyMs,
    electionMs,
    schedule,
  }: {
    readonly names: readonly string[];
    readonly safetyMs: number;
    readonly electionMs: number;
    readonly schedule: readonly PlannedFault[];
  },
): PlannedChange[] {
  const count = drawBetween(random, 1, CHANGES_MAX);
  const spares = Array.from({ length: SPARES_MAX }, (_, at) => `n${names.length + at + 1}`);
  const untilMs = Math.max(electionMs + 1, Math.floor(safetyMs * 0.8));
  const moments = random.fork('moments');
  let beforeMs: number | undefined;
  const starts = Array.from({ length: count }, () => {
    let atMs = drawBetween(random, electionMs, untilMs);
    const when = drawOne(moments, ['any', 'together', 'fault'] as const);
    if (when === 'together' && beforeMs !== undefined) atMs = beforeMs + moments.below(4);
    if (when === 'fault' && schedule.length > 0) {
      const { startMs, durationMs } = drawOne(moments, schedule);
      atMs = startMs - electionMs + moments.below(electionMs + durationMs);
    }
    beforeMs = Math.min(Math.max(atMs, electionMs), untilMs);
    return beforeMs;
  });
  return starts
    .sort((a, b) => a - b)
    .map((atMs) => {
      const type = drawOne(random, CHANGES);
      const isAddition = type.startsWith('add');
      const isOfSpares = isAddition || random.below(4) === 0;
      return { atMs, type, node: drawOne(random, isOfSpares ? spares : names) };
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
    snapshotCrashPercent: drawOne(random.fork('snapshots'), [0, 0, 0, 40, 80]),
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
    concurrency:
      drawBetween(random, 4, 16) + moreClients(extra) + (isBusy(extra) ? BUSY.threads : 0),
    ratePerSecond: Math.max(
      drawOne(random, RATES_PER_SECOND),
      isBusy(extra) ? BUSY.ratePerSecond : 0,
    ),
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

function isBusy({ authPercent, alarmPercent }: Extra): boolean {
  return authPercent + alarmPercent >= BUSY.percent;
}

type Extra = Pick<
  SimWorkloadOptions,
  | 'leasePercent'
  | 'lockPercent'
  | 'watchPercent'
  | 'upkeepPercent'
  | 'authPercent'
  | 'alarmPercent'
  | 'electionPercent'
>;

/** One for each; more where clients wait for each other. */
function moreClients(extra: Extra): number {
  const { leasePercent, lockPercent, electionPercent } = extra;
  const each = Object.values(extra).filter(Boolean).length;
  return (
    each + Math.sign(leasePercent) + 2 * Math.sign(lockPercent) + 2 * Math.sign(electionPercent)
  );
}

/** None of it in a part of the seeds; a little of some in the others. */
function drawExtra(random: Random): Extra {
  const isPlain = random.below(100) < PLAIN_PERCENT;
  const draw = (percent: number, shares: readonly number[]): number => {
    const [isDrawn, share] = [random.below(100) < percent, drawOne(random, shares)];
    return isDrawn && !isPlain ? share : 0;
  };
  const others = {
    leasePercent: draw(45, [5, 10, 20]),
    lockPercent: draw(30, [5, 10]),
    watchPercent: draw(50, [10, 15, 25]),
    upkeepPercent: draw(40, [1, 3, 8]),
  };
  const authPercent = draw(35, [15, 30, 50]);
  const alarmed = random.fork('alarm');
  const isAlarmed = !isPlain && alarmed.below(100) < ALARM_PERCENT;
  const alarmPercent = isAlarmed ? drawOne(alarmed, [10, 25]) : 0;
  const rest = Object.values(others).reduce((sum, percent) => sum + percent, alarmPercent);
  const elections = random.fork('election');
  const isElected = !isPlain && elections.below(100) < ELECTION_PERCENT;
  const drawn = isElected ? drawOne(elections, [5, 10]) : 0;
  const electionPercent = Math.min(drawn, EXTRA_PERCENT_MAX - rest);
  return {
    ...others,
    authPercent: Math.min(authPercent, EXTRA_PERCENT_MAX - rest - electionPercent),
    alarmPercent,
    electionPercent,
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
