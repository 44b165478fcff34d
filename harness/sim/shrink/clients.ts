/** Which threads run a script: few of them, and none of a workload that has nothing to do. */
import type { SimPlan, SimWorkloadOptions } from '../plan.ts';
import { PARTS } from '../workload.ts';
import type { Search } from './search.ts';

/** Where a thread's operations go: its member, by position, and which of that member's clients. */
export interface Place {
  readonly node: number;
  readonly client: number;
}

/** Nothing without a script. */
export async function makeFewerClients(search: Search): Promise<void> {
  if (search.plan.script === undefined) return;
  await search.take(withoutIdleWorkloads(search.plan));
  const { plan } = search;
  const nodeOf = (thread: number): number => thread % plan.memberCount;
  const first = nodeOf(plan.script?.at(-1)?.thread ?? 0);
  await search.takeFirst([
    placeThreads(plan, () => ({ node: 0, client: 0 })),
    placeThreads(plan, () => ({ node: first, client: 0 })),
    placeThreads(plan, (thread) => ({ node: nodeOf(thread), client: 0 })),
    placeThreads(plan, (thread) => ({ node: nodeOf(thread), client: thread })),
  ]);
}

/**
 * The script with every thread moved to its new place. A thread's number decides its member, so
 * a member's clients are numbered in steps of the member count; there are as many threads as
 * the highest number and the workloads need. A plan without a script stays as it is.
 */
export function placeThreads(plan: SimPlan, placeOf: (thread: number) => Place): SimPlan {
  const { script, memberCount, workload } = plan;
  if (script === undefined) return plan;
  const clientsOf = new Map<number, number[]>();
  for (const { thread } of script) {
    const { node, client } = placeOf(thread);
    const clients = clientsOf.get(node) ?? [];
    clientsOf.set(node, clients);
    if (!clients.includes(client)) clients.push(client);
  }
  const moved = script.map((op) => {
    const { node, client } = placeOf(op.thread);
    return { ...op, thread: node + memberCount * clientsOf.get(node)!.indexOf(client) };
  });
  const highest = Math.max(-1, ...moved.map(({ thread }) => thread));
  const concurrency = Math.max(highest + 1, threadsLeast(workload));
  return { ...plan, script: moved, workload: { ...workload, concurrency } };
}

/** Every workload with a share needs a thread, or its operations would not be known. */
function threadsLeast(workload: SimWorkloadOptions): number {
  return PARTS.filter(({ percent }) => workload[percent] > 0).length;
}

/** Shares for the workloads that the script has operations of; registers if it has none. */
function withoutIdleWorkloads(plan: SimPlan): SimPlan {
  const uses = (fs: readonly string[]): boolean =>
    plan.script?.some(({ f }) => fs.includes(f)) === true;
  const using = PARTS.filter(({ fs }) => uses(fs));
  const used = using.length > 0 ? using : PARTS.slice(0, 1);
  const share = Math.floor(100 / used.length);
  const last = used.at(-1);
  const shares = PARTS.map((part) => {
    const rest = 100 - share * (used.length - 1);
    const percent = part === last ? rest : share;
    return [part.percent, used.includes(part) ? percent : 0];
  });
  return { ...plan, workload: { ...plan.workload, ...Object.fromEntries(shares) } };
}
