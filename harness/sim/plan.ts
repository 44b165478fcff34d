/**
 * A simulation's plan: everything that decides what happens in it, as plain JSON. The same plan
 * under the same code gives the same events, bit for bit. A plan is drawn from a seed
 * (swarm.ts), saved with a failing run, and made smaller by shrinking; a saved one is a
 * scenario file.
 */
import type { Json } from '../../checkers/history/op.ts';
import type { PlannedFault } from '../nemesis/schedule.ts';

export const SIM_FORMAT = 'storm-sim/1';

/** Least and most of something drawn anew each time, evenly. */
export type Between = readonly [least: number, most: number];

export interface SimPlan extends WorldPlan {
  readonly format: typeof SIM_FORMAT;
  /** Of the sources that made it (code-version.ts): under other code the seed means other events. */
  readonly code: string;
  readonly workload: SimWorkloadOptions;
  /** Length of the safety phase: clients and faults together. */
  readonly safetyMs: number;
  readonly schedule: readonly PlannedFault[];
  /** What administrators do to the membership meanwhile, in order of time. */
  readonly changes: readonly PlannedChange[];
  /**
   * The liveness phase: these members are healed, the others stay dead; the cluster must make
   * progress. A quorum, or all.
   */
  readonly core: readonly string[];
  /** Instead of the workload's generator: exactly these operations. Made by shrinking. */
  readonly script?: readonly ScriptedOp[];
}

/** The machines, and what runs on them; not what is done to them. */
export interface WorldPlan {
  readonly seed: number;
  /** 1 to 7: those that begin as a cluster. */
  readonly memberCount: number;
  /** Machines besides, numbered on, which changes of the membership add. */
  readonly spareCount: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  readonly member: SimMemberOptions;
  readonly network: SimNetworkOptions;
  readonly disk: SimDiskOptions;
  /** How much faster (positive) or slower each member's clock runs, in millionths; by member. */
  readonly clockDriftPpm: readonly number[];
}

export interface SimMemberOptions {
  readonly snapshotCount: number;
  readonly catchupEntries: number;
  readonly segmentBytesMax: number;
  readonly maxMessageBytes: number;
  readonly maxInflightMessages: number;
  readonly maxCommittedBytesPerTurn: number;
  /** A leader that has so much that is not committed yet accepts nothing more. */
  readonly maxUncommittedBytes: number;
  /** Period of the leader's own compactions; 0: none. */
  readonly compactEveryMs: number;
  readonly compactedRowsPerTick: number;
  readonly leaseCheckpointS: number;
  /** What watchers that are behind are told in one go, in changes. */
  readonly watchRowsMax: number;
  readonly watchFragmentBytes: number;
  readonly watchProgressMs: number;
  /** Answers on their way to a client that watches, above which its member waits. */
  readonly watchUntakenMax: number;
  /** A checkpoint is written in pieces of about so many bytes. */
  readonly checkpointChunkBytes: number;
  /** Keys of a range that are read in one turn. */
  readonly rangeKeysPerTurn: number;
  /** Between two pieces of such long work. */
  readonly pauseUs: number;
  /** etcd's --strict-reconfig-check. */
  readonly strictReconfig: boolean;
  /** What its database may grow to; 0: etcd's default, which nothing here reaches. */
  readonly quotaBytes: number;
}

export interface SimNetworkOptions {
  /** One way between members, and between clients and members, in µs. */
  readonly latencyUs: Between;
  readonly clientLatencyUs: Between;
  /** Messages pass through the codec of the real transport. */
  readonly encodes: boolean;
}

export interface SimDiskOptions {
  readonly writeUs: Between;
  readonly syncUs: Between;
  /** Of the kills, so many per cent leave the page cache alone (kill -9); the others are power failures. */
  readonly processKillPercent: number;
  /** Of the snapshots that reach a member, so many per cent are followed by a crash of it. */
  readonly snapshotCrashPercent: number;
}

export interface SimWorkloadOptions {
  readonly concurrency: number;
  readonly ratePerSecond: number;
  readonly opTimeoutMs: number;
  /** Shares of the workloads in the operations, in per cent; they sum to 100. */
  readonly registerPercent: number;
  readonly setPercent: number;
  readonly kvPercent: number;
  readonly leasePercent: number;
  readonly lockPercent: number;
  readonly watchPercent: number;
  readonly upkeepPercent: number;
  readonly authPercent: number;
  readonly alarmPercent: number;
  readonly electionPercent: number;
  /** Clients work for so long and rest for so long, over and over; 0 of rest: steadily. */
  readonly burstMs: number;
  readonly restMs: number;
  /** Keys of the registers in use at a time, and all keys of the kv workload. */
  readonly keys: number;
}

export const CHANGE_TYPES = [
  'add',
  'add-learner',
  'add-voter',
  'remove',
  'replace',
  'update',
  'clash',
] as const;

/**
 * `add`: a spare machine becomes a learner, then a voter. `add-learner`: a learner that stays one.
 * `add-voter`: a voter at once. `remove`: for good. `replace`: removed, and back with an empty disk
 * under a new id. `update`: one peer URL more, or fewer. `clash`: its peer URL is asked for, in
 * vain, for a new member and for another one. If a change has no meaning for `node` when its time
 * comes, then the next machine's turn it is.
 */
export interface PlannedChange {
  readonly atMs: number;
  readonly type: (typeof CHANGE_TYPES)[number];
  readonly node: string;
}

/** An operation of a script: thread `thread` invokes it at `atNs` of the run, or as soon as it is free. */
export interface ScriptedOp {
  readonly atNs: number;
  readonly thread: number;
  readonly f: string;
  readonly value: Json;
}
