/** What a backend with disks of ours can do to them. */

import type { FaultAtlas } from '../sim/disk/fault-atlas.ts';
import { type Capability, type CapabilityReport, ClusterError, type DiskFault } from './cluster.ts';

/** All that the file system in front of the data does. */
const IN_FRONT: readonly Capability[] = [
  'slow-disk',
  'disk-stall',
  'disk-error',
  'disk-lie',
  'read-only-disk',
  'disk-latency',
  'power-failure',
  'read-rot',
];

/**
 * `detail`: the mechanism of the disk, or why there is none. Damage at rest needs no disk of ours:
 * `damage` says how it is done, undefined that it needs one here.
 */
export function diskReports(
  available: boolean,
  detail: string,
  damage?: string,
): CapabilityReport[] {
  return [
    ...IN_FRONT.map((capability) => ({ capability, available, detail })),
    {
      capability: 'disk-damage',
      available: available || damage !== undefined,
      detail: damage ?? detail,
    },
  ];
}

/**
 * Whose disk lies has lost its copy when the power goes, and who reads rot may write down what it
 * has read: either is done only if that copy can be spared. Throws {@link ClusterError} if not.
 */
export function noteLie(atlas: FaultAtlas, node: string, fault: DiskFault): void {
  const destroys = fault.type === 'lie' || fault.type === 'rot';
  if (!destroys || atlas.destroyed.has(node)) return;
  if (!atlas.mayDestroy(node)) throw new ClusterError(`the copy of ${node} cannot be spared`);
  atlas.noteDestroyed(node);
}
