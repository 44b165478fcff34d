/**
 * What one run of an exploration does, as a pure function of the seed and the run's number. Swarm
 * style: every run leaves most things out, so that what it does, it does often.
 */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween, drawOne, drawOrder } from '../draw.ts';
import type { FaultKind } from '../nemesis/fault.ts';
import { SEED_BOUND, seededRandom } from '../seeded-random.ts';

export const PART_NAMES = [
  'register',
  'set',
  'kv',
  'lease',
  'lock',
  'election',
  'watch',
  'upkeep',
  'auth',
  'alarm',
  'flood',
] as const;

export type PartName = (typeof PART_NAMES)[number];

/** A workload of the run and what it may take. */
export interface Part {
  readonly name: PartName;
  readonly threads: number;
  readonly opsPerSecond: number;
}

/** Numbers that the workloads' generators ask for; what no part of the run needs is not used. */
export interface Shapes {
  readonly keys: number;
  readonly lockNames: number;
  readonly ttlsS: readonly number[];
  readonly patiencesMs: readonly number[];
  readonly watchAsksPercent: number;
  readonly compacts: boolean;
  readonly authChanges: 'drawn' | 'settled';
  readonly flood: {
    readonly count: number;
    readonly valueBytes: number;
    readonly keys: number;
    readonly onMs: number;
    readonly offMs: number;
  };
}

export interface ExploreRun {
  readonly index: number;
  /** Of what is drawn while it runs. */
  readonly seed: number;
  readonly memberCount: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly timeLimitMs: number;
  readonly serverFlags: readonly string[];
  readonly faults: readonly FaultKind[];
  /** Width of the time that a fault gets. */
  readonly slotElections: number;
  readonly parts: readonly Part[];
  readonly shapes: Shapes;
}

/** What a sound store withstands on a backend of real members, however it is combined. */
const HONEST_FAULTS: readonly FaultKind[] = [
  'kill',
  'kill-all',
  'pause',
  'partition-one',
  'partition-leader',
  'partition-halves',
  'partition-one-way',
  'partition-ring',
  'partition-shuffle',
  'partition-grudge',
  'cable-pull',
  'reset-connections',
  'slow-links',
  'lossy-links',
  'thin-links',
  'slow-disk',
  'disk-latency',
  'disk-stall',
  'disk-error',
  'read-only-disk',
  'power-failure',
  'torn-write',
  'bit-rot',
  'misdirected-write',
];

/** Breaks the promise that all others rest on: what is found under it is told apart. */
export const LYING: FaultKind = 'lying-disk';
const LYING_PERCENT = 8;

export const EXPLORED_FAULTS: readonly FaultKind[] = [...HONEST_FAULTS, LYING];

export interface StormLength {
  readonly leastS: number;
  readonly mostS: number;
}

export const STORM_LENGTH: StormLength = { leastS: 10, mostS: 25 };

export function drawRun(
  seed: number,
  index: number,
  { leastS, mostS }: StormLength = STORM_LENGTH,
): ExploreRun {
  const random = seededRandom(seed).fork(`explore ${index}`);
  const electionMs = drawOne(random, [500, 1_000, 1_000, 1_500]);
  const snapshotCount = drawOne(random, [undefined, undefined, 100, 500, 2_000]);
  const timeLimitMs = drawBetween(random, leastS, mostS) * 1_000;
  return {
    index,
    seed: random.below(SEED_BOUND),
    memberCount: drawOne(random, [1, 3, 3, 3, 3, 3, 5]),
    heartbeatMs: electionMs / 10,
    electionMs,
    timeLimitMs,
    serverFlags: snapshotCount === undefined ? [] : [`--snapshot-count=${snapshotCount}`],
    faults: drawFaults(random),
    slotElections: drawOne(random, [3.4, 5, 8]),
    parts: drawParts(random),
    shapes: drawShapes(random),
  };
}

/** Few kinds that come again and again, or many that meet each other; now and then none. */
function drawFaults(random: Random): readonly FaultKind[] {
  const lies = random.below(100) < LYING_PERCENT;
  const count = drawOne(random, [0, 1, 1, 1, 2, 2, 3, 4, 6, 8]);
  const honest = drawOrder(random, HONEST_FAULTS).slice(0, count);
  return lies ? [...honest.slice(0, 2), LYING] : honest;
}

interface PartRule {
  /** How often a run has it. */
  readonly percent: number;
  readonly threads: readonly [least: number, most: number];
  readonly opsPerSecond: readonly number[];
}

const PART_RULES: Readonly<Record<PartName, PartRule>> = {
  register: { percent: 60, threads: [3, 8], opsPerSecond: [20, 100, 300] },
  set: { percent: 50, threads: [1, 3], opsPerSecond: [20, 60] },
  kv: { percent: 60, threads: [1, 6], opsPerSecond: [20, 100, 200] },
  lease: { percent: 30, threads: [2, 5], opsPerSecond: [10, 40] },
  lock: { percent: 35, threads: [3, 8], opsPerSecond: [5, 15, 40] },
  election: { percent: 20, threads: [3, 6], opsPerSecond: [5, 20] },
  watch: { percent: 50, threads: [2, 6], opsPerSecond: [10, 40, 80] },
  upkeep: { percent: 25, threads: [1, 2], opsPerSecond: [1, 4] },
  auth: { percent: 30, threads: [2, 5], opsPerSecond: [20, 60, 100] },
  alarm: { percent: 8, threads: [1, 2], opsPerSecond: [5, 20] },
  flood: { percent: 30, threads: [1, 3], opsPerSecond: [1_000] },
};

function drawParts(random: Random): readonly Part[] {
  const parts = PART_NAMES.flatMap((name): Part[] => {
    const { percent, threads, opsPerSecond } = PART_RULES[name];
    const part = {
      name,
      threads: drawBetween(random, ...threads),
      opsPerSecond: drawOne(random, opsPerSecond),
    };
    return random.below(100) < percent ? [part] : [];
  });
  // There is always something whose answers can be wrong.
  if (parts.some(({ name }) => name !== 'flood' && name !== 'upkeep')) return parts;
  return [{ name: 'register', threads: 4, opsPerSecond: 100 }, ...parts];
}

function drawShapes(random: Random): Shapes {
  return {
    keys: drawOne(random, [3, 9, 30]),
    lockNames: drawOne(random, [1, 1, 2, 3]),
    ttlsS: drawOne(random, [[1], [1, 2], [1, 3, 6], [2, 5, 15]]),
    patiencesMs: drawOne(random, [
      [4_000, 8_000],
      [200, 1_000, 4_000],
      [1_000, 8_000],
    ]),
    watchAsksPercent: drawOne(random, [0, 20, 60]),
    compacts: random.below(3) === 0,
    authChanges: drawOne(random, ['drawn', 'settled', 'settled']),
    flood: {
      count: drawOne(random, [16, 64, 128]),
      valueBytes: drawOne(random, [100, 1_024, 4_096, 4_096, 16_384]),
      keys: drawOne(random, [10, 500]),
      onMs: drawOne(random, [2_000, 4_000, 6_000]),
      offMs: drawOne(random, [500, 2_000, 4_000]),
    },
  };
}
