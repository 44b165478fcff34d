/**
 * A schedule written by hand: `{at, for, fault, …}`, times in seconds since the storm began. What a
 * fault leaves open is drawn from the seed, by the fault's own package.
 */
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { Random } from '../../src/ports/random.ts';
import { drawBetween } from '../draw.ts';
import type { FaultKind } from '../nemesis/fault.ts';
import {
  FAULT_KINDS,
  FAULT_PACKAGES,
  familiesOf,
  isFaultKind,
  mayOverlap,
} from '../nemesis/packages.ts';
import { type PlannedFault, SLOT_ELECTIONS } from '../nemesis/schedule.ts';
import { membersNeeded, nodeNames, type RunOptions } from '../plan.ts';
import { seededRandom } from '../seeded-random.ts';
import { checkGiven, fillIn, shapeOf, type Values } from './parameters.ts';
import { inWords } from './values.ts';

/** As many as a plan that is drawn can have. */
const FAULTS_MAX = 1_000;
const FIELDS = ['at', 'for', 'fault'] as const;

export type Surroundings = Pick<RunOptions, 'seed' | 'memberCount' | 'timeLimitMs' | 'electionMs'>;

/** The kinds in the order of the file, each once: all that can be said before the rest is known. */
export function kindsIn(place: string, value: unknown): Result<FaultKind[], string> {
  if (!Array.isArray(value) || value.length === 0 || value.length > FAULTS_MAX) {
    return err(`${place}: give a list of 1 to ${FAULTS_MAX} faults`);
  }
  const kinds = new Set<FaultKind>();
  for (const [at, entry] of value.entries()) {
    const here = `${place}[${at}]`;
    if (!isObject(entry)) return err(`${here}: ${inWords(entry)}: give at, for and fault`);
    const { fault } = entry;
    if (fault === undefined) return err(`${here}.fault: missing; use ${FAULT_KINDS.join(', ')}`);
    if (typeof fault !== 'string' || !isFaultKind(fault)) {
      const said = inWords(fault);
      return err(`${here}.fault: ${said}: unknown fault; use ${FAULT_KINDS.join(', ')}`);
    }
    kinds.add(fault);
  }
  return ok([...kinds]);
}

/** The whole schedule, by start; `value` has passed {@link kindsIn}. */
export function writtenSchedule(
  place: string,
  value: readonly Values[],
  surroundings: Surroundings,
): Result<PlannedFault[], string> {
  const random = seededRandom(surroundings.seed).fork('plan file');
  const faults: (PlannedFault & { readonly place: string })[] = [];
  for (const [at, entry] of value.entries()) {
    const here = `${place}[${at}]`;
    const fault = plannedFault(here, entry, surroundings, random.fork(String(at)));
    if (!fault.ok) return fault;
    for (const other of faults) {
      if (!collide(fault.value, other)) continue;
      return err(collisionWords(here, fault.value, other));
    }
    faults.push({ ...fault.value, place: here });
  }
  faults.sort((a, b) => a.startMs - b.startMs);
  return ok(faults.map(({ place: _, ...fault }, at) => ({ ...fault, id: at + 1 })));
}

function plannedFault(
  place: string,
  entry: Values,
  { memberCount, timeLimitMs, electionMs }: Surroundings,
  random: Random,
): Result<PlannedFault, string> {
  const { at, for: duration, fault, ...given } = entry;
  const kind = fault as FaultKind;
  const fewest = membersNeeded(kind);
  if (memberCount < fewest) {
    return err(
      `${place}.fault: ${kind}: needs members: ${fewest} or more; there are ${memberCount}`,
    );
  }
  const shape = shapeOf(kind, nodeNames(memberCount));
  const stray = Object.keys(given).find((name) => !shape.parameters.has(name));
  if (stray !== undefined) {
    const names = [...FIELDS, ...shape.parameters.keys()].join(', ');
    return err(`${place}.${stray}: unknown field of ${kind}; use ${names}`);
  }
  const limitS = timeLimitMs / 1000;
  if (!isSeconds(at) || at * 1000 >= timeLimitMs) {
    return err(`${place}.at: ${inWords(at)}: give seconds from 0 to below ${limitS}`);
  }
  if (duration !== undefined && (!isSeconds(duration) || duration < LEAST_S)) {
    return err(`${place}.for: ${inWords(duration)}: give seconds, at least ${LEAST_S}`);
  }
  const checked = checkGiven(place, shape, given);
  if (!checked.ok) return checked;
  const startMs = Math.round(at * 1000);
  const drawnMs = drawDuration(kind, electionMs, random.fork('for'));
  const durationMs = duration === undefined ? drawnMs : Math.round(duration * 1000);
  if (startMs + durationMs > timeLimitMs) {
    const ends = `ends at ${(startMs + durationMs) / 1000} s, after the storm of ${limitS} s`;
    const [field, said] = duration === undefined ? ['at', at] : ['for', duration];
    return err(`${place}.${field}: ${said}: ${ends}; end it by then, or raise time-limit`);
  }
  return ok({ id: 0, startMs, durationMs, spec: fillIn(shape, given, random.fork('parameters')) });
}

/** Shorter faults end before anybody can notice them. */
const LEAST_S = 0.05;

/** As long as in a plan that is drawn. */
function drawDuration(kind: FaultKind, electionMs: number, random: Random): number {
  const [least, most] = FAULT_PACKAGES[kind].lastsPercent;
  return Math.round((SLOT_ELECTIONS * electionMs * drawBetween(random, least, most)) / 100);
}

function collide(one: PlannedFault, other: PlannedFault): boolean {
  if (mayOverlap(one.spec.kind, other.spec.kind)) return false;
  const isAfter = (a: PlannedFault, b: PlannedFault): boolean =>
    a.startMs >= b.startMs + b.durationMs;
  return !isAfter(one, other) && !isAfter(other, one);
}

function collisionWords(
  here: string,
  fault: PlannedFault,
  other: PlannedFault & { readonly place: string },
): string {
  const shared = familiesOf(fault.spec.kind).filter((each) =>
    familiesOf(other.spec.kind).includes(each),
  );
  const [from, to] = [other.startMs / 1000, (other.startMs + other.durationMs) / 1000];
  return (
    `${here}.at: ${fault.startMs / 1000}: ${fault.spec.kind} overlaps ${other.place}` +
    ` (${other.spec.kind}, ${from} to ${to} s) of the same family, ${shared.join(' and ')};` +
    ` begin at ${to} or later, or end by ${from}`
  );
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function isObject(value: unknown): value is Values {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
