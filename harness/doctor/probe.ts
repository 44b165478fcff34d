/** What the doctor knows about a fault mechanism: what it is for, and how to find out if it works. */

import type { Clock } from '../../src/ports/clock.ts';
import type { Backend, Capability } from '../cluster/cluster.ts';
import type { FaultKind } from '../nemesis/fault.ts';
import { FAULT_KINDS, FAULT_PACKAGES } from '../nemesis/packages.ts';

/** Simulated members need no machine. */
export type ProbedBackend = Exclude<Backend, 'sim'>;

export interface ProbeResult {
  readonly works: boolean;
  /** What was measured; or in one line why it does not work here. */
  readonly detail: string;
}

/** `Context`: the scratch things of a backend that probes may hurt. */
export interface Probe<Context> {
  /** Unique within the backend. */
  readonly mechanism: string;
  readonly backend: ProbedBackend;
  /** Faults that rest on it, or could. */
  readonly usedBy: readonly FaultKind[];
  /** What does the same, or nearly, where this does not work. */
  readonly fallback: string;
  /**
   * Tries the mechanism on scratch things and measures that it bites; undoes what it did. A
   * rejection counts as `no`, with its message. `signal` is aborted when it takes too long.
   */
  run(context: Context, signal: AbortSignal): Promise<ProbeResult>;
}

/** A probe and what came of it. */
export interface Finding extends ProbeResult {
  readonly mechanism: string;
  readonly backend: ProbedBackend;
  readonly usedBy: readonly FaultKind[];
  readonly fallback: string;
  /** Wall time of the probe, its scratch things excluded. */
  readonly tookMs: number;
}

/** What all probes of a process share. */
export interface Bench {
  readonly clock: Clock;
  /** Part of the name of everything that is made: tells concurrent doctors apart. */
  readonly runId: string;
}

export function yes(detail: string): ProbeResult {
  return { works: true, detail };
}

export function no(detail: string): ProbeResult {
  return { works: false, detail };
}

/** What only a disk of ours in front of the data can do. */
export const FUSE_CAPABILITIES: readonly Capability[] = [
  ...(['slow-disk', 'disk-stall', 'disk-error', 'disk-lie'] as const),
  ...(['disk-latency', 'read-only-disk', 'power-failure'] as const),
];

/** The kinds whose packages need one of these, in the order of the packages. */
export function faultsThatNeed(...capabilities: readonly Capability[]): readonly FaultKind[] {
  return FAULT_KINDS.filter((kind) => capabilities.includes(FAULT_PACKAGES[kind].needs));
}

/** An error in one line, without a full stop; says so when a program is missing. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const line = text.trim().split('\n')[0]!.replace(/\.+$/, '');
  const [, spawned, typed] = /spawn (\S+) ENOENT|(?:sh: )?\d+: (\S+): not found/.exec(line) ?? [];
  const missing = spawned ?? typed;
  if (missing !== undefined) return `${missing} is not installed`;
  return line || 'it failed without a word';
}

/** `0.4 ms`, `12 ms`. */
export function inMs(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
}

export function inPercent(share: number): string {
  return `${(100 * share).toFixed(0)} %`;
}
