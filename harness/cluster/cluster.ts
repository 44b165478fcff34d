/**
 * One interface, several backends (docker, process; later sim). A backend knows how to make
 * members run and how to hurt them; it draws nothing at random and judges nothing.
 */

export type Backend = 'docker' | 'process';

/** What a backend may be able to do to its members, besides kill and restart. */
export type Capability = 'kill' | 'pause' | 'partition' | 'slow-disk';

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
  /** Copies the members' logs into `directory` as `<node>.log`. */
  collectLogs(directory: string): Promise<void>;
}

/** A fault or a cluster operation could not be carried out: environment, not verdict. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}
