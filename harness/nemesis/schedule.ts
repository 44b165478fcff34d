/**
 * Which faults, and when: drawn from the seed before anything runs.
 *
 * The storm is cut into slots of equal width. Each slot gets the next card of a shuffled deck
 * that holds every available kind, so all kinds come before any comes again (kill-all twice:
 * what it may lose is only what was acknowledged moments before it); a third of
 * the slots, and as many as it takes to use up the first deck, get a second card of another
 * family that overlaps the first. A fault that takes long by itself has the slots behind it too.
 * Every fault ends well before its slot, so that the cluster
 * can recover before the next one.
 */
import type { Random } from '../../src/ports/random.ts';
import { drawBetween, drawOrder } from '../draw.ts';
import type { FaultKind, FaultPackage, FaultSpec } from './fault.ts';
import { FAULT_PACKAGES, mayOverlap } from './packages.ts';

/** A fault of the plan: what, and when in ms since the storm began. */
export interface PlannedFault {
  /** Position in the plan, from 1; nemesis ops and fault records are joined by it. */
  readonly id: number;
  readonly startMs: number;
  readonly durationMs: number;
  readonly spec: FaultSpec;
}

export interface ScheduleOptions {
  readonly nodes: readonly string[];
  /** Kinds to use; empty: no faults. */
  readonly kinds: readonly FaultKind[];
  readonly timeLimitMs: number;
  readonly electionMs: number;
  readonly density?: ScheduleDensity;
}

/** How close faults come; by default as real clusters on slow machines need it. */
export interface ScheduleDensity {
  /** Before the first fault, and after the last. */
  readonly marginMs: number;
  /** Width of a slot, in election timeouts. */
  readonly slotElections: number;
}

/**
 * The workload first shows that it works, and ends undisturbed. A slot is long enough for a
 * fault, then time to elect and catch up.
 */
export const SLOT_ELECTIONS = 3.4;
const DENSITY: ScheduleDensity = { marginMs: 2_000, slotElections: SLOT_ELECTIONS };
const SLOTS_MAX = 1_000;
/** Latest end of any fault, as per cent of its slot. */
const ENDS_PERCENT = 80;

/** The fault schedule, by start time. */
export function drawSchedule(options: ScheduleOptions, random: Random): PlannedFault[] {
  const { nodes, kinds, density = DENSITY } = options;
  const { marginMs } = density;
  if (kinds.length === 0) return [];
  const budgetMs = Math.max(0, options.timeLimitMs - 2 * marginMs);
  const wanted = Math.floor(budgetMs / (density.slotElections * options.electionMs));
  const slots = Math.min(SLOTS_MAX, Math.max(1, wanted));
  const slotMs = Math.max(1, Math.floor(budgetMs / slots));
  const deck = new Deck([...kinds, ...kinds.filter((kind) => kind === 'kill-all')], random);
  const faults: PlannedFault[] = [];
  const place = (kind: FaultKind, slot: number, delayPercent: number): void => {
    const startMs = marginMs + slot * slotMs + percentOf(slotMs, delayPercent);
    const slotEndMs = marginMs + slot * slotMs + percentOf(slotMs, ENDS_PERCENT);
    const [least, most] = FAULT_PACKAGES[kind].lastsPercent;
    const lastsMs = percentOf(slotMs, drawBetween(random, least, most));
    const durationMs = Math.max(1, Math.min(lastsMs, slotEndMs - startMs));
    faults.push({ id: 0, startMs, durationMs, spec: FAULT_PACKAGES[kind].plan(nodes, random) });
  };
  for (let slot = 0; slot < slots; slot++) {
    const first = deck.take();
    place(first, slot, drawBetween(random, 0, 8));
    let taken = slotsTaken(first, slotMs);
    const mustOverlap = deck.firstRoundLeft > slots - slot - 1;
    if (mustOverlap || random.below(3) === 0) {
      const second = deck.takeBeside(first);
      if (second !== undefined) {
        place(second, slot, drawBetween(random, 10, 25));
        taken = Math.max(taken, slotsTaken(second, slotMs));
      }
    }
    // The slots behind a fault that takes long stay empty, but for kinds that have to come yet.
    const spareSlots = slots - slot - 1 - deck.firstRoundLeft;
    slot += Math.max(0, Math.min(taken - 1, spareSlots));
  }
  faults.sort((a, b) => a.startMs - b.startMs);
  return faults.map((fault, at) => ({ ...fault, id: at + 1 }));
}

/** At least one. */
function slotsTaken(kind: FaultKind, slotMs: number): number {
  const { takesMs = 0 }: Pick<FaultPackage<FaultKind>, 'takesMs'> = FAULT_PACKAGES[kind];
  return 1 + Math.floor(takesMs / slotMs);
}

function percentOf(whole: number, percent: number): number {
  return Math.round((whole * percent) / 100);
}

/** Cards are kinds; when all are taken they are shuffled again. */
class Deck {
  readonly #kinds: readonly FaultKind[];
  readonly #random: Random;
  #cards: FaultKind[];
  /** Kinds that have not come up at all yet. */
  firstRoundLeft: number;

  constructor(kinds: readonly FaultKind[], random: Random) {
    this.#kinds = kinds;
    this.#random = random;
    this.#cards = drawOrder(random, kinds);
    this.firstRoundLeft = kinds.length;
  }

  take(): FaultKind {
    if (this.#cards.length === 0) this.#cards = drawOrder(this.#random, this.#kinds);
    return this.#takeAt(0);
  }

  /** The next card that may overlap `kind`, if one is left before the next shuffle. */
  takeBeside(kind: FaultKind): FaultKind | undefined {
    const at = this.#cards.findIndex((card) => mayOverlap(card, kind));
    return at < 0 ? undefined : this.#takeAt(at);
  }

  #takeAt(at: number): FaultKind {
    const card = this.#cards[at]!;
    this.#cards.splice(at, 1);
    this.firstRoundLeft = Math.max(0, this.firstRoundLeft - 1);
    return card;
  }
}
