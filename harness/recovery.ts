/**
 * Whether the cluster works: before the storm, and again after it, when nothing is at fault any
 * more. Safety is judged from the history; this is the liveness half of the verdict.
 */
import type { NemesisContext } from './nemesis/fault.ts';
import { waitUntil } from './timing.ts';

/** Far beyond any election, catch-up or restart at these sizes. */
export const RECOVERY_LIMIT_MS = 30_000;
const READ_TIMEOUT_MS = 2_000;
const RETRY_MS = 200;

export interface Recovery {
  /** Members that were dead though every killed one had been started again: they died alone. */
  readonly diedAlone: readonly string[];
  /** Members that answered no linearizable read within the limit. */
  readonly unreadable: readonly string[];
  readonly tookMs: number;
}

/** Starts members that are dead, then waits until every member answers a linearizable read. */
export async function recover(context: NemesisContext, signal: AbortSignal): Promise<Recovery> {
  const { clock } = context;
  const startNs = clock.nowNs();
  const diedAlone = await startTheDead(context);
  const unreadable = await waitUntilReadable(context, signal);
  return { diedAlone, unreadable, tookMs: Math.round((clock.nowNs() - startNs) / 1e6) };
}

export function describeRecovery({ diedAlone, unreadable, tookMs }: Recovery): string {
  const deaths = diedAlone.length > 0 ? `; ${diedAlone.join(', ')} had died alone` : '';
  if (unreadable.length > 0) {
    const limit = `${RECOVERY_LIMIT_MS / 1000} s`;
    return `${unreadable.join(', ')} answered no read within ${limit}${deaths}`;
  }
  return `every member answers linearizable reads after ${tookMs} ms${deaths}`;
}

/**
 * Waits until every member has answered a linearizable read; resolves with the names of those
 * that did not within {@link RECOVERY_LIMIT_MS}, or before the signal was aborted.
 */
export async function waitUntilReadable(
  context: NemesisContext,
  signal: AbortSignal,
): Promise<string[]> {
  const { cluster, clock, probe } = context;
  const pending = new Set(cluster.nodes);
  const limits = { intervalMs: RETRY_MS, limitMs: RECOVERY_LIMIT_MS, signal };
  await waitUntil(clock, limits, async () => {
    await Promise.all(
      [...pending].map(async (node) => {
        if (await probe.linearizableRead(node, READ_TIMEOUT_MS)) pending.delete(node);
      }),
    );
    return pending.size === 0;
  });
  return [...pending].map((node) => node.name);
}

async function startTheDead(context: NemesisContext): Promise<string[]> {
  const dead: string[] = [];
  for (const { name } of context.cluster.nodes) {
    if (await context.cluster.isRunning(name)) continue;
    dead.push(name);
    await context.cluster.start(name);
  }
  return dead;
}
