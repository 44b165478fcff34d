/** A shorter run: the same things in the same order, with less waiting in between. */
import type { SimPlan } from '../plan.ts';
import type { Search } from './search.ts';

/** Longest waits that are tried, in election timeouts. */
const GAPS_ELECTIONS = [0.01, 0.1, 0.5, 1, 2, 4];

/** The shortest waits that still fail. The safety phase ends as soon as everything has happened. */
export async function makeShorter(search: Search): Promise<void> {
  const { plan } = search;
  const lengthMs = Math.max(0, ...momentsMs(plan));
  const shorter = GAPS_ELECTIONS.map((elections) =>
    withGapsAtMost(plan, Math.max(1, Math.round(elections * plan.electionMs))),
  );
  const worthwhile = shorter.filter((each) => Math.max(0, ...momentsMs(each)) < lengthMs * 0.9);
  if (await search.takeFirst(worthwhile)) return;
  await search.take(endingEarly(plan));
}

/** The plan with its clock changed: `toMs` is monotone, in ms of the run. */
export function withTimes(plan: SimPlan, toMs: (ms: number) => number): SimPlan {
  const script = plan.script?.map((op) => ({ ...op, atNs: Math.round(toMs(op.atNs / 1e6) * 1e6) }));
  const schedule = plan.schedule.map((fault) => {
    const startMs = Math.round(toMs(fault.startMs));
    const endMs = Math.round(toMs(fault.startMs + fault.durationMs));
    return { ...fault, startMs, durationMs: Math.max(1, endMs - startMs) };
  });
  const changes = plan.changes.map((change) => ({
    ...change,
    atMs: Math.round(toMs(change.atMs)),
  }));
  return endingEarly({ ...plan, schedule, changes, ...(script === undefined ? {} : { script }) });
}

function withGapsAtMost(plan: SimPlan, gapMs: number): SimPlan {
  const sorted = [...new Set([0, ...momentsMs(plan)])].sort((a, b) => a - b);
  const to = new Map<number, number>([[0, 0]]);
  for (const [at, ms] of sorted.entries()) {
    if (at === 0) continue;
    const previous = sorted[at - 1]!;
    to.set(ms, to.get(previous)! + Math.min(ms - previous, gapMs));
  }
  return withTimes(plan, (ms) => to.get(ms) ?? ms);
}

/** When operations are invoked, and faults begin and end. Ends with a generator: when it ends. */
function momentsMs({ script, schedule, changes, safetyMs }: SimPlan): number[] {
  const faults = schedule.flatMap(({ startMs, durationMs }) => [startMs, startMs + durationMs]);
  const others = [...faults, ...changes.map(({ atMs }) => atMs)];
  return [...(script?.map(({ atNs }) => atNs / 1e6) ?? [safetyMs]), ...others];
}

/** A scripted safety phase ends when all is done; this long it may wait for busy threads. */
function endingEarly(plan: SimPlan): SimPlan {
  if (plan.script === undefined) return plan;
  const lastMs = Math.ceil(Math.max(0, ...momentsMs(plan)));
  return { ...plan, safetyMs: lastMs + plan.workload.opTimeoutMs };
}
