import { err, ok, type Result } from '../../lib/result.ts';
import {
  FAILPOINT_NAMES,
  type FailpointName,
  type FailpointReturn,
  type Failpoints,
  isFailpointName,
} from '../../ports/failpoints.ts';
import {
  carryOut,
  type FailpointEffects,
  parseAssignments,
  parseTerms,
  type Terms,
} from './terms.ts';

/** Why a request about a failpoint cannot be carried out. */
export interface FailpointProblem {
  readonly kind: 'unknown' | 'disabled' | 'bad terms';
  /** One line. */
  readonly message: string;
}

/** The failpoints of a process and what is set at each. */
export class FailpointRegistry implements Failpoints {
  readonly #set = new Map<FailpointName, Terms>();
  readonly #effects: FailpointEffects;

  constructor(effects: FailpointEffects) {
    this.#effects = effects;
  }

  isSet(name: FailpointName): boolean {
    return this.#set.has(name);
  }

  hit(name: FailpointName): FailpointReturn | undefined {
    const action = this.#set.get(name)?.next(this.#effects.chance);
    return action === undefined ? undefined : carryOut(name, action, this.#effects);
  }

  /** Replaces what was set there; counting starts anew. */
  enable(name: string, terms: string): Result<undefined, FailpointProblem> {
    return this.enableAll([[name, terms]]);
  }

  /** `name=terms;name=terms`: all of them, or none if one cannot be set. */
  enableAssigned(text: string): Result<undefined, FailpointProblem> {
    const parsed = parseAssignments(text);
    if (!parsed.ok) return err({ kind: 'bad terms', message: parsed.error });
    return this.enableAll(parsed.value);
  }

  enableAll(wanted: readonly (readonly [string, string])[]): Result<undefined, FailpointProblem> {
    const all: [FailpointName, Terms][] = [];
    for (const [name, text] of wanted) {
      if (!isFailpointName(name)) return err(unknown(name));
      const terms = parseTerms(text);
      if (!terms.ok) return err({ kind: 'bad terms', message: `${name}: ${terms.error}` });
      all.push([name, terms.value]);
    }
    for (const [name, terms] of all) this.#set.set(name, terms);
    return ok(undefined);
  }

  disable(name: string): Result<undefined, FailpointProblem> {
    const found = this.#find(name);
    if (!found.ok) return found;
    this.#set.delete(name as FailpointName);
    return ok(undefined);
  }

  /** What is set there, and at how many hits it did something. */
  status(
    name: string,
  ): Result<{ readonly terms: string; readonly count: number }, FailpointProblem> {
    const found = this.#find(name);
    return found.ok ? ok({ terms: found.value.text, count: found.value.count }) : found;
  }

  /** Every name with what is set there, empty: nothing. */
  list(): readonly (readonly [FailpointName, string])[] {
    return FAILPOINT_NAMES.map((name) => [name, this.#set.get(name)?.text ?? ''] as const);
  }

  #find(name: string): Result<Terms, FailpointProblem> {
    if (!isFailpointName(name)) return err(unknown(name));
    const terms = this.#set.get(name);
    if (terms !== undefined) return ok(terms);
    return err({ kind: 'disabled', message: `nothing is set at ${name}` });
  }
}

function unknown(name: string): FailpointProblem {
  return { kind: 'unknown', message: `there is no failpoint ${JSON.stringify(name)}` };
}
