/**
 * One interface, several backends (docker, process, sim). A backend knows how to make members
 * run and how to hurt them; it judges nothing.
 */

import type { ClientTls } from '../../src/client/connection.ts';
import type { DiskLatency } from '../disk/latency.ts';
import type { DirectedLink, DirectedQuality, LinkQuality } from '../network/link-quality.ts';
import type { LinkTally } from '../network/link-tally.ts';
import type { FailpointControl } from './failpoint-control.ts';
import type { Administrable } from './member-control.ts';
import type { Instrument, ResourceControl } from './resource-control.ts';
import type { Securable } from './tls-files.ts';

export type Backend = 'docker' | 'process' | 'sim';

/** What a backend may be able to do to its members, besides restart. */
export type Capability =
  | 'kill'
  | 'pause'
  | 'partition'
  | 'slow-disk'
  | 'flaky-links'
  | 'link-delay'
  | 'link-loss'
  | 'link-rate'
  | 'connection-reset'
  | 'cable-pull'
  | 'disk-stall'
  | 'disk-error'
  | 'disk-lie'
  | 'disk-damage'
  | 'read-only-disk'
  | 'disk-latency'
  | 'power-failure'
  | 'read-rot'
  | 'tls'
  | 'administration'
  | 'stop'
  | 'rejoin'
  | 'snapshot-restore'
  | 'clock'
  | 'slow-process'
  | 'cpu-quota'
  | 'memory-limit'
  | 'log-stall'
  | 'failpoints';

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
  /** A real etcd: path of the binary, and the container image that it was copied from, if any. */
  | { readonly kind: 'etcd'; readonly path: string; readonly image?: string };

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
  /**
   * A synthetic disk: members keep their data in memory behind a disk of ours, and what an
   * operation takes is what `fault` says, whatever the machine's disks do. Needs `slow-disk`.
   */
  readonly disk?: { readonly fault: DiskFault & { readonly type: 'latency' } };
  /** Clients and peers talk over TLS, and all show certificates. */
  readonly tls?: boolean;
  /** What faults that the run asks for need in its members from their start; none if absent. */
  readonly instruments?: readonly Instrument[];
}

export interface ClusterNode {
  /** `n1`, `n2`, … */
  readonly name: string;
  /** Reachable from the harness, also while the node's peers cannot reach it: `http://127.0.0.1:port`. */
  readonly clientUrl: string;
  /** What it takes to talk to it over TLS; its URL is `https://` then. */
  readonly tls?: ClientTls;
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
  /** Writes and other changes that were delayed on purpose, where the disk can do that. */
  readonly delayedWrites?: number;
  readonly delayedWriteMeanMs?: number;
}

/**
 * What a node's disk does to operations, until it is told otherwise; holds across restarts. Those
 * after `lie`, and stalls of one kind of operation, are not the simulator's.
 */
export type DiskFault =
  | { readonly type: 'none' }
  /** Operations hang until the fault is healed: all, or those of the kind. */
  | { readonly type: 'stall'; readonly operation?: 'sync' }
  /** Operations of the kind are refused. */
  | {
      readonly type: 'error';
      readonly operation: 'write' | 'sync';
      readonly code: 'EIO' | 'ENOSPC';
    }
  /** Syncs succeed and keep nothing. */
  | { readonly type: 'lie' }
  /** Changes are refused with `EROFS`, as after the kernel's remount of a failing disk. */
  | { readonly type: 'read-only' }
  /** Reads answer with one bit in about so many bytes flipped, always the same ones. */
  | { readonly type: 'rot'; readonly everyBytes: number; readonly seed: number }
  /** Operations take longer, each by a time drawn anew. */
  | ({ readonly type: 'latency'; readonly seed: number } & DiskLatency);

/** Operations of a node that a disk fault has touched since the cluster started. */
export interface DiskFaultTally {
  readonly stalled: number;
  readonly refused: number;
  readonly lied: number;
  /** Reads that answered with flipped bits. */
  readonly rotten?: number;
}

/** How the power of one node fails. */
export interface PowerLoss {
  /**
   * What survives of what was written and not synced: `nothing`; `some`, sector by sector as
   * chance has it; or all but the end of the last write, which is `torn` at a sector's edge.
   */
  readonly keeps: 'nothing' | 'some' | 'torn';
  /** Of the draws. */
  readonly seed: number;
}

/** What a power failure took. */
export interface PowerLossReport {
  /** Writes and truncations that are gone, wholly or in part. */
  readonly changes: number;
  /** Bytes of those writes that are gone. */
  readonly bytes: number;
  /** Writes of which a part survived. */
  readonly torn: number;
  /** Names made, removed or moved for which that is undone. */
  readonly names: number;
}

export interface Cluster extends AsyncDisposable, Administrable, Securable {
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
  /**
   * Replaces what faults make of the links between members: `quality` for all but the listed ones,
   * which get their own. GOOD_LINKS alone heals. Holds across restarts. ClusterError: the mechanism
   * cannot do it, or there is no such node.
   */
  setLinkQuality(quality: LinkQuality, except?: readonly DirectedQuality[]): Promise<void>;
  /** Replaces what links are like while no fault is in place; what faults do comes on top. */
  setLinkDistances(links: readonly DirectedQuality[]): Promise<void>;
  linkTally(): Promise<LinkTally>;
  /** Answers what runs on the connections over these links, either way, with a reset (RST). */
  resetConnections(links: readonly DirectedLink[]): Promise<void>;
  /** The node is off the network; fine on one that is off. Holds across restarts. */
  pullCable(node: string): Promise<void>;
  /** It is back, with the same address; fine on one that never was off. */
  plugCable(node: string): Promise<void>;
  setDiskFault(node: string, fault: DiskFault): Promise<void>;
  diskFaultTally(node: string): Promise<DiskFaultTally>;
  /**
   * Damages what a dead node's disk holds of its log: a flipped bit, or a sector written to the
   * wrong place. Resolves with what was damaged; `undefined`: the fault atlas forbids it, because
   * too many copies would be gone.
   */
  damageDisk(node: string, how: 'bit-rot' | 'misdirected-write'): Promise<string | undefined>;
  /** Kills a running node and takes from its disk what was not synced. */
  failPower(node: string, loss: PowerLoss): Promise<PowerLossReport>;
  /** The node's clocks run this much faster (negative: slower), and its wall clock jumps. */
  setClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void>;
  /** Wall clock of the node minus the harness's, in ms. */
  clockOffsetMs(node: string): Promise<number>;
  /** Everything the node's process does starts up to this much late; 0 heals. */
  setSlowness(node: string, delayMs: number): Promise<void>;
  /** Processor, memory, clock and log of real members; absent: not of this backend's. */
  readonly resources?: ResourceControl;
  /** Absent: not of this backend's, or not asked for. */
  readonly failpoints?: FailpointControl;
  /** Copies the members' logs into `directory` as `<node>.log`. */
  collectLogs(directory: string): Promise<void>;
}

/** A fault or a cluster operation could not be carried out: environment, not verdict. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';
}
