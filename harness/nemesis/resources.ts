/** What faults of a member's processor, memory and log have in common. */
import { ClusterError } from '../cluster/cluster.ts';
import type { ResourceControl } from '../cluster/resource-control.ts';
import type { NemesisContext } from './fault.ts';

export function resourcesOf({ cluster }: NemesisContext): ResourceControl {
  if (cluster.resources !== undefined) return cluster.resources;
  throw new ClusterError(`${cluster.backend} has no members with resources of their own`);
}
