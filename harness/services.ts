/** What the commands need from outside; replaced in tests, wired up in `wiring.ts`. */

import type { RunRecord } from '../reports/run-record.ts';
import type { Clock } from '../src/ports/clock.ts';
import type { Workload } from '../workloads/workload.ts';
import type { Backends } from './backends.ts';
import type { ClusterNode } from './cluster/cluster.ts';
import type { KeyClient } from './key-client.ts';
import type { MemberProbe } from './member-probe.ts';
import type { Plan } from './plan.ts';
import type { Progress } from './progress.ts';

export interface Services {
  readonly backends: Backends;
  readonly clock: Clock;
  readonly progress: Progress;
  /** Part of the names of containers and processes: tells concurrent runs apart. */
  readonly processId: number;
  /** Aborted on SIGINT, SIGTERM and uncaught errors: heal, tear down, end. */
  readonly signal: AbortSignal;
  openProbe(): MemberProbe;
  openKeyClient(node: ClusterNode): KeyClient;
  /** `nodes`: what its clients will be opened on; none where only checks are wanted. */
  workload(plan: Plan, nodes?: readonly ClusterNode[]): Workload;
  /** The report's HTML. */
  renderReport(record: RunRecord): Promise<string>;
}
