/**
 * What a backend may do to the processor, the memory, the clock and the log of a real member. Where
 * it cannot, its capabilities say why, and the methods reject with ClusterError.
 */

import type { Capability, CapabilityReport } from './cluster.ts';

/** What a member must be started with, and costs it something: only for runs that ask for it. */
export type Instrument = 'clock' | 'log-relay' | 'failpoints';

export interface CpuUsage {
  /** Processor time of all that belongs to the node since it was started, in ms. */
  readonly usedMs: number;
  /** Periods in which the kernel held it back; undefined: not counted. */
  readonly throttled: number | undefined;
}

export interface MemoryPressure {
  readonly limitBytes: number;
  /** What it used when the limit came. */
  readonly usedBytes: number;
}

export interface LogStall {
  /** Bytes in the pipe that nobody reads. */
  readonly waitingBytes: number;
  /** It takes nothing more. */
  readonly isFull: boolean;
  /** Threads of the server that hang in a write to it. */
  readonly blockedThreads: number;
}

export interface ResourceControl {
  /** Processor time in per cent of one core for all of the node; undefined lifts the quota. */
  setCpuQuota(node: string, percent: number | undefined): Promise<void>;
  /** Of a node that runs. */
  cpuUsage(node: string): Promise<CpuUsage>;
  /** The node gets no more memory than it has: the server dies of it, soon or at once. */
  exhaustMemory(node: string): Promise<MemoryPressure>;
  /** How the server died of it, in words; undefined: it did not. */
  memoryDeath(node: string): Promise<string | undefined>;
  /** Fine on a node that is dead or has no limit. */
  liftMemoryLimit(node: string): Promise<void>;
  /** Drift and jumps are gone: now, or with the next start of a node that cannot listen. */
  restoreClock(node: string): Promise<void>;
  /** Nobody reads the node's log, and its pipe is full. */
  stallLog(node: string): Promise<void>;
  logStall(node: string): Promise<LogStall>;
  /** What was written is read; fine on a node that died meanwhile or whose log flows. */
  resumeLog(node: string): Promise<void>;
}

/** Where a kind of fault needs an instrument, the run starts its members with it. */
export function instrumentsFor(kinds: readonly string[]): readonly Instrument[] {
  return [
    ...(kinds.includes('clock-skew') ? (['clock'] as const) : []),
    ...(kinds.includes('log-stall') ? (['log-relay'] as const) : []),
    ...(kinds.includes('failpoint') ? (['failpoints'] as const) : []),
  ];
}

/** Of one capability: the mechanism, or after `no` why there is none. */
export type Mechanism = { readonly yes: string } | { readonly no: string };

export function resourceReports(
  mechanisms: Readonly<Record<'cpu-quota' | 'memory-limit' | 'clock' | 'log-stall', Mechanism>>,
): CapabilityReport[] {
  return Object.entries(mechanisms).map(([capability, mechanism]) => ({
    capability: capability as Capability,
    available: 'yes' in mechanism,
    detail: 'yes' in mechanism ? mechanism.yes : mechanism.no,
  }));
}

/** Why a member without the instrument cannot have the fault. */
export function notInstrumented(kind: string): Mechanism {
  return { no: `members are made ready for it only when asked: --faults ${kind}` };
}
