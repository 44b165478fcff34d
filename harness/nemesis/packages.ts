/** All faults that a plan may hold, in the order in which help and messages name them. */

import { cablePull } from './cable-pull.ts';
import { certRotation } from './cert-rotation.ts';
import { clockSkew } from './clock-skew.ts';
import { compact } from './compact.ts';
import { cpuQuota } from './cpu-quota.ts';
import { defragment } from './defragment.ts';
import { bitRot, misdirectedWrite } from './disk-damage.ts';
import { diskError, readOnlyDisk } from './disk-error.ts';
import { diskLatency } from './disk-latency.ts';
import { diskStall } from './disk-stall.ts';
import { failpoint } from './failpoint.ts';
import type {
  FaultFamily,
  FaultKind,
  FaultPackage,
  FaultSpec,
  NemesisContext,
  PreparedFault,
} from './fault.ts';
import { flakyLinks } from './flaky-links.ts';
import { kill, killAll } from './kill.ts';
import { leaderMove } from './leader-move.ts';
import { logStall } from './log-stall.ts';
import { lossyLinks } from './lossy-links.ts';
import { lyingDisk } from './lying-disk.ts';
import { learnerPromote, memberReplace } from './member-replace.ts';
import { memoryLimit } from './memory-limit.ts';
import { oldData } from './old-data.ts';
import {
  partitionHalves,
  partitionLeader,
  partitionOne,
  partitionOneWay,
  partitionRing,
} from './partition.ts';
import { partitionGrudge } from './partition-grudge.ts';
import { partitionShuffle } from './partition-shuffle.ts';
import { pause } from './pause.ts';
import { powerFailure, tornWrite } from './power-failure.ts';
import { readRot } from './read-rot.ts';
import { resetConnections } from './reset-connections.ts';
import { rollingRestart } from './rolling-restart.ts';
import { shrinkGrow } from './shrink-grow.ts';
import { slowDisk } from './slow-disk.ts';
import { slowLinks } from './slow-links.ts';
import { slowProcess } from './slow-process.ts';
import { snapshotRestore } from './snapshot-restore.ts';
import { thinLinks } from './thin-links.ts';

export const FAULT_PACKAGES: { readonly [Kind in FaultKind]: FaultPackage<Kind> } = {
  kill,
  'kill-all': killAll,
  pause,
  'partition-one': partitionOne,
  'partition-leader': partitionLeader,
  'partition-halves': partitionHalves,
  'partition-one-way': partitionOneWay,
  'partition-ring': partitionRing,
  'partition-shuffle': partitionShuffle,
  'slow-disk': slowDisk,
  'flaky-links': flakyLinks,
  'disk-stall': diskStall,
  'disk-error': diskError,
  'bit-rot': bitRot,
  'misdirected-write': misdirectedWrite,
  'lying-disk': lyingDisk,
  'clock-skew': clockSkew,
  'slow-process': slowProcess,
  'slow-links': slowLinks,
  'lossy-links': lossyLinks,
  'thin-links': thinLinks,
  'reset-connections': resetConnections,
  'cable-pull': cablePull,
  'partition-grudge': partitionGrudge,
  'power-failure': powerFailure,
  'torn-write': tornWrite,
  'read-only-disk': readOnlyDisk,
  'disk-latency': diskLatency,
  'read-rot': readRot,
  'cert-rotation': certRotation,
  'cpu-quota': cpuQuota,
  'memory-limit': memoryLimit,
  'log-stall': logStall,
  'member-replace': memberReplace,
  'shrink-grow': shrinkGrow,
  'learner-promote': learnerPromote,
  'leader-move': leaderMove,
  'rolling-restart': rollingRestart,
  compact,
  defragment,
  'snapshot-restore': snapshotRestore,
  'old-data': oldData,
  failpoint,
};

export const FAULT_KINDS: readonly FaultKind[] = Object.keys(FAULT_PACKAGES) as FaultKind[];

/**
 * What a storm does when not told otherwise: every backend can do it. Their order is part of what
 * a seed means, so what came later (`partition-shuffle`) is asked for by name.
 */
export const DEFAULT_FAULT_KINDS: readonly FaultKind[] = [
  'kill',
  'kill-all',
  'pause',
  'partition-one',
  'partition-leader',
  'partition-halves',
  'partition-one-way',
  'partition-ring',
  'slow-disk',
];

/** `all`: what a sound server bears. A disk that lies breaks the promise that Raft rests on. */
export const TOLERABLE_FAULT_KINDS: readonly FaultKind[] = FAULT_KINDS.filter(
  (kind) => kind !== 'lying-disk',
);

/** Made for real backends after seeds had their meaning: simulations have them by name only. */
const NOT_IN_SEEDS: readonly FaultKind[] = [
  'slow-links',
  'lossy-links',
  'thin-links',
  'reset-connections',
  'cable-pull',
  'partition-grudge',
  'power-failure',
  'torn-write',
  'read-only-disk',
  'disk-latency',
  'read-rot',
  'cert-rotation',
  'cpu-quota',
  'memory-limit',
  'log-stall',
  'member-replace',
  'shrink-grow',
  'learner-promote',
  'leader-move',
  'rolling-restart',
  'compact',
  'defragment',
  'snapshot-restore',
  'old-data',
  'failpoint',
];

/** What the simulator does when not told otherwise: Raft tolerates no disk that lies. */
export const SIM_FAULT_KINDS: readonly FaultKind[] = FAULT_KINDS.filter(
  (kind) => kind !== 'lying-disk' && !NOT_IN_SEEDS.includes(kind),
);

export function isFaultKind(name: string): name is FaultKind {
  return Object.hasOwn(FAULT_PACKAGES, name);
}

export function familyOf(kind: FaultKind): FaultFamily {
  return FAULT_PACKAGES[kind].family;
}

/** Every family that the kind takes its turn with. */
export function familiesOf(kind: FaultKind): readonly FaultFamily[] {
  const families: Pick<FaultPackage<FaultKind>, 'family' | 'alsoExcludes'> = FAULT_PACKAGES[kind];
  return [families.family, ...(families.alsoExcludes ?? [])];
}

/** Whether faults of the two kinds may be in place at the same time. */
export function mayOverlap(kind: FaultKind, other: FaultKind): boolean {
  const others = familiesOf(other);
  return !familiesOf(kind).some((family) => others.includes(family));
}

/** The package's `prepare` for whatever kind the spec is of. */
export function prepareFault<Kind extends FaultKind>(
  context: NemesisContext,
  spec: FaultSpec<Kind>,
): Promise<PreparedFault> {
  const fault: FaultPackage<Kind> = FAULT_PACKAGES[spec.kind];
  return fault.prepare(context, spec);
}
