/**
 * Who made a container or a network, written on it as labels: a harness that is killed with -9
 * cleans up nothing, so the next one must be able to tell its leftovers from a living run.
 */

import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Marks everything that a run makes; the value is the run's id. */
export const RUN_LABEL = 'stormraft.run';
const OWNER_LABEL = 'stormraft.owner';
const MACHINE_LABEL = 'stormraft.machine';
const BOOT_LABEL = 'stormraft.boot';
const PID_NAMESPACE_LABEL = 'stormraft.pidns';

export type Labels = Readonly<Record<string, string>>;

/** A process, told apart from a later one with the same pid, on this or another host. */
export interface Owner {
  readonly pid: number;
  /** Opaque, equal for one process only: clock ticks since boot (Linux) or a date. */
  readonly startTime: string;
  /** Opaque; a daemon may serve several machines. */
  readonly machine: string;
  /** Opaque; empty where the system has no such id. */
  readonly bootId: string;
  /** Pids of another namespace mean nothing here; empty where there are no namespaces. */
  readonly pidNamespace: string;
}

/** The labels of everything that `owner` makes for `runId`. */
export function runLabels(runId: string, owner: Owner): Labels {
  return {
    [RUN_LABEL]: runId,
    [OWNER_LABEL]: `${owner.pid}:${owner.startTime}`,
    [MACHINE_LABEL]: owner.machine,
    [BOOT_LABEL]: owner.bootId,
    [PID_NAMESPACE_LABEL]: owner.pidNamespace,
  };
}

/** The owner that labels name, or undefined when they are not ours. */
export function ownerOf(labels: Labels): Owner | undefined {
  const match = /^(\d+):(.*)$/.exec(labels[OWNER_LABEL] ?? '');
  if (labels[RUN_LABEL] === undefined || match === null) return undefined;
  return {
    pid: Number(match[1]),
    startTime: match[2] ?? '',
    machine: labels[MACHINE_LABEL] ?? '',
    bootId: labels[BOOT_LABEL] ?? '',
    pidNamespace: labels[PID_NAMESPACE_LABEL] ?? '',
  };
}

/**
 * Whether the owner is certainly gone. After a reboot it is. A process of another machine or pid
 * namespace (a harness that shares our daemon) cannot be judged from here, so it counts as
 * living. `startTimeOf` tells a pid's start time, undefined when there is no such process.
 */
export function isOwnerGone(
  owner: Owner,
  self: Owner,
  startTimeOf: (pid: number) => string | undefined,
): boolean {
  if (owner.machine !== self.machine) return false;
  if (owner.bootId !== self.bootId) return true;
  if (owner.pidNamespace !== self.pidNamespace) return false;
  return startTimeOf(owner.pid) !== owner.startTime;
}

/** This process as an owner. */
export function currentOwner(): Owner {
  const linux = process.platform === 'linux';
  return {
    pid: process.pid,
    startTime: processStartTime(process.pid) ?? '',
    machine: machineId(),
    bootId: linux ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim() : '',
    pidNamespace: linux ? readlinkSync('/proc/self/ns/pid') : '',
  };
}

function machineId(): string {
  const file = '/etc/machine-id';
  const id = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return id === '' ? hostname() : id;
}

/** When the process started, in the form that `Owner` uses; undefined when there is none. */
export function processStartTime(pid: number): string | undefined {
  try {
    if (process.platform === 'linux') {
      // The command's name (field 2) may hold spaces and parentheses; the start time is field 22.
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      // A zombie has let go of everything that it owned.
      return fields[0] === 'Z' ? undefined : fields[19];
    }
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
