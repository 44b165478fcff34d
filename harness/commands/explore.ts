/** `storm explore`: many drawn storms, no scenario; which distinct failure modes come up? */
import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Target } from '../cluster/cluster.ts';
import { EXIT_ENVIRONMENT, StormError } from '../exit-code.ts';
import { drawRun, type ExploreRun, type StormLength } from '../explore/draw-run.ts';
import { threadsOf } from '../explore/explore-workload.ts';
import { runOne, type Shown } from '../explore/run-one.ts';
import { exitCodeOfBook, ModeBook, type RunResult } from '../explore/run-records.ts';
import { type About, jsonOf, markdownOf, modeLines, summaryLine } from '../explore/tables.ts';
import type { Services } from '../services.ts';
import { sleep } from '../timing.ts';
import { sweepFirst } from './sweep.ts';

export interface ExploreRequest {
  readonly target: Target;
  readonly seed: number;
  /** Runs begin until then; those that go on end. */
  readonly minutes: number;
  /** So many at most; undefined: as many as there is time for. */
  readonly runs: number | undefined;
  /** Only the run of this number. */
  readonly only: number | undefined;
  /** Runs at a time. */
  readonly jobs: number;
  readonly runsDirectory: string;
  /** JSON; the same as Markdown stands beside it. Undefined: in the runs directory. */
  readonly outFile: string | undefined;
  /** How long storms are; left out: as usual. */
  readonly stormLength?: StormLength;
}

/** One run after the other that comes to nothing: the environment is at fault. */
const FAILED_MAX = 12;
const FAILED_PAUSE_MS = 2_000;

export async function exploreCommand(services: Services, request: ExploreRequest): Promise<number> {
  await sweepFirst(services);
  const { progress } = services;
  const exploration = new Exploration(services, request);
  const { minutes, jobs, seed } = request;
  progress.print(
    `explore: ${nameOf(request.target)}, seed ${seed}, ${minutes} min, ${jobs} at a time`,
  );
  progress.print(`results: ${exploration.directory}`);
  await exploration.run();
  return exploration.finish();
}

class Exploration {
  readonly directory: string;
  readonly #services: Services;
  readonly #request: ExploreRequest;
  readonly #book = new ModeBook();
  readonly #begunNs: number;
  #next = 1;
  #failedInARow = 0;
  #version = 'version unknown';

  constructor(services: Services, request: ExploreRequest) {
    this.#services = services;
    this.#request = request;
    this.#begunNs = services.clock.nowNs();
    const stamp = new Date(services.clock.wallMs())
      .toISOString()
      .replaceAll(/\D/g, '')
      .slice(0, 14);
    const name = `explore-${stamp}-${request.target.kind}-${request.seed}`;
    this.directory = resolve(request.runsDirectory, name);
    try {
      mkdirSync(this.directory, { recursive: true });
      mkdirSync(dirname(resolve(this.#outFile)), { recursive: true });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StormError(`--runs-dir ${request.runsDirectory}: ${reason}`, { cause: error });
    }
  }

  /** Resolves when time, runs or patience are over, or it was interrupted. */
  async run(): Promise<void> {
    const { jobs, only } = this.#request;
    if (only !== undefined) return this.#one(only);
    await Promise.all(Array.from({ length: jobs }, () => this.#loop()));
  }

  finish(): number {
    const { progress } = this.#services;
    this.#save(true);
    for (const line of modeLines(this.#book, this.#about(true))) progress.print(line);
    progress.print(summaryLine(this.#book, this.#about(true)));
    progress.print(`table: ${this.#outFile} and ${this.#markdownFile}`);
    if (this.#failedInARow >= FAILED_MAX) {
      progress.print(`given up: ${FAILED_MAX} runs in a row came to nothing`);
      return this.#book.modes.length > 0 ? exitCodeOfBook(this.#book) : EXIT_ENVIRONMENT;
    }
    return exitCodeOfBook(this.#book);
  }

  get #outFile(): string {
    return this.#request.outFile ?? join(this.directory, 'explore.json');
  }

  get #markdownFile(): string {
    return `${this.#outFile.replace(/\.json$/, '')}.md`;
  }

  get #tookS(): number {
    return (this.#services.clock.nowNs() - this.#begunNs) / 1e9;
  }

  async #loop(): Promise<void> {
    const { minutes, runs } = this.#request;
    while (this.#tookS < minutes * 60 && !this.#services.signal.aborted) {
      if (runs !== undefined && this.#next > runs) return;
      if (this.#failedInARow >= FAILED_MAX) return;
      const index = this.#next++;
      await this.#one(index);
    }
  }

  async #one(index: number): Promise<void> {
    const { clock, signal, progress } = this.#services;
    const { seed, target, stormLength } = this.#request;
    const run = drawRun(seed, index, stormLength);
    const begunNs = clock.nowNs();
    progress.live(`explore: run ${index}, ${describeRun(run)}`);
    const shown = await this.#shownBy(run, target);
    if (shown === undefined) return;
    const result = this.#resultOf(run, shown, (clock.nowNs() - begunNs) / 1e9);
    this.#failedInARow = shown.isKnown || shown.findings.length > 0 ? 0 : this.#failedInARow + 1;
    this.#book.add(result);
    appendFileSync(join(this.directory, 'results.jsonl'), `${JSON.stringify(result)}\n`);
    this.#save(false);
    progress.print(lineOf(result, this.#book));
    for (const { checker, sentence } of result.findings) {
      progress.print(`  ${checker}: ${sentence.slice(0, 200)}`);
    }
    if (this.#failedInARow > 0) await sleep(clock, FAILED_PAUSE_MS, signal);
  }

  /** Undefined: it was interrupted. */
  async #shownBy(run: ExploreRun, target: Target): Promise<Shown | undefined> {
    try {
      const runsDirectory = this.directory;
      return await runOne(this.#services, { run, target, runsDirectory });
    } catch (error) {
      if (this.#services.signal.aborted) return undefined;
      throw error;
    }
  }

  /** What shows nothing new is not kept. */
  #resultOf(run: ExploreRun, shown: Shown, tookS: number): RunResult {
    const { findings, reasons, faults, lies, isKnown } = shown;
    const isKept = this.#request.only !== undefined || this.#book.isNews(findings, lies);
    if (shown.directory !== undefined) {
      this.#version = versionIn(shown.directory) ?? this.#version;
      if (!isKept) rmSync(shown.directory, { recursive: true, force: true });
    }
    const unknown = isKnown ? 'sound' : 'unknown';
    return {
      index: run.index,
      atS: Math.round(this.#tookS),
      tookS: Math.round(tookS),
      description: describeRun(run),
      ...{ faults, lies, reasons, findings },
      outcome: findings.length > 0 ? 'findings' : unknown,
      ...(isKept && shown.directory !== undefined && { directory: shown.directory }),
    };
  }

  #save(isOver: boolean): void {
    const about = this.#about(isOver);
    try {
      writeFileSync(this.#outFile, jsonOf(this.#book, about));
      writeFileSync(this.#markdownFile, markdownOf(this.#book, about));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new StormError(`--out ${this.#outFile}: ${reason}`, { cause: error });
    }
  }

  #about(isOver: boolean): About {
    const { target, seed } = this.#request;
    const name = nameOf(target);
    const replay = `npm run storm -- explore --target ${name} --seed ${seed} --only`;
    const tookS = Math.round(this.#tookS);
    return { target: name, version: this.#version, seed, tookS, replay, isOver };
  }
}

function nameOf(target: Target): string {
  return target.kind === 'stormraft' ? 'stormraft' : `etcd:${target.path}`;
}

function versionIn(directory: string): string | undefined {
  try {
    const environment = JSON.parse(readFileSync(join(directory, 'environment.json'), 'utf8'));
    const entry = environment.find(({ name }: { readonly name: string }) => name === 'target');
    return entry?.value;
  } catch {
    // The cluster never came up: another run will tell.
    return undefined;
  }
}

function describeRun(run: ExploreRun): string {
  const { memberCount, electionMs, timeLimitMs, serverFlags, faults, parts } = run;
  return [
    `${memberCount} members`,
    `election ${electionMs} ms`,
    `${timeLimitMs / 1000} s`,
    ...serverFlags,
    `${threadsOf(parts)} clients: ${parts.map(({ name }) => name).join(' ')}`,
    `faults: ${faults.join(' ') || 'none'}`,
  ].join(', ');
}

function lineOf(result: RunResult, book: ModeBook): string {
  const { index, atS, tookS, outcome, reasons, description } = result;
  const why =
    outcome === 'unknown' ? ` (${reasons[0]?.slice(0, 120) ?? 'nothing was judged'})` : '';
  const minutes = (atS / 60).toFixed(1);
  const modes = `${book.modes.length} modes`;
  return `run ${index}: ${outcome}${why}; ${tookS} s, at ${minutes} min, ${modes} so far; ${description}`;
}
