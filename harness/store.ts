/**
 * The run directory, `<runs>/<date>-<seed>-<backend>/`, and `<runs>/latest` pointing at it.
 * Saved in three steps, so that whatever dies, what came before stays readable:
 *
 * before   plan.json         the plan (format storm-plan/1): seed, options, fault schedule
 *          environment.json  [{name, value}]: versions, machine, backend and why
 * during   history.jsonl     one op a line, as it happens (checkers/history/op.ts)
 *          samples.jsonl     {type: status | fsync, node, sample}, as it happens (sampler.ts)
 * storm's  faults.json       outcome (format storm-outcome/1): faults, recovery, times, ops
 * end      logs/<node>.log   what the members wrote
 * after    verdict.json      validity, reasons and checks (verdict.ts); made again by `check`
 *          report.html       the report; made again by `check` and `report`
 *          junit.xml         the verdict for CI systems; made again by `check`
 *
 * `data/`-like directories of the members may stand beside them; they belong to the backend.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseOp } from '../checkers/history/jsonl.ts';
import type { Json, Op } from '../checkers/history/op.ts';
import type { FaultRecord } from '../reports/run-record.ts';
import { StormError } from './exit-code.ts';
import { LineFile, readLines } from './line-file.ts';
import { PLAN_FORMAT, type Plan } from './plan.ts';
import type { Recovery } from './recovery.ts';
import type { Sample } from './sampler.ts';
import type { Verdict } from './verdict.ts';

export const OUTCOME_FORMAT = 'storm-outcome/1';

/** What is known when the storm is over; saved as faults.json. */
export interface Outcome {
  readonly format: typeof OUTCOME_FORMAT;
  /** Wall-clock start, ISO 8601. */
  readonly startedAt: string;
  readonly stormEndNs: number;
  readonly endNs: number;
  /** Lines that history.jsonl must have: a shorter one was truncated. */
  readonly historyOps: number;
  readonly historyIsFull: boolean;
  readonly recovery: Recovery;
  readonly faults: readonly FaultRecord[];
}

export type Environment = readonly { readonly name: string; readonly value: string }[];

export const REPORT_FILE = 'report.html';
export const JUNIT_FILE = 'junit.xml';

/** A run's files. Readers throw {@link StormError}, one line naming the file and the fix. */
export class RunDirectory {
  /** Absolute. */
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Makes `<runs>/<name>`, or `<name>-2` and so on when another run has that name, and points
   * `<runs>/latest` at it.
   */
  static create(runsDirectory: string, name: string): RunDirectory {
    const path = makeDirectory(runsDirectory, name);
    try {
      mkdirSync(join(path, 'logs'));
      return new RunDirectory(path);
    } catch (error) {
      throw new StormError(`--runs-dir ${runsDirectory}: ${reason(error)}`, { cause: error });
    }
  }

  /** Of a run that was refused: its members had nothing to say. */
  discardLogs(): void {
    for (const name of readdirSync(this.path)) {
      if (name.endsWith('.log')) unlinkSync(this.file(name));
    }
    this.removeIfEmpty();
  }

  /** Of a run that did not begin: the directory goes, unless there is a log in it or so. */
  removeIfEmpty(): void {
    try {
      for (const entry of readdirSync(this.path, { withFileTypes: true })) {
        if (entry.isDirectory()) rmdirSync(this.file(entry.name));
      }
      rmdirSync(this.path);
      const latest = resolve(this.path, '..', 'latest');
      if (readlinkSync(latest) === basename(this.path)) unlinkSync(latest);
    } catch {
      // Something is in it, or another run has the link: both may stay.
    }
  }

  /** An existing run. */
  static open(path: string): RunDirectory {
    if (!existsSync(join(path, 'plan.json'))) {
      throw new StormError(`run directory ${path}: no plan.json there; give runs/<name>`);
    }
    return new RunDirectory(realpathSync(path));
  }

  get logsDirectory(): string {
    return join(this.path, 'logs');
  }

  file(name: string): string {
    return join(this.path, name);
  }

  savePlan(plan: Plan): void {
    this.#saveJson('plan.json', plan);
  }

  saveEnvironment(environment: Environment): void {
    this.#saveJson('environment.json', environment);
  }

  saveOutcome(outcome: Outcome): void {
    this.#saveJson('faults.json', outcome);
  }

  saveVerdict(verdict: Verdict): void {
    this.#saveJson('verdict.json', verdict);
  }

  /**
   * Replaces the file as a whole: a reader never sees half of it. Throws {@link StormError} when
   * the file system refuses.
   */
  saveText(name: string, text: string): void {
    const temporary = this.file(`${name}.new`);
    try {
      writeFileSync(temporary, text);
      renameSync(temporary, this.file(name));
    } catch (error) {
      throw new StormError(`${this.file(name)}: ${reason(error)}`, { cause: error });
    }
  }

  openHistory(): LineFile {
    return new LineFile(this.file('history.jsonl'));
  }

  openSamples(): LineFile {
    return new LineFile(this.file('samples.jsonl'));
  }

  readPlan(): Plan {
    return this.#readFormat<Plan>('plan.json', PLAN_FORMAT);
  }

  readOutcome(): Outcome {
    if (!existsSync(this.file('faults.json'))) {
      throw new StormError(`${this.path}: no faults.json, the storm was cut off; run it again`);
    }
    return this.#readFormat<Outcome>('faults.json', OUTCOME_FORMAT);
  }

  readEnvironment(): Environment {
    const environment = this.#readJson('environment.json');
    if (!Array.isArray(environment)) throw this.#garbled('environment.json', 'not a list');
    return environment as unknown as Environment;
  }

  get hasVerdict(): boolean {
    return existsSync(this.file('verdict.json'));
  }

  readVerdict(): Verdict {
    const verdict = this.#readJson('verdict.json');
    if (!hasField(verdict, 'checks')) throw this.#garbled('verdict.json', 'field checks missing');
    return verdict as unknown as Verdict;
  }

  /** The whole history; `expectedOps` as the outcome has it. */
  readHistory(expectedOps: number): Op[] {
    const history: Op[] = [];
    this.#forEachLine('history.jsonl', (line, at) => {
      const parsed = parseOp(line);
      if (!parsed.ok) throw this.#garbled('history.jsonl', `line ${at + 1}: ${parsed.error}`);
      const { index } = parsed.value;
      if (index !== at) {
        const found = `line ${at + 1}: field index: ${index} where ${at} was due`;
        throw this.#garbled('history.jsonl', found);
      }
      history.push(parsed.value);
    });
    if (history.length !== expectedOps) {
      const found = `${history.length} ops where faults.json tells of ${expectedOps}`;
      throw this.#garbled('history.jsonl', `truncated, ${found}`);
    }
    return history;
  }

  readSamples(): Sample[] {
    const samples: Sample[] = [];
    this.#forEachLine('samples.jsonl', (line, at) => {
      const sample = this.#parse(`samples.jsonl line ${at + 1}`, line);
      if (!hasField(sample, 'sample')) throw this.#garbled('samples.jsonl', `line ${at + 1}`);
      samples.push(sample as unknown as Sample);
    });
    return samples;
  }

  #saveJson(name: string, value: unknown): void {
    this.saveText(name, `${JSON.stringify(value, null, 1)}\n`);
  }

  #readJson(name: string): Json {
    return this.#parse(name, this.#readText(name));
  }

  /** `at`: the line's position, from 0. */
  #forEachLine(name: string, visit: (line: string, at: number) => void): void {
    let at = 0;
    for (const line of readLines(this.file(name))) visit(line, at++);
  }

  #readText(name: string): string {
    try {
      return readFileSync(this.file(name), 'utf8');
    } catch (error) {
      throw new StormError(`${this.file(name)}: ${reason(error)}; run it again`, { cause: error });
    }
  }

  #readFormat<Value extends { readonly format: string }>(name: string, format: string): Value {
    const value = this.#readJson(name);
    if (hasField(value, 'format') && value.format === format) return value as unknown as Value;
    throw this.#garbled(name, `field format: not ${format}`);
  }

  #parse(place: string, text: string): Json {
    try {
      return JSON.parse(text) as Json;
    } catch (error) {
      throw this.#garbled(place, reason(error));
    }
  }

  #garbled(place: string, what: string): StormError {
    const line = `${place} in ${this.path}: ${what}; restore the file or run again`;
    return new StormError(line.replaceAll('\n', ' '));
  }
}

/** Runs of one seed and backend that begin in the same second. */
const SAME_NAME_MAX = 100;

/**
 * As {@link RunDirectory.create}, for what holds several runs: an empty directory. Its path.
 * Throws {@link StormError}.
 */
export function makeDirectory(runsDirectory: string, name: string): string {
  try {
    mkdirSync(runsDirectory, { recursive: true });
    const chosen = makeUnique(runsDirectory, name);
    // Renamed into place: runs that begin together must not trip over each other's link.
    const link = resolve(runsDirectory, `.latest-${chosen}`);
    symlinkSync(chosen, link);
    renameSync(link, resolve(runsDirectory, 'latest'));
    return resolve(runsDirectory, chosen);
  } catch (error) {
    throw new StormError(`--runs-dir ${runsDirectory}: ${reason(error)}`, { cause: error });
  }
}

/** Creates the directory under the first free name; throws when the file system refuses. */
function makeUnique(runsDirectory: string, name: string): string {
  for (let at = 1; ; at++) {
    const chosen = at === 1 ? name : `${name}-${at}`;
    const path = resolve(runsDirectory, chosen);
    if (existsSync(path) && at < SAME_NAME_MAX) continue;
    mkdirSync(path);
    return chosen;
  }
}

function hasField<Field extends string>(
  value: Json,
  field: Field,
): value is { readonly [name in Field]: Json } {
  return typeof value === 'object' && value !== null && field in value;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
