/**
 * What the harness asks members besides the workload: their status, whether reads work, their
 * metrics. One seam, so that nemesis, sampler and recovery can be tested without servers.
 */
import type { ClusterNode } from './cluster/cluster.ts';

/** What a member says about itself: Maintenance.Status. */
export interface StatusReading {
  readonly isLeader: boolean;
  readonly term: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Of the server, where it says so. */
  readonly version?: string;
}

/** Asks members; every failure and timeout is a value, because dead members are expected. */
export interface MemberProbe {
  /** `undefined`: no answer within `timeoutMs`. */
  status(node: ClusterNode, timeoutMs: number): Promise<StatusReading | undefined>;
  /** Whether a linearizable read through the member succeeded within `timeoutMs`. */
  linearizableRead(node: ClusterNode, timeoutMs: number): Promise<boolean>;
  /** The member's metrics in Prometheus text format; `undefined`: no answer. */
  metricsText(node: ClusterNode, timeoutMs: number): Promise<string | undefined>;
  close(): void;
}

/** The reachable member that says it leads in the highest term, if any does. */
export async function findLeader(
  probe: MemberProbe,
  nodes: readonly ClusterNode[],
  timeoutMs: number,
): Promise<string | undefined> {
  const readings = await Promise.all(nodes.map((node) => probe.status(node, timeoutMs)));
  let leader: string | undefined;
  let leaderTerm = -1;
  readings.forEach((reading, at) => {
    if (!reading?.isLeader || reading.term <= leaderTerm) return;
    leader = nodes[at]!.name;
    leaderTerm = reading.term;
  });
  return leader;
}
