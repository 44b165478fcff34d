import type { CheckResult, Validity } from '../checkers/checker.ts';
import type { Json, Op } from '../checkers/history/op.ts';

/** Everything a report is made from. The harness fills it in; reports read nothing else. */
export interface RunRecord {
  readonly title: string;
  readonly validity: Validity;
  /** Wall-clock start, ISO 8601. */
  readonly startedAt: string;
  readonly plan: { readonly [field: string]: Json };
  /** Exact commands: run again, check again. */
  readonly commands: readonly { readonly what: string; readonly command: string }[];
  /** Versions, machine, backend and why it was chosen; capabilities that were missing. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly checks: readonly CheckResult[];
  /** Client ops only; times are ns since the run's base. */
  readonly history: readonly Op[];
  readonly faults: readonly FaultRecord[];
  readonly members: readonly MemberSeries[];
  /** Duration of the storm (before the final heal and reads) and of the whole run. */
  readonly stormEndNs: number;
  readonly endNs: number;
}

/** One injected fault, with what was measured of it. */
export interface FaultRecord {
  /** e.g. `kill`, `pause`, `partition-leader`, `slow-disk`. */
  readonly kind: string;
  /** In words: which members or links, with what strength. */
  readonly description: string;
  readonly nodes: readonly string[];
  /** Asked for, in place, heal asked for, healed. */
  readonly injectStartNs: number;
  readonly injectEndNs: number;
  readonly healStartNs: number;
  readonly healEndNs: number;
  /** What the probe saw; `no-effect` is not a pass, `skipped` says which capability lacked. */
  readonly effect: 'observed' | 'no-effect' | 'skipped';
  readonly observation: string;
}

/** What one member said about itself over time. */
export interface MemberSeries {
  readonly node: string;
  readonly status: readonly StatusSample[];
  readonly fsync: readonly FsyncSample[];
}

export interface StatusSample {
  readonly timeNs: number;
  readonly reachable: boolean;
  readonly isLeader: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
}

/** WAL fsyncs between the previous sample and this one, from the member's own histogram. */
export interface FsyncSample {
  readonly timeNs: number;
  readonly count: number;
  readonly meanMs: number;
  /** Upper bound of the bucket that holds the quantile, in ms. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}
