/**
 * Processor time for a group of processes: a cgroup of its own (version 1, where this process may
 * make one), which the kernel holds to its quota; else a program that stops and continues the
 * group in turn.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClusterError } from '../cluster.ts';
import { groupProcesses, signalGroup } from './process-table.ts';
import { programPath } from './programs.ts';

const PREFIX = 'stormraft-';
const PERIOD_US = 100_000;
/** The dead leave their cgroup when their parent has heard of it. */
const EMPTY_MS_MAX = 2_000;
const EMPTY_RETRY_MS = 10;
/** Processes that are born while their group moves are taken along by the next round. */
const MOVE_ROUNDS = 3;

/** The cgroup of this process that holds a processor quota; undefined: none that can be used. */
export function ownCpuCgroup(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/proc/self/cgroup')) return undefined;
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((each) => (each.split(':')[1] ?? '').split(',').includes('cpu'));
  if (line === undefined) return undefined;
  const path = join('/sys/fs/cgroup', 'cpu', line.split(':').slice(2).join(':'));
  const trial = join(path, `${PREFIX}trial-${process.pid}`);
  try {
    mkdirSync(trial);
    rmdirSync(trial);
    return path;
  } catch {
    return undefined;
  }
}

/** Removes what dead runs have left; call it when their processes are gone. */
export function sweepCpuCgroups(runId: string): void {
  const parent = ownCpuCgroup();
  if (parent === undefined) return;
  const mine = readdirSync(parent).filter((name) => name.startsWith(nameFor(runId, '')));
  for (const name of mine) {
    try {
      rmdirSync(join(parent, name));
    } catch {
      // In use: the next sweep's.
    }
  }
}

export interface CpuQuota {
  set(groupId: number, percent: number): Promise<void>;
  /** Fine without a quota, and when the group is gone. */
  lift(): Promise<void>;
  /** Periods in which the kernel held the group back; undefined: it does not count them. */
  throttled(): number | undefined;
}

/** `parent`: as {@link ownCpuCgroup} says. */
export function cpuQuotaFor(parent: string | undefined, runId: string, node: string): CpuQuota {
  return parent === undefined
    ? new DutyCycle()
    : new CgroupQuota(parent, join(parent, nameFor(runId, node)));
}

function nameFor(runId: string, node: string): string {
  return basename(`${PREFIX}${encodeURIComponent(runId)}-${node}`);
}

class CgroupQuota implements CpuQuota {
  readonly #parent: string;
  readonly #path: string;

  constructor(parent: string, path: string) {
    this.#parent = parent;
    this.#path = path;
  }

  async set(groupId: number, percent: number): Promise<void> {
    mkdirSync(this.#path, { recursive: true });
    this.#write('cpu.cfs_period_us', PERIOD_US);
    this.#write('cpu.cfs_quota_us', Math.round((percent / 100) * PERIOD_US));
    for (let round = 0; round < MOVE_ROUNDS; round++) move(groupProcesses(groupId), this.#path);
  }

  async lift(): Promise<void> {
    if (!existsSync(this.#path)) return;
    this.#write('cpu.cfs_quota_us', -1);
    for (let waitedMs = 0; ; waitedMs += EMPTY_RETRY_MS) {
      const inside = readFileSync(join(this.#path, 'cgroup.procs'), 'utf8').split('\n');
      move(inside.filter((pid) => pid !== '').map(Number), this.#parent);
      try {
        rmdirSync(this.#path);
        return;
      } catch (cause) {
        if (waitedMs > EMPTY_MS_MAX) {
          throw new ClusterError(`${this.#path} cannot be removed`, { cause });
        }
      }
      await sleep(EMPTY_RETRY_MS);
    }
  }

  throttled(): number | undefined {
    if (!existsSync(this.#path)) return 0;
    const [, count] = /^nr_throttled (\d+)$/m.exec(
      readFileSync(join(this.#path, 'cpu.stat'), 'utf8'),
    ) ?? ['', '0'];
    return Number(count);
  }

  #write(file: string, value: number): void {
    writeFileSync(join(this.#path, file), String(value));
  }
}

function move(pids: readonly number[], cgroup: string): void {
  for (const pid of pids) {
    try {
      writeFileSync(join(cgroup, 'cgroup.procs'), String(pid));
    } catch {
      // It has ended meanwhile.
    }
  }
}

class DutyCycle implements CpuQuota {
  #helper: ChildProcess | undefined;
  #groupId = 0;

  async set(groupId: number, percent: number): Promise<void> {
    await this.lift();
    this.#groupId = groupId;
    const program = programPath('./duty-cycle');
    // It ends with its standard input, so with this process too.
    this.#helper = spawn(process.execPath, [program, String(groupId), String(percent)], {
      stdio: ['pipe', 'pipe', 'ignore'],
    });
    const { stdout } = this.#helper;
    if (stdout === null) throw new ClusterError('a program without output');
    await once(stdout, 'data');
  }

  async lift(): Promise<void> {
    const helper = this.#helper;
    this.#helper = undefined;
    if (helper === undefined) return;
    const ended = helper.exitCode !== null || helper.signalCode !== null;
    helper.stdin?.end();
    if (!ended) await once(helper, 'exit');
    // Whatever it ended of: nobody may be left stopped.
    signalGroup(this.#groupId, 'SIGCONT');
  }

  throttled(): undefined {
    return undefined;
  }
}
