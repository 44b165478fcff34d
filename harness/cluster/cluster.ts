/**
 * One interface, several backends (docker, process, sim). A backend knows how to make members
 * run and how to hurt them; it judges nothing.
 */

export type Backend = 'docker' | 'process' | 'sim';

/** What a backend may be able to do to its members, besides restart. */
export type Capability =
  | 'kill'
  | 'pause'
  | 'partition'
  | 'slow-disk'
  | 'flaky-links'
  | 'disk-stall'
  | 'disk-error'
  | 'disk-lie'
  | 'disk-damage'
  | 'clock'
  | 'slow-process';

export interface CapabilityReport {
  readonly capability: Capability;
  readonly available: boolean;
  /** The mechanism in use, or why there is none and what would help. */
  readonly detail: string;
}

/** What runs as the members. */
export type Target =
  /** This repository, or an edited copy of it: `root` holds `src/main.ts` (and node_modules above or in it). */
  | { readonly kind: 'stormraft'; readonly root: string }
  /** A real etcd: path of the binary. */
  | { readonly kind: 'etcd'; readonly path: string };

export interface ClusterConfig {
  /** Unique per run; part of every container, network and process that the run makes. */
  readonly runId: string;
  readonly memberCount: number;
  readonly heartbeatMs: number;
  readonly electionMs: number;
  /** Where logs and data directories go; exists already. */
  readonly runDirectory: string;
  readonly target: Target;
  /** Extra server flags, e.g. `--snapshot-count=2000`. */
  readonly serverFlags: readonly string[];
}

export interface ClusterNode {
  /** `n1`, `n2`, … */
  readonly name: string;
  /** Reachable from the harness, also while the node's peers cannot reach it: `http://127.0.0.1:port`. */
  readonly clientUrl: string;
}

/** For each node the set of nodes whose messages to it are dropped (Jepsen's grudge). */
export type Grudge = ReadonlyMap<string, ReadonlySet<string>>;

/** What one directed link has swallowed since the cluster started. */
export interface LinkCounter {
  readonly from: string;
  readonly to: string;
  /** Packets (docker) or bytes (process) that were dropped or held back. */
  readonly dropped: number;
}

export interface DiskCounter {
  /** fsync and fdatasync calls that the disk has answered since the node's (re)start. */
  readonly syncs: number;
  /** Of those, the ones that were delayed on purpose, and their mean time in ms. */
  readonly delayedSyncs: number;
  readonly delayedMeanMs: number;
}

/** What every link between members does to the messages on it. */
export interface LinkQuality {
  /** Of all messages. */
  readonly lossPercent: number;
  /** Of those that may be delivered twice by the contract of the Network port. */
  readonly duplicatePercent: number;
  /** Each message takes up to this much longer. */
  readonly delayMs: number;
  /** Messages may overtake each other. */
  readonly reorders: boolean;
}

export const GOOD_LINKS: LinkQuality = {
  lossPercent: 0,
  duplicatePercent: 0,
  delayMs: 0,
  reorders: false,
};

/** What links have done to messages since the cluster started. */
export interface LinkTally {
  readonly lost: number;
  readonly duplicated: number;
  readonly delayed: number;
}

/** What a node's disk does to operations, until it is told otherwise; holds across restarts. */
export type DiskFault =
  | { readonly type: 'none' }
  /** Operations hang until the fault is healed. */
  | { readonly type: 'stall' }
  /** Operations of the kind are refused. */
  | {
      readonly type: 'error';
      readonly operation: 'write' | 'sync';
      readonly code: 'EIO' | 'ENOSPC';
    }
  /** Syncs succeed and keep nothing. */
  | { readonly type: 'lie' };

/** Operations of a node that a disk fault has touched since the cluster started. */
export interface DiskFaultTally {
  readonly stalled: number;
  readonly refused: number;
  readonly lied: number;
}

export interface Cluster extends AsyncDisposable {
  readonly backend: Backend;
  readonly nodes: readonly ClusterNode[];
  readonly capabilities: readonly CapabilityReport[];
  /** Versions and mechanisms worth writing down with the run. */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  /** kill -9, resolves when the process is gone. Fine on a dead or paused node. */
  kill(node: string): Promise<void>;
  /** Starts a killed node on its old data; resolves when it is launched, not when it is healthy. */
  start(node: string): Promise<void>;
  isRunning(node: string): Promise<boolean>;
  pause(node: string): Promise<void>;
  resume(node: string): Promise<void>;
  /** Replaces all cuts by these; an empty map heals. Holds across restarts of the members. */
  setGrudge(grudge: Grudge): Promise<void>;
  linkCounters(): Promise<readonly LinkCounter[]>;
  /** Delay added to every fsync of the node in ms; 0 heals. Holds across restarts. */
  setFsyncDelay(node: string, delayMs: number): Promise<void>;
  diskCounter(node: string): Promise<DiskCounter>;
  /** Replaces the quality of all links between members; {@link GOOD_LINKS} heals. */
  setLinkQuality(quality: LinkQuality): Promise<void>;
  linkTally(): Promise<LinkTally>;
  setDiskFault(node: string, fault: DiskFault): Promise<void>;
  diskFaultTally(node: string): Promise<DiskFaultTally>;
  /**
   * Damages what a dead node's disk holds of its log: a flipped bit, or a sector written to the
   * wrong place. Resolves with what was damaged; `undefined`: the fault atlas forbids it, because
   * too many copies would be gone.
   */
  damageDisk(node: string, how: 'bit-rot' | 'misdirected-write'): Promise<string | undefined>;
  /** The node's clocks run this much faster (negative: slower), and its wall clock jumps. */
  setClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void>;
  /** Wall clock of the node minus the harness's, in ms. */
  clockOffsetMs(node: string): Promise<number>;
  /** Everything the node's process does starts up to this much late; 0 heals. */
  setSlowness(node: string, delayMs: number): Promise<void>;
  /** Copies the members' logs into `directory` as `<node>.log`. */
  collectLogs(directory: string): Promise<void>;
}

/** A fault or a cluster operation could not be carried out: environment, not verdict. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}
