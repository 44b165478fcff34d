/**
 * What a fault of a plan file may say about itself. Nobody lists it: a fault's package draws its
 * parameters, and what it draws, drawn often enough, shows their names, types and values. So a new
 * kind of fault can be written by hand without a line here.
 */
import { assert } from '../../src/lib/assert.ts';
import { ok, type Result } from '../../src/lib/result.ts';
import type { Random } from '../../src/ports/random.ts';
import type { FaultKind, FaultSpec } from '../nemesis/fault.ts';
import { FAULT_PACKAGES } from '../nemesis/packages.ts';
import { SEED_BOUND, seededRandom } from '../seeded-random.ts';
import { checkValue, type Parameter } from './values.ts';

export type Values = { readonly [field: string]: unknown };

/** Of one kind of fault, in a cluster of these members. */
export interface Shape {
  readonly kind: FaultKind;
  readonly members: readonly string[];
  readonly parameters: ReadonlyMap<string, Parameter>;
  readonly samples: readonly Values[];
}

/** Chances to miss a value that one draw in twenty has: 1 in 10 ^ 8. */
const SAMPLES = 400;
/** Draws until one fits what was written. */
const DRAWS_MAX = 400;
/** Above what anybody wants: an hour. */
const MS_MAX = 3_600_000;

export function shapeOf(kind: FaultKind, members: readonly string[]): Shape {
  const random = seededRandom(0).fork(kind);
  const samples = Array.from({ length: SAMPLES }, () => drawOf(kind, members, random));
  const names = new Set(samples.flatMap((sample) => Object.keys(sample)));
  names.delete('kind');
  const parameters = new Map<string, Parameter>();
  for (const name of names) {
    const seen = samples.map((sample) => sample[name]).filter((value) => value !== undefined);
    const parameter = parameterOf(name, seen, members);
    if (parameter !== undefined) parameters.set(name, parameter);
  }
  return { kind, members, parameters, samples };
}

/** Whether `given` can be what the fault does; otherwise the field and what it may hold. */
export function checkGiven(
  place: string,
  { parameters, members, samples }: Shape,
  given: Values,
): Result<undefined, string> {
  for (const [name, value] of Object.entries(given)) {
    const parameter = parameters.get(name);
    assert(parameter !== undefined, 'names were checked');
    const checked = checkValue(`${place}.${name}`, parameter, value, members);
    if (!checked.ok) return checked;
  }
  const words = Object.keys(given).filter((name) => isWord(parameters.get(name), members));
  const [first, second] = words.flatMap((one, at) =>
    words
      .slice(at + 1)
      .flatMap((other) => (goTogether(samples, given, one, other) ? [] : [one, other])),
  );
  if (first === undefined || second === undefined) return ok(undefined);
  const fitting = samples.filter((sample) => sample[first] === given[first]);
  const allowed = [...new Set(fitting.map((sample) => String(sample[second])))].join(', ');
  const pair = `not with ${first}: ${given[first]}`;
  return { ok: false, error: `${place}.${second}: ${given[second]}: ${pair}; use ${allowed}` };
}

/** The fault with `given`, and the rest drawn. `given` was checked. */
export function fillIn(shape: Shape, given: Values, random: Random): FaultSpec {
  const words = [...shape.parameters].filter(([, each]) => isWord(each, shape.members));
  for (let at = 0; ; at++) {
    const drawn = drawOf(shape.kind, shape.members, random);
    const filled: Values = { ...drawn, ...given };
    const fits = words.every(([one]) =>
      words.every(([other]) => goTogether(shape.samples, filled, one, other)),
    );
    // As a field of the plan's JSON it has been looked at one by one.
    if (fits || at >= DRAWS_MAX) return withinDelay(filled, given) as unknown as FaultSpec;
  }
}

/** Jitter that was drawn for another delay may be more than this one. */
function withinDelay(filled: Values, given: Values): Values {
  const { delayMs, jitterMs } = filled;
  if (given.jitterMs !== undefined || typeof delayMs !== 'number') return filled;
  if (typeof jitterMs !== 'number') return filled;
  return { ...filled, jitterMs: Math.min(jitterMs, Math.floor(delayMs / 2)) };
}

function drawOf(kind: FaultKind, members: readonly string[], random: Random): Values {
  return FAULT_PACKAGES[kind].plan(members, random) as unknown as Values;
}

/** One of few words, which another parameter may rule out. */
function isWord(parameter: Parameter | undefined, members: readonly string[]): boolean {
  return parameter?.type === 'choice' && !parameter.values.some((each) => members.includes(each));
}

function goTogether(
  samples: readonly Values[],
  given: Values,
  one: string,
  other: string,
): boolean {
  return samples.some((sample) => sample[one] === given[one] && sample[other] === given[other]);
}

/** Undefined: of no type that could be written, or always the same. */
function parameterOf(
  name: string,
  seen: readonly unknown[],
  members: readonly string[],
): Parameter | undefined {
  if (seen.every((value) => typeof value === 'number')) return numberOf(name, seen);
  if (seen.every((value) => typeof value === 'string')) {
    const words = new Set(seen);
    const isMember = members.some((member) => words.has(member));
    const values = isMember ? [...new Set([...members, ...words])] : [...words].sort();
    return { type: 'choice', values };
  }
  if (seen.every((value) => typeof value === 'boolean')) {
    return new Set(seen).size === 2 ? { type: 'boolean' } : undefined;
  }
  if (seen.every((value) => isListOf(value, (each) => members.includes(each as string)))) {
    const lengths = (seen as readonly unknown[][]).map(({ length }) => length);
    return { type: 'members', least: Math.min(...lengths), most: Math.max(...lengths) };
  }
  if (seen.every((value) => isListOf(value, Array.isArray))) return { type: 'sides' };
  return name === 'grudge' ? { type: 'grudge' } : undefined;
}

function numberOf(name: string, seen: readonly number[]): Parameter {
  const [least, most] = [Math.min(...seen), Math.max(...seen)];
  if (name === 'seed') return { type: 'number', least: 0, most: SEED_BOUND - 1 };
  const unitMost = name.endsWith('Percent') ? 100 : name.endsWith('Ms') ? MS_MAX : 1e9;
  const top = Math.max(unitMost, most);
  return {
    type: 'number',
    least: least < 0 ? Math.min(least, -unitMost / 2) : Math.min(1, least),
    most: top,
  };
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem);
}
