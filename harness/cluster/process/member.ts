/** One member: a process group with the server, and its disk in front where there is one. */

import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { readTallyOf } from '../../disk/operations/state-directory.ts';
import {
  ClusterError,
  type DiskCounter,
  type DiskFault,
  type DiskFaultTally,
  type PowerLoss,
  type PowerLossReport,
} from '../cluster.ts';
import { failPower, readDiskCounter, setDiskFault, setFsyncDelay } from './disk-client.ts';
import { logSizeBytes, logTail, openLog } from './log-file.ts';
import { killGroup, signalGroup } from './process-table.ts';
import { onDisk, type Unshare } from './programs.ts';
import type { Registration } from './registry.ts';

/** From spawn to a mounted disk with the server started on it; a loaded machine takes a second. */
const LAUNCH_MS_MAX = 30_000;
const LAUNCH_POLL_MS = 10;

export interface MemberOptions {
  readonly name: string;
  /** The server's command line; its data directory is `mount`, or `backing` without a disk. */
  readonly command: readonly [string, ...string[]];
  readonly disk:
    | {
        readonly kind: 'fuse';
        readonly unshare: Unshare;
        readonly controlPort: number;
        /** What the disk keeps beside its files. */
        readonly state: string;
      }
    | { readonly kind: 'plain'; readonly reason: string };
  readonly mount: string;
  readonly backing: string;
  readonly logPath: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly registration: Registration;
  /** Of the disk, from the first start on; none if absent. */
  readonly diskFault?: DiskFault;
}

type State =
  | { readonly kind: 'dead' }
  | {
      readonly kind: 'running';
      readonly pid: number;
      readonly paused: boolean;
      /** Resolves when the whole group is gone. */
      readonly gone: Promise<void>;
    };

export class Member {
  readonly name: string;
  readonly #options: MemberOptions;
  #state: State = { kind: 'dead' };
  #fsyncDelayMs = 0;
  #diskFault: DiskFault;
  #logStartBytes = 0;
  #lastExit: string | undefined;
  /** Of the server, behind those of its command line. */
  #extraFlags: readonly string[] = [];

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
    this.#diskFault = options.diskFault ?? { type: 'none' };
  }

  get isRunning(): boolean {
    return this.#state.kind === 'running';
  }

  /** Of the server, or of the disk in front of it; undefined: not running. */
  get pid(): number | undefined {
    return this.#state.kind === 'running' ? this.#state.pid : undefined;
  }

  get isPaused(): boolean {
    return this.#state.kind === 'running' && this.#state.paused;
  }

  /** Exit code or signal of its last end, in words. */
  get lastExit(): string | undefined {
    return this.#lastExit;
  }

  /** What the server has logged since its last start, as far as the last lines go. */
  get logTail(): string {
    return logTail(this.#options.logPath, this.#logStartBytes);
  }

  /** Launches the server on its old data; a running member is left alone. */
  async start(): Promise<void> {
    if (this.#state.kind === 'running') return;
    const { backing, mount, disk } = this.#options;
    for (const directory of [backing, mount])
      mkdirSync(directory, { recursive: true, mode: 0o700 });
    this.#logStartBytes = logSizeBytes(this.#options.logPath);
    await this.#spawn();
    if (disk.kind === 'fuse') await this.#awaitDisk(disk.controlPort);
  }

  /** Given to the server from its next start on, in place of earlier ones. */
  setExtraFlags(flags: readonly string[]): void {
    this.#extraFlags = flags;
  }

  /** SIGTERM for the server, which its disk passes on; false: SIGKILL had to follow. */
  async stop(limitMs: number): Promise<boolean> {
    if (this.#state.kind === 'dead') return true;
    if (this.#state.paused) await this.resume();
    const { pid, gone } = this.#state;
    process.kill(pid, 'SIGTERM');
    const isGone = await Promise.race([gone.then(() => true), sleep(limitMs, false)]);
    if (!isGone) await this.kill();
    return isGone;
  }

  /** SIGKILL for server and disk; resolves when neither has a thread left. */
  async kill(): Promise<void> {
    if (this.#state.kind === 'dead') return;
    const { disk } = this.#options;
    // A lie only shows when the power goes.
    if (this.#diskFault.type === 'lie' && disk.kind === 'fuse' && !this.#state.paused) {
      await failPower(disk.controlPort, { keeps: 'nothing', seed: 0 }).catch(() => undefined);
    }
    if (this.#state.kind === 'running') await this.#killGroup(this.#state);
  }

  async #killGroup({ pid, gone }: State & { kind: 'running' }): Promise<void> {
    await killGroup(pid);
    await gone;
  }

  /** Without waiting: for the end of the harness itself. */
  killNow(): void {
    if (this.#state.kind === 'running') signalGroup(this.#state.pid, 'SIGKILL');
  }

  /** SIGSTOP for server and disk: sockets stay open, nothing answers. */
  pause(): void {
    const running = this.#running('pause');
    signalGroup(running.pid, 'SIGSTOP');
    this.#state = { ...running, paused: true };
  }

  /** Fine on a member that is dead or not paused. */
  async resume(): Promise<void> {
    if (this.#state.kind === 'dead') return;
    if (this.#state.paused) {
      signalGroup(this.#state.pid, 'SIGCONT');
      this.#state = { ...this.#state, paused: false };
    }
    const { disk } = this.#options;
    // It may have changed while the disk could not listen, or an earlier resume failed at this.
    if (disk.kind !== 'fuse') return;
    await setFsyncDelay(disk.controlPort, this.#fsyncDelayMs);
    await setDiskFault(disk.controlPort, this.#diskFault);
  }

  /** Takes effect at once, or with the resume or restart of a member that cannot listen. */
  async setFsyncDelay(delayMs: number): Promise<void> {
    const controlPort = this.#controlPort();
    this.#fsyncDelayMs = delayMs;
    if (this.#state.kind === 'dead' || this.#state.paused) return;
    await setFsyncDelay(controlPort, delayMs);
  }

  async diskCounter(): Promise<DiskCounter> {
    const controlPort = this.#controlPort();
    const running = this.#running('ask the disk of');
    if (running.paused) throw new ClusterError(`${this.name} is paused, and its disk with it`);
    return readDiskCounter(controlPort);
  }

  /** As {@link setFsyncDelay}. */
  async setDiskFault(fault: DiskFault): Promise<void> {
    const controlPort = this.#controlPort();
    this.#diskFault = fault;
    if (this.#state.kind === 'dead' || this.#state.paused) return;
    await setDiskFault(controlPort, fault);
  }

  /** Also of a member that is dead: what stopped it is what one wants to know. */
  diskFaultTally(): DiskFaultTally {
    this.#controlPort();
    const { disk } = this.#options;
    return readTallyOf(disk.kind === 'fuse' ? disk.state : '');
  }

  /** Nothing of it runs when this resolves. */
  async failPower(loss: PowerLoss): Promise<PowerLossReport> {
    const controlPort = this.#controlPort();
    const running = this.#running('fail the power of');
    if (running.paused) throw new ClusterError(`${this.name} is paused, and its disk with it`);
    const report = await failPower(controlPort, loss);
    await this.#killGroup(running);
    return report;
  }

  #controlPort(): number {
    const { disk } = this.#options;
    if (disk.kind === 'fuse') return disk.controlPort;
    throw new ClusterError(`${this.name} has no disk of ours: ${disk.reason}`);
  }

  #running(what: string): State & { kind: 'running' } {
    if (this.#state.kind === 'running') return this.#state;
    throw new ClusterError(`cannot ${what} ${this.name}: it is not running`);
  }

  async #spawn(): Promise<void> {
    const [program, ...parameters] = this.#commandLine();
    const log = openLog(this.#options.logPath);
    const child = spawn(program, parameters, {
      detached: true,
      env: this.#options.environment,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const { pid } = child;
    if (pid !== undefined) {
      this.#options.registration.add(pid);
      const gone = this.#watch(child, pid);
      // A group that survives SIGKILL is reported by whoever kills the member.
      gone.catch(() => undefined);
      this.#state = { kind: 'running', pid, paused: false, gone };
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('spawn', resolve);
    child.once('error', (cause) => {
      reject(new ClusterError(`cannot start ${this.name}: ${cause.message}`, { cause }));
    });
    await promise;
  }

  #commandLine(): readonly [string, ...string[]] {
    const { disk, mount, backing } = this.#options;
    const command = [...this.#options.command, ...this.#extraFlags] as const;
    if (disk.kind === 'plain') return command;
    const { unshare, controlPort, state } = disk;
    const orders = { fsyncDelayMs: this.#fsyncDelayMs, fault: this.#diskFault };
    return onDisk(command, { unshare, mount, backing, state, controlPort, ...orders });
  }

  /** A group whose leader has ended has no business running on. */
  async #watch(child: ChildProcess, pid: number): Promise<void> {
    await new Promise<void>((resolve) => {
      child.once('exit', (code, signal) => {
        this.#lastExit = signal ?? `exit code ${code}`;
        resolve();
      });
    });
    await killGroup(pid);
    this.#options.registration.remove(pid);
    this.#state = { kind: 'dead' };
  }

  /** The disk listens once it is mounted and the server spawned. */
  async #awaitDisk(controlPort: number): Promise<void> {
    for (let waitedMs = 0; ; waitedMs += LAUNCH_POLL_MS) {
      if (!this.isRunning) throw new ClusterError(`${this.name} ended at once:\n${this.logTail}`);
      const answered = await readDiskCounter(controlPort).then(
        () => true,
        () => false,
      );
      if (answered) return;
      if (waitedMs > LAUNCH_MS_MAX)
        throw new ClusterError(`the disk of ${this.name} does not start`);
      await sleep(LAUNCH_POLL_MS);
    }
  }
}
