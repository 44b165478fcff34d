/** A simulation's plan in one line for people. */
import type { SimPlan } from './plan.ts';
import { PARTS } from './workload.ts';

export function describeSimPlan(plan: SimPlan): string {
  const { workload, member, disk, network } = plan;
  const faults = plan.schedule.map(
    ({ spec, startMs }) => `${spec.kind}@${(startMs / 1000).toFixed(1)}s`,
  );
  const ops =
    plan.script === undefined
      ? `${workload.concurrency} clients at ${workload.ratePerSecond}/s`
      : `${plan.script.length} scripted operations`;
  const shares = PARTS.filter(({ percent }) => workload[percent] > 0).map(
    ({ percent }) => `${percent.replace('Percent', '')} ${workload[percent]} %`,
  );
  const changes = plan.changes.map(
    ({ type, node, atMs }) => `${type} ${node}@${(atMs / 1000).toFixed(1)}s`,
  );
  return [
    `seed ${plan.seed}, ${plan.memberCount} members`,
    `heartbeat ${plan.heartbeatMs} ms, election ${plan.electionMs} ms`,
    `links ${network.latencyUs.join('–')} µs, syncs ${disk.syncUs.join('–')} µs`,
    `checkpoints every ${member.snapshotCount}`,
    `${ops} for ${plan.safetyMs / 1000} s`,
    `shares: ${shares.join(', ')}`,
    ...(member.compactEveryMs > 0 ? [`compactions every ${member.compactEveryMs} ms`] : []),
    ...(changes.length > 0 ? [`${changes.length} changes of members: ${changes.join(' ')}`] : []),
    `core ${plan.core.join(' ')}`,
    `${faults.length} faults: ${faults.join(' ') || 'none'}`,
  ].join('; ');
}
