/**
 * The nemesis's vocabulary: which faults exist, what a plan says about each, and what a fault
 * package must offer: how to draw it, inject it, prove it and heal it, in one value.
 */
import type { Clock } from '../../src/ports/clock.ts';
import type { FailpointName } from '../../src/ports/failpoints.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Capability, Cluster } from '../cluster/cluster.ts';
import type { MemberProbe } from '../member-probe.ts';
import type { DelayDistribution } from '../network/link-quality.ts';
import type { GrudgeJson } from './grudge-json.ts';

/** A node's name, or `leader`: whoever leads when the fault is injected. */
export type NodeChoice = string;

export const LEADER: NodeChoice = 'leader';

/** In place of a node: all links, whosever they are. */
export const EVERYBODY: NodeChoice = 'all';

/** The links of a node; of {@link EVERYBODY} in both directions. */
export interface LinkScope {
  readonly node: NodeChoice;
  readonly direction: 'incoming' | 'outgoing' | 'both';
}

/** What is decided about each kind of fault when the plan is drawn. */
export interface FaultSpecs {
  /** kill -9 of one member; healing starts it again. */
  readonly kill: { readonly node: NodeChoice };
  /** kill -9 of all members at once; healing starts them again. */
  readonly 'kill-all': { readonly atOnce: true };
  /** One member suspended. */
  readonly pause: { readonly node: NodeChoice };
  /** One member and the others cannot hear each other. */
  readonly 'partition-one': { readonly node: NodeChoice };
  /** As `partition-one`, of the leader. */
  readonly 'partition-leader': { readonly node: typeof LEADER };
  /** Everyone in `minority` and everyone else cannot hear each other. */
  readonly 'partition-halves': { readonly minority: readonly string[] };
  /** Messages to (incoming) or from (outgoing) one member are dropped. */
  readonly 'partition-one-way': {
    readonly node: NodeChoice;
    readonly drops: 'incoming' | 'outgoing';
  };
  /** Every member sees a majority, no two the same; with three members a bridge. */
  readonly 'partition-ring': { readonly order: readonly string[] };
  /** One side after the other is cut off, without a pause between them. */
  readonly 'partition-shuffle': {
    readonly sides: readonly (readonly string[])[];
    readonly stepMs: number;
  };
  /** Every fsync of these members takes `delayMs` longer. */
  readonly 'slow-disk': { readonly nodes: readonly string[]; readonly delayMs: number };
  /** All links between members lose, repeat, delay or reorder messages. */
  readonly 'flaky-links': {
    readonly lossPercent: number;
    readonly duplicatePercent: number;
    /** Each message takes up to this much longer. */
    readonly delayMs: number;
    readonly reorders: boolean;
  };
  /** All disk operations of one member hang. */
  readonly 'disk-stall': { readonly node: NodeChoice };
  /** One member's writes or syncs are refused; it must stop. Healing starts it again. */
  readonly 'disk-error': {
    readonly node: NodeChoice;
    readonly operation: 'write' | 'sync';
    /** `ENOSPC` of writes only. */
    readonly code: 'EIO' | 'ENOSPC';
  };
  /** A bit flips in the log of one member while it is down. */
  readonly 'bit-rot': { readonly node: NodeChoice };
  /** A sector of one member's log is written to the wrong place while it is down. */
  readonly 'misdirected-write': { readonly node: NodeChoice };
  /** Syncs of one member keep nothing; healing kills it and starts it again. */
  readonly 'lying-disk': { readonly node: NodeChoice };
  /** The clocks of one member run faster or slower, and its wall clock jumps. */
  readonly 'clock-skew': {
    readonly node: NodeChoice;
    readonly driftPercent: number;
    readonly jumpMs: number;
  };
  /** Everything that one member does starts up to `delayMs` late. */
  readonly 'slow-process': { readonly node: NodeChoice; readonly delayMs: number };
  /** What crosses some links is late. */
  readonly 'slow-links': LinkScope & {
    readonly delayMs: number;
    readonly jitterMs: number;
    readonly distribution: DelayDistribution;
  };
  /** A share of what crosses some links is lost. */
  readonly 'lossy-links': LinkScope & { readonly lossPercent: number };
  /** Some links carry few bytes per second. */
  readonly 'thin-links': LinkScope & { readonly rateBytesPerS: number };
  /** All connections between one member and its peers are reset, every `everyMs`. */
  readonly 'reset-connections': { readonly node: NodeChoice; readonly everyMs: number };
  /** One member is off the network. */
  readonly 'cable-pull': { readonly node: NodeChoice };
  /** Any set of directed links is cut. */
  readonly 'partition-grudge': { readonly grudge: GrudgeJson };
  /** The power of one member fails: what was not synced is lost, wholly or in part. */
  readonly 'power-failure': {
    readonly node: NodeChoice;
    readonly keeps: 'nothing' | 'some';
    /** Of what survives. */
    readonly seed: number;
  };
  /** As `power-failure`; all survives but the end of the last write. */
  readonly 'torn-write': { readonly node: NodeChoice; readonly seed: number };
  /** One member's disk can only be read; it must stop. Healing starts it again. */
  readonly 'read-only-disk': { readonly node: NodeChoice };
  /** The disks of these members are as slow as a profile says. */
  readonly 'disk-latency': {
    readonly nodes: readonly string[];
    /** A name in `disk/latency-profiles.json`. */
    readonly profile: string;
    readonly seed: number;
  };
  /** One member starts on a disk whose reads answer with flipped bits; healing starts it again. */
  readonly 'read-rot': {
    readonly node: NodeChoice;
    /** One bit in about so many bytes. */
    readonly everyBytes: number;
    readonly seed: number;
  };
  /** Certificates are replaced under all members. */
  readonly 'cert-rotation': { readonly of: 'all' };
  /** One member gets this share of a processor core. */
  readonly 'cpu-quota': { readonly node: NodeChoice; readonly percent: number };
  /** One member gets no more memory, and dies of it. Healing starts it again. */
  readonly 'memory-limit': { readonly node: NodeChoice };
  /** Nobody reads what one member logs. */
  readonly 'log-stall': { readonly node: NodeChoice };
  /** One member is removed, its data wiped, added again and started anew. */
  readonly 'member-replace': { readonly node: NodeChoice };
  /** The cluster is without one member for a while. */
  readonly 'shrink-grow': { readonly node: NodeChoice };
  /** As `member-replace`, as a learner at first; healing promotes it. */
  readonly 'learner-promote': { readonly node: NodeChoice };
  /** MoveLeader to that member, or to another if it leads. */
  readonly 'leader-move': { readonly node: string };
  /** SIGTERM and start of each member in turn. */
  readonly 'rolling-restart': { readonly leaderLast: true };
  /** Compact at the newest revision. */
  readonly compact: { readonly physical: boolean };
  /** Defragment of each member. */
  readonly defragment: { readonly inTurn: true };
  /** A snapshot of one member is restored beside the cluster. */
  readonly 'snapshot-restore': { readonly beside: true };
  /** One member starts on an older copy of its data; healing replaces it. */
  readonly 'old-data': { readonly node: NodeChoice };
  /** One member dies at a named point of its code, or waits there each time. */
  readonly failpoint: {
    readonly node: NodeChoice;
    readonly point: FailpointName;
    /** 0: it dies. */
    readonly sleepMs: number;
  };
}

export type FaultKind = keyof FaultSpecs;

/** A fault as the plan holds it, without its times. */
export type FaultSpec<Kind extends FaultKind = FaultKind> = {
  [K in Kind]: { readonly kind: K } & FaultSpecs[K];
}[Kind];

/** Faults of one family exclude each other: they would undo or hide each other's effect. */
export type FaultFamily =
  | 'process'
  | 'network'
  | 'links'
  | 'disk'
  | 'clock'
  | 'membership'
  | 'upkeep';

export interface FaultPackage<Kind extends FaultKind> {
  readonly kind: Kind;
  readonly needs: Capability;
  readonly family: FaultFamily;
  /** Families besides its own that it excludes, because it acts on what theirs act on. */
  readonly alsoExcludes?: readonly FaultFamily[];
  /** How long it lasts, as least and most per cent of its slot in the plan. */
  readonly lastsPercent: readonly [least: number, most: number];
  /** What injecting and healing take by themselves in ms, if that is long: the plan leaves room. */
  readonly takesMs?: number;
  plan(nodes: readonly string[], random: Random): FaultSpec<Kind>;
  /** Resolves symbolic targets and measures the state before; changes nothing. */
  prepare(context: NemesisContext, spec: FaultSpec<Kind>): Promise<PreparedFault>;
}

/** A fault with its targets decided. `heal` is called whatever became of `inject`. */
export interface PreparedFault {
  /** In words: which members or links, with what strength. */
  readonly description: string;
  readonly nodes: readonly string[];
  inject(): Promise<void>;
  /** The effect probe, while the fault is in place. */
  observe(): Promise<Observation>;
  heal(): Promise<void>;
}

export interface Observation {
  readonly effect: 'observed' | 'no-effect';
  /** What was measured, in words. */
  readonly observation: string;
}

/** What there is to look at and to act on. */
export interface ClusterContext {
  readonly cluster: Cluster;
  readonly probe: MemberProbe;
  readonly clock: Clock;
}

export interface NemesisContext extends ClusterContext {
  /**
   * Members that were dead though no fault in place had killed them. Faults add to it before
   * they act: a kill and its restart would leave no trace of such a death.
   */
  readonly diedAlone: Set<string>;
  /**
   * Members that the run does without from now on, such as those that refuse, rightly, to start on
   * a damaged disk: nobody starts them, waits for them or blames them for being dead.
   */
  readonly givenUp: Set<string>;
}
