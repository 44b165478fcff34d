/**
 * Whether the cluster works: before the storm, and again after it, when nothing is at fault any
 * more. Safety is judged from the history; this is the liveness half of the verdict.
 */
import type { ClusterNode } from './cluster/cluster.ts';
import type { ClusterContext, NemesisContext } from './nemesis/fault.ts';
import { expectedNames } from './nemesis/target.ts';
import { waitUntil } from './timing.ts';

/** Far beyond any start of a cluster. */
export const READY_LIMIT_MS = 30_000;
const RECOVERY_ELECTIONS = 8;
const RECOVERY_LEAST_MS = 8_000;

/** When nothing is at fault any more, eight election timeouts settle every election there is. */
export function recoveryLimitMs(electionMs: number): number {
  return Math.max(RECOVERY_LEAST_MS, RECOVERY_ELECTIONS * electionMs);
}

const READ_TIMEOUT_MS = 2_000;
const RETRY_MS = 200;

export interface Recovery {
  /** Members found dead, now or by a fault of the storm, that no fault had killed. */
  readonly diedAlone: readonly string[];
  /** Members that the run did without at its end: nothing was asked of them. */
  readonly givenUp: readonly string[];
  /** Members that answered no linearizable read within the limit. */
  readonly unreadable: readonly string[];
  readonly limitMs: number;
  readonly tookMs: number;
}

/** Starts members that are dead, then waits until every member answers a linearizable read. */
export async function recover(
  context: NemesisContext,
  limitMs: number,
  signal: AbortSignal,
): Promise<Recovery> {
  const { clock } = context;
  const startNs = clock.nowNs();
  await startTheDead(context);
  const diedAlone = [...context.diedAlone].sort();
  const expected = expectedNames(context);
  const unreadable = await waitUntilReadable(context, limitMs, signal, expected);
  const givenUp = [...context.givenUp].sort();
  const tookMs = Math.round((clock.nowNs() - startNs) / 1e6);
  return { diedAlone, givenUp, unreadable, limitMs, tookMs };
}

export function describeRecovery(recovery: Recovery): string {
  const { diedAlone, givenUp, unreadable, limitMs, tookMs } = recovery;
  const deaths = diedAlone.length > 0 ? `; ${diedAlone.join(', ')} had died alone` : '';
  if (unreadable.length > 0) {
    return `${unreadable.join(', ')} answered no read within ${limitMs / 1000} s${deaths}`;
  }
  const members = givenUp.length > 0 ? `every member but ${givenUp.join(', ')}` : 'every member';
  return `${members} answers linearizable reads after ${tookMs} ms${deaths}`;
}

/**
 * Waits until every member, or every one of `names`, has answered a linearizable read; resolves
 * with the names of those that did not within `limitMs`, that died over it, or before the signal
 * was aborted.
 */
export async function waitUntilReadable(
  context: ClusterContext,
  limitMs: number,
  signal: AbortSignal,
  names: readonly string[] = context.cluster.nodes.map((node) => node.name),
): Promise<string[]> {
  const { cluster, clock, probe } = context;
  const pending = new Set(cluster.nodes.filter((node) => names.includes(node.name)));
  const limits = { intervalMs: RETRY_MS, limitMs, signal };
  await waitUntil(clock, limits, async () => {
    await Promise.all(
      [...pending].map(async (node) => {
        if (await probe.linearizableRead(node, READ_TIMEOUT_MS)) pending.delete(node);
      }),
    );
    return allDead(context, [...pending]);
  });
  return [...pending].map((node) => node.name);
}

/** Members that were started and died again will not answer, however long one waits. */
async function allDead(
  { cluster }: ClusterContext,
  nodes: readonly ClusterNode[],
): Promise<boolean> {
  const running = await Promise.all(nodes.map(({ name }) => cluster.isRunning(name)));
  return !running.includes(true);
}

/** Every member that a fault had killed runs again by now: who is dead died alone. */
async function startTheDead(context: NemesisContext): Promise<void> {
  const { cluster, diedAlone } = context;
  for (const name of expectedNames(context)) {
    if (await cluster.isRunning(name)) continue;
    diedAlone.add(name);
    await cluster.start(name);
  }
}
