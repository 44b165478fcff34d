/** What is known of an exploration's runs, and of the failure modes in them. */
import { type Finding, modeOf } from './finding.ts';

/** How one run ended; a line of results.jsonl. */
export interface RunResult {
  readonly index: number;
  /** Since the exploration began, at the run's end. */
  readonly atS: number;
  readonly tookS: number;
  /** In words: members, timing, workloads, faults. */
  readonly description: string;
  /** Kinds of faults that took effect. */
  readonly faults: readonly string[];
  /** A disk lied, or was planned to. */
  readonly lies: boolean;
  readonly outcome: 'findings' | 'sound' | 'unknown';
  /** Why it is unknown, and which checkers could not tell. */
  readonly reasons: readonly string[];
  readonly findings: readonly Finding[];
  /** Kept, with history, logs and plan. */
  readonly directory?: string;
}

/** A distinct failure mode. */
export interface Mode {
  readonly name: string;
  readonly checker: string;
  /** One example of it. */
  readonly evidence: string;
  readonly firstRun: number;
  readonly firstAtS: number;
  /** Runs that were over by then. */
  readonly firstAfterRuns: number;
  readonly directory: string | undefined;
  runs: number;
  /** Runs in which every disk was honest. */
  honestRuns: number;
  /** Faults in place, with the runs of this mode that had them. */
  readonly faults: Map<string, number>;
}

export class ModeBook {
  readonly #modes = new Map<string, Mode>();
  #runs = 0;
  #unknown = 0;
  readonly #kinds = new Map<string, number>();

  get runs(): number {
    return this.#runs;
  }

  get unknownRuns(): number {
    return this.#unknown;
  }

  /** Kinds of faults that took effect, with the number of runs. */
  get kinds(): ReadonlyMap<string, number> {
    return this.#kinds;
  }

  /** Of honest disks first, in the order in which they were found. */
  get modes(): readonly Mode[] {
    return [...this.#modes.values()].toSorted(
      (a, b) => Number(isByDesign(a)) - Number(isByDesign(b)) || a.firstAtS - b.firstAtS,
    );
  }

  /** Whether the run shows a mode that none has shown, or none with honest disks. */
  isNews(findings: readonly Finding[], lies: boolean): boolean {
    return findings.some((finding) => {
      const known = this.#modes.get(modeOf(finding));
      return known === undefined || (isByDesign(known) && !lies);
    });
  }

  add(result: RunResult): void {
    this.#runs += 1;
    if (result.outcome === 'unknown') this.#unknown += 1;
    const kinds = new Set(result.faults);
    for (const kind of kinds) count(this.#kinds, kind);
    const seen = new Set<string>();
    for (const finding of result.findings) {
      const name = modeOf(finding);
      if (seen.has(name)) continue;
      seen.add(name);
      const mode = this.#modeFor(name, finding, result);
      mode.runs += 1;
      if (!result.lies) mode.honestRuns += 1;
      for (const kind of kinds) count(mode.faults, kind);
    }
  }

  /** One that was seen under a lying disk only is told by its first honest run, once there is one. */
  #modeFor(name: string, finding: Finding, result: RunResult): Mode {
    const known = this.#modes.get(name);
    if (known !== undefined && !(isByDesign(known) && !result.lies)) return known;
    const mode: Mode = {
      name,
      checker: finding.checker,
      evidence: finding.sentence,
      firstRun: result.index,
      firstAtS: result.atS,
      firstAfterRuns: this.#runs,
      directory: result.directory,
      runs: known?.runs ?? 0,
      honestRuns: 0,
      faults: known?.faults ?? new Map(),
    };
    this.#modes.set(name, mode);
    return mode;
  }
}

/** Seen only where a disk lied: no store keeps its promises then. */
export function isByDesign(mode: Mode): boolean {
  return mode.honestRuns === 0;
}

/** 0: nothing that a store is to blame for; 1: some modes; 2: no run could tell. */
export function exitCodeOfBook(book: ModeBook): number {
  if (book.modes.some((mode) => !isByDesign(mode))) return 1;
  return book.unknownRuns >= book.runs ? 2 : 0;
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
