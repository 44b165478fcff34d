/**
 * A scenario file: a plan and what came of it, as JSON. `storm replay FILE` does it again and
 * says whether it was the same. Saved with every failing simulation, before and after shrinking.
 */
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StormError } from '../exit-code.ts';
import type { SimFailure, SimOutcome } from './outcome.ts';
import type { SimPlan } from './plan.ts';
import { whyNoPlan } from './plan-shape.ts';

export const SCENARIO_FORMAT = 'storm-scenario/1';
/** Its name in a run directory. */
export const SCENARIO_FILE = 'scenario.json';

export interface Scenario {
  readonly format: typeof SCENARIO_FORMAT;
  readonly plan: SimPlan;
  readonly traceHash: string;
  /** null: it went well. */
  readonly failure: SimFailure | null;
}

export function scenarioOf(
  plan: SimPlan,
  outcome: Pick<SimOutcome, 'traceHash' | 'failure'>,
): Scenario {
  const { traceHash, failure } = outcome;
  return { format: SCENARIO_FORMAT, plan, traceHash, failure: failure ?? null };
}

/** Writes `<directory>/<name>`, which is returned. Throws {@link StormError}. */
export function saveScenario(directory: string, name: string, scenario: Scenario): string {
  const path = join(directory, name);
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(path, `${JSON.stringify(scenario, null, 1)}\n`);
  } catch (error) {
    throw new StormError(`--runs-dir ${directory}: ${String(error)}`, { cause: error });
  }
  return path;
}

/** The same, for those who have more to say than where it is: a failure must not get lost over it. */
export function trySaving(
  directory: string,
  name: string,
  scenario: Scenario,
): { readonly path: string } | { readonly path: undefined; readonly problem: string } {
  try {
    return { path: saveScenario(directory, name, scenario) };
  } catch (error) {
    if (!(error instanceof StormError)) throw error;
    return { path: undefined, problem: error.message };
  }
}

/** Of a scenario file, or of a run directory that holds one. Throws {@link StormError}. */
export function readScenario(path: string): Scenario {
  const isDirectory = existsSync(path) && statSync(path).isDirectory();
  const file = isDirectory ? join(path, SCENARIO_FILE) : path;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message.replaceAll('\n', ' ') : String(error);
    throw new StormError(
      `${file}: no scenario (${reason}); give a seed, a scenario file or a simulated run`,
    );
  }
  const problem = whyNoScenario(value);
  if (problem === undefined) return value as Scenario;
  throw new StormError(`${file}: ${problem}; restore the file or make it again from its seed`);
}

/** Names the field that is wrong. */
function whyNoScenario(value: unknown): string | undefined {
  if (!isRecord(value) || value.format !== SCENARIO_FORMAT) {
    return `field format: not ${SCENARIO_FORMAT}`;
  }
  if (typeof value.traceHash !== 'string' || !/^[0-9a-f]{16}$/.test(value.traceHash)) {
    return 'field traceHash: no hash';
  }
  if (value.failure !== null && !isRecord(value.failure)) {
    return 'field failure: null or object expected';
  }
  return whyNoPlan(value.plan);
}

function isRecord(value: unknown): value is { readonly [field: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
