/** The same simulation with fewer members: whatever was about the others is about those left. */

import type { FaultSpec } from '../../nemesis/fault.ts';
import { EVERYBODY, LEADER } from '../../nemesis/fault.ts';
import type { PlannedFault } from '../../nemesis/schedule.ts';
import { nodeNames } from '../../plan.ts';
import type { SimPlan } from '../plan.ts';
import { placeThreads } from './clients.ts';
import type { Search } from './search.ts';

/** As few members as still fail; all of them healed at the end, if that still fails. */
export async function makeFewerMembers(search: Search): Promise<void> {
  await search.take({ ...search.plan, core: nodeNames(search.plan.memberCount) });
  const { plan } = search;
  const fewer = Array.from({ length: plan.memberCount - 1 }, (_, at) => at + 1);
  await search.takeFirst(fewer.map((memberCount) => withMembers(plan, memberCount)));
}

/** Members and threads of those that go are shared out among the others, in turns. */
export function withMembers(plan: SimPlan, memberCount: number): SimPlan {
  const names = nodeNames(memberCount);
  const former = nodeNames(plan.memberCount);
  const rename = (name: string): string => {
    const at = former.indexOf(name);
    // Faults of spare machines, which are numbered on, are of members then.
    return names[(at < 0 ? Number(name.slice(1)) - 1 : at) % memberCount]!;
  };
  const renameAll = (all: readonly string[]): string[] => [...new Set(all.map(rename))].sort();
  const schedule = plan.schedule.flatMap((fault): PlannedFault[] => {
    const spec = specFor(fault.spec, memberCount, rename);
    return spec === undefined ? [] : [{ ...fault, spec }];
  });
  const core = renameAll(plan.core);
  const spare = (name: string): string =>
    former.includes(name)
      ? rename(name)
      : `n${Number(name.slice(1)) - former.length + memberCount}`;
  const changes = plan.changes.map((change) => ({ ...change, node: spare(change.node) }));
  const fewer = {
    ...plan,
    memberCount,
    clockDriftPpm: plan.clockDriftPpm.slice(0, memberCount + plan.spareCount),
    schedule,
    changes,
    core: core.length * 2 > memberCount ? core : names,
  };
  return placeThreads(fewer, (thread) => ({
    node: (thread % plan.memberCount) % memberCount,
    client: thread,
  }));
}

/** Undefined: such a fault needs more members. */
function specFor(
  spec: FaultSpec,
  memberCount: number,
  rename: (name: string) => string,
): FaultSpec | undefined {
  const choice = (node: string): string =>
    node === LEADER || node === EVERYBODY ? node : rename(node);
  const distinct = (names: readonly string[]): string[] => [...new Set(names.map(rename))];
  switch (spec.kind) {
    case 'kill-all':
    case 'rolling-restart':
    case 'compact':
    case 'defragment':
    case 'snapshot-restore':
    case 'cert-rotation':
      return spec;
    case 'flaky-links':
      return memberCount > 1 ? spec : undefined;
    case 'partition-halves': {
      const minority = distinct(spec.minority).sort();
      return minority.length < memberCount ? { ...spec, minority } : undefined;
    }
    case 'partition-shuffle': {
      const sides = spec.sides.map((side) => distinct(side).sort());
      const real = sides.filter((side) => side.length < memberCount);
      return real.length > 0 ? { ...spec, sides: real } : undefined;
    }
    case 'partition-ring':
      return memberCount > 2 ? { ...spec, order: distinct(spec.order) } : undefined;
    case 'slow-disk':
    case 'disk-latency':
      return { ...spec, nodes: distinct(spec.nodes).sort() };
    case 'partition-grudge': {
      const entries = Object.entries(spec.grudge).map(([to, from]): [string, string[]] => [
        rename(to),
        distinct(from).filter((name) => name !== rename(to)),
      ]);
      const cuts = entries.filter(([, from]) => from.length > 0);
      return cuts.length > 0 ? { ...spec, grudge: Object.fromEntries(cuts) } : undefined;
    }
    case 'partition-one':
    case 'partition-leader':
    case 'partition-one-way':
    case 'slow-links':
    case 'lossy-links':
    case 'thin-links':
    case 'reset-connections':
    case 'cable-pull':
      return memberCount > 1 ? { ...spec, node: choice(spec.node) } : undefined;
    default:
      return { ...spec, node: choice(spec.node) };
  }
}
