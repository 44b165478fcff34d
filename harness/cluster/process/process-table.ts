/** Processes and process groups, as the operating system lists them. */

import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from '../cluster.ts';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Kernel start time (Linux: clock ticks since boot; elsewhere what ps prints). */
  readonly startTime: string;
}

/** How long a group may take to die: a process waiting for the disk finishes that wait first. */
const GROUP_END_MS_MAX = 30_000;
const POLL_MS = 5;
/** What Linux counts the time of processes in, on every architecture that Node runs on. */
const TICK_MS = 10;

const isLinux = process.platform === 'linux';

/** Undefined when there is no such process, or only what its parent has yet to reap. */
export function identify(pid: number): ProcessIdentity | undefined {
  if (!isLinux) {
    const startTime = psStartTime(pid);
    return startTime === undefined ? undefined : { pid, startTime };
  }
  const stat = statOf(pid);
  return stat === undefined || hasEnded(stat) ? undefined : { pid, startTime: stat.startTime };
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** SIGKILL for the whole group; resolves when no thread of it is left. Fine if it is gone. */
export async function killGroup(groupId: number): Promise<void> {
  signalGroup(groupId, 'SIGKILL');
  for (let waitedMs = 0; isGroupAlive(groupId); waitedMs += POLL_MS) {
    if (waitedMs > GROUP_END_MS_MAX) {
      throw new ClusterError(`process group ${groupId} survives SIGKILL: waiting for I/O?`);
    }
    await sleep(POLL_MS);
  }
}

/** False when there is no such group. */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-groupId, signal);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** Pids of a group's processes that have not ended (Linux). */
export function groupProcesses(groupId: number): number[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .map(Number)
    .filter((pid) => {
      const stat = statOf(pid);
      return stat !== undefined && stat.groupId === groupId && !hasEnded(stat);
    });
}

/** Processor time of a process, all threads together (Linux); 0: it is gone. */
export function cpuMsOf(pid: number): number {
  return (statOf(pid)?.cpuTicks ?? 0) * TICK_MS;
}

function isGroupAlive(groupId: number): boolean {
  if (!signalGroup(groupId, 0)) return false;
  if (!isLinux) return true;
  return groupProcesses(groupId).length > 0;
}

/**
 * Zombies whose parent is slow to reap them have ended, but only without live threads: a process
 * killed inside a disk request lists as a zombie while that thread still waits.
 */
function hasEnded(stat: ProcessStat): boolean {
  return stat.state === 'Z' && stat.threads <= 1;
}

interface ProcessStat {
  readonly state: string;
  readonly groupId: number;
  readonly threads: number;
  readonly startTime: string;
  readonly cpuTicks: number;
}

/** From /proc/PID/stat (proc(5)): fields 3, 5, 14, 15, 20 and 22; the second may contain anything. */
function statOf(pid: number): ProcessStat | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return undefined;
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return {
    state: fields[0]!,
    groupId: Number(fields[2]),
    threads: Number(fields[17]),
    startTime: fields[19]!,
    cpuTicks: Number(fields[11]) + Number(fields[12]),
  };
}

function psStartTime(pid: number): string | undefined {
  try {
    return execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}
