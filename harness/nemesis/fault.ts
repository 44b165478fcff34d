/**
 * The nemesis's vocabulary: which faults exist, what a plan says about each, and what a fault
 * package must offer: how to draw it, inject it, prove it and heal it, in one value.
 */
import type { Clock } from '../../src/ports/clock.ts';
import type { Random } from '../../src/ports/random.ts';
import type { Capability, Cluster } from '../cluster/cluster.ts';
import type { MemberProbe } from '../member-probe.ts';

/** A node's name, or `leader`: whoever leads when the fault is injected. */
export type NodeChoice = string;

export const LEADER: NodeChoice = 'leader';

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
  /** Every fsync of these members takes `delayMs` longer. */
  readonly 'slow-disk': { readonly nodes: readonly string[]; readonly delayMs: number };
}

export type FaultKind = keyof FaultSpecs;

/** A fault as the plan holds it, without its times. */
export type FaultSpec<Kind extends FaultKind = FaultKind> = {
  [K in Kind]: { readonly kind: K } & FaultSpecs[K];
}[Kind];

/** Faults of one family exclude each other: they would undo or hide each other's effect. */
export type FaultFamily = 'process' | 'network' | 'disk';

export interface FaultPackage<Kind extends FaultKind> {
  readonly kind: Kind;
  readonly needs: Capability;
  readonly family: FaultFamily;
  /** How long it lasts, as least and most per cent of its slot in the plan. */
  readonly lastsPercent: readonly [least: number, most: number];
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
}
