/** All faults that a plan may hold, in the order in which help and messages name them. */
import type {
  FaultFamily,
  FaultKind,
  FaultPackage,
  FaultSpec,
  NemesisContext,
  PreparedFault,
} from './fault.ts';
import { kill, killAll } from './kill.ts';
import {
  partitionHalves,
  partitionLeader,
  partitionOne,
  partitionOneWay,
  partitionRing,
} from './partition.ts';
import { pause } from './pause.ts';
import { slowDisk } from './slow-disk.ts';

export const FAULT_PACKAGES: { readonly [Kind in FaultKind]: FaultPackage<Kind> } = {
  kill,
  'kill-all': killAll,
  pause,
  'partition-one': partitionOne,
  'partition-leader': partitionLeader,
  'partition-halves': partitionHalves,
  'partition-one-way': partitionOneWay,
  'partition-ring': partitionRing,
  'slow-disk': slowDisk,
};

export const FAULT_KINDS: readonly FaultKind[] = Object.keys(FAULT_PACKAGES) as FaultKind[];

export function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(FAULT_PACKAGES, name);
}

export function familyOf(kind: FaultKind): FaultFamily {
  return FAULT_PACKAGES[kind].family;
}

/** The package's `prepare` for whatever kind the spec is of. */
export function prepareFault<Kind extends FaultKind>(
  context: NemesisContext,
  spec: FaultSpec<Kind>,
): Promise<PreparedFault> {
  const fault: FaultPackage<Kind> = FAULT_PACKAGES[spec.kind];
  return fault.prepare(context, spec);
}
