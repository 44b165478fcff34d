/**
 * What the process probes may hurt: processes in groups of their own, written down like a run's so
 * that the next sweep ends what a killed doctor has left, and a directory under the temporary one.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { assert } from '../../../src/lib/assert.ts';
import { identify, isAlive, killGroup, signalGroup } from '../../cluster/process/process-table.ts';
import { childEnvironment } from '../../cluster/process/programs.ts';
import { Registration, unmountBelow } from '../../cluster/process/registry.ts';
import { parsePrinted } from '../inside-program.ts';
import type { Bench } from '../probe.ts';

/** `storm-doctor-PID-STARTTIME`: whose it is, and whether that process is gone. */
const DIRECTORY = /^storm-doctor-(\d+)-([^-]+)$/;

export class ProcessScratch {
  readonly bench: Bench;
  readonly directory: string;
  readonly environment: NodeJS.ProcessEnv = childEnvironment();
  readonly #registration: Registration;
  readonly #groups = new Set<number>();

  /** Throws ClusterError when the same doctor has one already. */
  constructor(bench: Bench) {
    this.bench = bench;
    const self = identify(process.pid);
    assert(self !== undefined, 'this process runs');
    const name = `storm-doctor-${self.pid}-${encodeURIComponent(self.startTime)}`;
    this.directory = join(tmpdir(), name);
    this.#registration = new Registration(bench.runId, this.directory);
    mkdirSync(this.directory, { recursive: true, mode: 0o700 });
    process.once('exit', this.#killNow);
  }

  /** A new empty directory. */
  newDirectory(name: string): string {
    const path = join(this.directory, name);
    rmSync(path, { recursive: true, force: true });
    mkdirSync(path, { recursive: true });
    return path;
  }

  /** Starts a program in a group of its own; {@link end} ends it, if nothing else does. */
  start([program, ...parameters]: readonly [string, ...string[]]): ChildProcess {
    const child = spawn(program, parameters, {
      detached: true,
      env: this.environment,
      cwd: this.directory,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    // Who cannot be started says so to whoever waits for it.
    child.on('error', () => undefined);
    child.stdin?.on('error', () => undefined);
    if (child.pid !== undefined) this.adopt(child.pid);
    return child;
  }

  /** Takes care of a group that somebody else has started, in the turn of its start. */
  adopt(groupId: number): void {
    this.#groups.add(groupId);
    this.#registration.add(groupId);
  }

  /** SIGKILL for the group; resolves when it is gone. */
  async end(groupId: number | undefined): Promise<void> {
    if (groupId === undefined) return;
    await killGroup(groupId);
    this.#groups.delete(groupId);
    this.#registration.remove(groupId);
  }

  /** What a program printed, an object of JSON. Throws with its last words when it failed. */
  async printedBy(child: ChildProcess): Promise<Readonly<Record<string, unknown>>> {
    assert(child.stdout !== null && child.stderr !== null, 'its output is piped');
    const failed = new Promise<never>((_, reject) => child.once('error', reject));
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const all = Promise.all([text(child.stdout), text(child.stderr), ended]);
    // Whichever of the two is not awaited to its end must not count as unhandled.
    all.catch(() => undefined);
    failed.catch(() => undefined);
    try {
      const [stdout, stderr, code] = await Promise.race([all, failed]);
      if (code === 0) return parsePrinted(stdout);
      throw new Error(stderr.trim().split('\n')[0] || `ended with ${code}`);
    } finally {
      await this.end(child.pid);
    }
  }

  /** Ends all that was started. What comes later starts from nothing. */
  async discard(): Promise<void> {
    await Promise.all([...this.#groups].map((groupId) => this.end(groupId)));
    unmountBelow(this.directory);
  }

  async close(): Promise<void> {
    await this.discard();
    rmSync(this.directory, { recursive: true, force: true });
    this.#registration.close();
    process.off('exit', this.#killNow);
  }

  /** However the doctor ends, unless by SIGKILL: then the next sweep does it. */
  readonly #killNow = (): void => {
    for (const groupId of this.#groups) signalGroup(groupId, 'SIGKILL');
  };
}

/** Removes the directories of doctors that are gone; call it after the sweep of processes. */
export function sweepScratchDirectories(): number {
  const gone = readdirSync(tmpdir()).filter((name) => {
    const [, pid, startTime] = DIRECTORY.exec(name) ?? [];
    if (pid === undefined || startTime === undefined) return false;
    return !isAlive({ pid: Number(pid), startTime: decodeURIComponent(startTime) });
  });
  for (const name of gone) {
    unmountBelow(join(tmpdir(), name));
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  return gone.length;
}
