/** Processor, memory, clock and log of members that are processes of this machine. */

import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type CapabilityReport, type ClusterConfig, ClusterError } from '../cluster.ts';
import { controlDone, parseAnswer } from '../docker/control-call.ts';
import { LogRelay, throughRelay } from '../log-relay.ts';
import { clockedNode, MemberClock } from '../member-clock.ts';
import {
  type CpuUsage,
  type LogStall,
  type Mechanism,
  type MemoryPressure,
  notInstrumented,
  type ResourceControl,
  resourceReports,
} from '../resource-control.ts';
import { type CpuQuota, cpuQuotaFor, ownCpuCgroup } from './cpu-quota.ts';
import type { Member } from './member.ts';
import { cpuMsOf, groupProcesses } from './process-table.ts';
import { programPath } from './programs.ts';

const execute = promisify(execFile);

/** Half of what it has: it must not live on what it gives back to itself. */
const MEMORY_SHARE = 0.5;
const SCRIPT_TIMEOUT_MS = 5_000;
const SCRIPT_OUTPUT_BYTES_MAX = 4 * 2 ** 20;

const isLinux = process.platform === 'linux';

/** What is needed of a run's configuration. */
export type ResourceConfig = Pick<ClusterConfig, 'target' | 'instruments' | 'runDirectory'>;

/** The multi-threaded libfaketime of this machine; undefined: there is none. */
export function findFaketime(): string | undefined {
  const roots = ['/usr/lib', '/usr/lib64', '/usr/local/lib', '/usr/lib/faketime'];
  const places = roots.filter(existsSync).flatMap((root) => [
    join(root, 'faketime'),
    ...readdirSync(root)
      .filter((name) => name.endsWith('-linux-gnu'))
      .map((name) => join(root, name, 'faketime')),
  ]);
  return places.map((place) => join(place, 'libfaketimeMT.so.1')).find(existsSync);
}

export function processResourceReports(config: ResourceConfig): CapabilityReport[] {
  const onlyLinux: Mechanism = { no: 'needs /proc: Linux' };
  const cgroup = isLinux ? ownCpuCgroup() : undefined;
  const quota =
    cgroup === undefined
      ? 'SIGSTOP and SIGCONT in turn: no cgroup v1 to write to'
      : 'a quota of a cgroup';
  return resourceReports({
    'cpu-quota': isLinux ? { yes: quota } : onlyLinux,
    'memory-limit': isLinux ? { yes: 'prlimit of the data of the server' } : onlyLinux,
    clock: clockMechanism(config),
    'log-stall': hasInstrument(config, 'log-relay')
      ? isLinux
        ? { yes: 'a FIFO whose reader is stopped' }
        : onlyLinux
      : notInstrumented('log-stall'),
  });
}

function clockMechanism(config: ResourceConfig): Mechanism {
  if (config.target.kind !== 'stormraft') return { no: NO_GO_CLOCK };
  if (!hasInstrument(config, 'clock')) return notInstrumented('clock-skew');
  if (findFaketime() === undefined) return { no: 'libfaketime is not installed' };
  return { yes: 'libfaketime in the server' };
}

/** Why a real etcd has no clock of its own. */
export const NO_GO_CLOCK = 'a Go program asks the kernel for the time, past libfaketime';

export function hasInstrument(
  { instruments = [] }: Pick<ClusterConfig, 'instruments'>,
  which: 'clock' | 'log-relay',
): boolean {
  return instruments.includes(which);
}

/** The server's command line, made ready for what the run asks for. */
export function instrumentedCommand(
  config: ResourceConfig,
  node: string,
  command: readonly [string, ...string[]],
): readonly [string, ...string[]] {
  const library = 'yes' in clockMechanism(config) ? findFaketime() : undefined;
  const program = programPath('../clock-program');
  const directory = join(config.runDirectory, 'instruments');
  if ((config.instruments ?? []).length > 0) mkdirSync(directory, { recursive: true });
  const clocked =
    library === undefined
      ? command
      : clockedNode({ library, file: clockFile(config, node), port: 0, program, command });
  return hasInstrument(config, 'log-relay') && isLinux
    ? throughRelay(fifoOf(config, node), join(config.runDirectory, `${node}.log`), clocked)
    : clocked;
}

function clockFile({ runDirectory }: ResourceConfig, node: string): string {
  return join(runDirectory, 'instruments', `${node}.clock`);
}

function fifoOf({ runDirectory }: ResourceConfig, node: string): string {
  return join(runDirectory, 'instruments', `${node}.fifo`);
}

interface Controls {
  readonly quota: CpuQuota;
  readonly clock: MemberClock;
  readonly relay: LogRelay;
}

export class ProcessResources implements ResourceControl {
  readonly #memberOf: (node: string) => Member;
  readonly #controls = new Map<string, Controls>();
  /** Pids of servers under a memory limit. */
  readonly #limited = new Map<string, number>();
  readonly #hasClock: boolean;

  constructor(
    config: ResourceConfig & Pick<ClusterConfig, 'runId'>,
    nodes: readonly string[],
    memberOf: (node: string) => Member,
  ) {
    this.#memberOf = memberOf;
    this.#hasClock = 'yes' in clockMechanism(config);
    const cgroup = isLinux ? ownCpuCgroup() : undefined;
    for (const node of nodes) {
      this.#controls.set(node, {
        quota: cpuQuotaFor(cgroup, config.runId, node),
        relay: new LogRelay(fifoOf(config, node), runScript),
        clock: new MemberClock({
          name: node,
          listens: async () => memberOf(node).isRunning && !memberOf(node).isPaused,
          ask: (method, body) => askClock(clockFile(config, node), method, body),
        }),
      });
    }
  }

  async setCpuQuota(node: string, percent: number | undefined): Promise<void> {
    const { quota } = this.#of(node);
    if (percent === undefined) await quota.lift();
    else await quota.set(this.#groupOf(node), percent);
  }

  async cpuUsage(node: string): Promise<CpuUsage> {
    const pids = groupProcesses(this.#groupOf(node));
    const usedMs = pids.reduce((sum, pid) => sum + cpuMsOf(pid), 0);
    return { usedMs, throttled: this.#of(node).quota.throttled() };
  }

  async exhaustMemory(node: string): Promise<MemoryPressure> {
    const pid = serverPid(this.#groupOf(node), node);
    const usedBytes = dataBytesOf(pid);
    const limitBytes = Math.floor(usedBytes * MEMORY_SHARE);
    this.#limited.set(node, pid);
    await limitData(pid, String(limitBytes));
    return { limitBytes, usedBytes };
  }

  async memoryDeath(node: string): Promise<string | undefined> {
    const member = this.#memberOf(node);
    if (member.isRunning || !this.#limited.has(node)) return undefined;
    return `refused memory, ended with ${member.lastExit ?? 'no word'}`;
  }

  async liftMemoryLimit(node: string): Promise<void> {
    const pid = this.#limited.get(node);
    this.#limited.delete(node);
    if (pid === undefined || !this.#memberOf(node).isRunning) return;
    await limitData(pid, 'unlimited').catch((error: unknown) => {
      // It may have died of it at this very moment.
      if (existsSync(`/proc/${pid}`)) throw error;
    });
  }

  async restoreClock(node: string): Promise<void> {
    await this.#of(node).clock.restore();
  }

  async changeClock(node: string, change: { driftPercent: number; jumpMs: number }): Promise<void> {
    await this.#of(node).clock.change(change);
  }

  async clockOffsetMs(node: string): Promise<number> {
    return this.#of(node).clock.offsetMs();
  }

  /** Call when the node was started or resumed. */
  async returned(node: string): Promise<void> {
    if (this.#hasClock) await this.#of(node).clock.returned();
  }

  async stallLog(node: string): Promise<void> {
    this.#groupOf(node);
    await this.#of(node).relay.stall();
  }

  async logStall(node: string): Promise<LogStall> {
    const pids = groupProcesses(this.#groupOf(node));
    return this.#of(node).relay.state(pids.map(String));
  }

  async resumeLog(node: string): Promise<void> {
    // The relay dies with its member, and begins anew with it.
    if (this.#memberOf(node).isRunning) await this.#of(node).relay.resume();
  }

  /** When all members are gone. */
  async close(): Promise<void> {
    for (const { quota } of this.#controls.values()) await quota.lift();
  }

  #groupOf(node: string): number {
    const { pid } = this.#memberOf(node);
    if (pid === undefined) throw new ClusterError(`${node} is not running`);
    return pid;
  }

  #of(node: string): Controls {
    const controls = this.#controls.get(this.#memberOf(node).name);
    if (controls === undefined) throw new ClusterError(`there is no node ${node}`);
    return controls;
  }
}

export async function runScript(script: string, parameters: readonly string[]): Promise<string> {
  try {
    const { stdout, stderr } = await execute('sh', ['-c', script, 'sh', ...parameters], {
      timeout: SCRIPT_TIMEOUT_MS,
      maxBuffer: SCRIPT_OUTPUT_BYTES_MAX,
    });
    return stdout + stderr;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError(`a script of the log: ${reason}`, { cause });
  }
}

async function askClock(file: string, method: 'GET' | 'PUT', body: unknown): Promise<unknown> {
  const port = existsSync(`${file}.port`) ? Number(readFileSync(`${file}.port`, 'utf8')) : 0;
  if (port === 0) throw new ClusterError('the clock of a member does not answer yet');
  const url = `http://127.0.0.1:${port}/clock`;
  return parseAnswer(await controlDone({ method, url, body }));
}

/** The server in a member's group: the disk in front of it has a command line with `--` in it. */
function serverPid(groupId: number, node: string): number {
  const pid = groupProcesses(groupId).find((each) => {
    const words = commandLineOf(each);
    return words.includes(`--name=${node}`) && !words.includes('--');
  });
  if (pid === undefined) throw new ClusterError(`${node} has no server that runs`);
  return pid;
}

function commandLineOf(pid: number): readonly string[] {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}

/** Private memory that it may write to: what RLIMIT_DATA is about. */
function dataBytesOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmData:\s*(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
}

async function limitData(pid: number, soft: string): Promise<void> {
  try {
    await execute('prlimit', ['--pid', String(pid), `--data=${soft}:`]);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ClusterError(`prlimit: ${reason}`, { cause });
  }
}
