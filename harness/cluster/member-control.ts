/**
 * What a backend lets an administrator do to the machine of one member, besides kill and start: an
 * orderly stop, an empty disk, a first start in a cluster that goes on, an older copy of its data.
 */

import type { MemberId } from '../../src/lib/ids.ts';
import type { Administration } from '../administration/administration.ts';
import type { SideCluster } from '../administration/side-member.ts';
import type { Capability, CapabilityReport } from './cluster.ts';

export interface Joining {
  /** `name=url,name=url`: all members, the new one among them. */
  readonly initialCluster: string;
  /** The new member's. */
  readonly memberId: MemberId;
}

/** All of an unknown node, and what the backend cannot do here, is a ClusterError. */
export interface MemberControl {
  readonly administration: Administration;
  /** What the other members dial. */
  peerUrl(node: string): string;
  /**
   * SIGTERM; resolves when the process is gone: `ended`, or `killed` after ten seconds. Fine on a
   * dead node.
   */
  stop(node: string): Promise<'ended' | 'killed'>;
  /** Empties the disk of a dead node. */
  wipe(node: string): Promise<void>;
  /**
   * Starts a node with an empty disk as a member that was added to a running cluster. Later starts
   * are told the same, which a member with data does not heed.
   */
  startJoining(node: string, joining: Joining): Promise<void>;
  /** Copies the data of a dead node aside, in place of an earlier copy. */
  saveData(node: string): Promise<void>;
  /**
   * Puts the copy back, on a dead node; false: not done, because too many copies of the log would
   * be in doubt.
   */
  restoreData(node: string): Promise<boolean>;
  /** The node has all again that the cluster has, as a member that never forgot anything. */
  noteWhole(node: string): void;
  /** Clusters of one member on a snapshot, beside this one. */
  readonly side: SideCluster;
}

/** An orderly stop that takes longer is none. */
export const STOP_MS = 10_000;

/** They come last on a command line, where both targets take them in place of earlier ones. */
export function joiningFlags({ initialCluster }: Joining): readonly string[] {
  return [`--initial-cluster=${initialCluster}`, '--initial-cluster-state=existing'];
}

/** Part of `Cluster`; undefined: a backend without administration. */
export interface Administrable {
  readonly control?: MemberControl;
}

/** What backends of real members can do; `data`: to the files of a dead member. */
export function controlReports(
  stop: string,
  data: { readonly available: boolean; readonly detail: string },
  side: { readonly available: boolean; readonly detail: string },
): CapabilityReport[] {
  const report = (capability: Capability, detail: string, available = true): CapabilityReport => ({
    capability,
    available,
    detail,
  });
  return [
    report('administration', 'the members are asked as etcdctl would'),
    report('stop', stop),
    report('rejoin', data.detail, data.available),
    report('snapshot-restore', side.detail, side.available),
  ];
}
