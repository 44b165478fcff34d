/**
 * What this user's runs have started, written down where a later run finds it: one JSON file per
 * run in a directory under the temporary one. A harness that dies by SIGKILL leaves its file, and
 * its members running; {@link sweepProcesses} ends them.
 */

import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assert } from '../../../src/lib/assert.ts';
import { ClusterError } from '../cluster.ts';
import { sweepCpuCgroups } from './cpu-quota.ts';
import { killOrphans } from './owner-mark.ts';
import { identify, isAlive, killGroup, type ProcessIdentity } from './process-table.ts';

/** An entry that is being written. */
const WRITING = '.next';
const WRITING_MS_MAX = 60_000;
/** Directories of the backends below the temporary one, with the pid of who removes them. */
const TEMPORARY = /\/(?:stormdisk-probe|storm-image)-(\d+)-[^/]*$/;

interface Entry {
  readonly runId: string;
  readonly owner: ProcessIdentity;
  /** Leaders of process groups. */
  readonly groups: readonly ProcessIdentity[];
  /** Mount points of the run lie in here. */
  readonly mountRoot: string;
}

/**
 * Ends what runs of dead owners have left: kills their process groups, unmounts their disks, and
 * removes their temporary directories.
 * Runs whose owner is alive are not touched. Answers how many groups and mounts there were.
 */
export async function sweepProcesses(): Promise<{ processes: number; mounts: number }> {
  const swept = { processes: 0, mounts: 0 };
  for (const file of entryFiles()) {
    const entry = readEntry(file);
    if (entry !== undefined && isAlive(entry.owner)) continue;
    if (entry !== undefined) {
      const groups = entry.groups.filter(isAlive);
      await Promise.all(groups.map(({ pid }) => killGroup(pid)));
      swept.processes += groups.length;
      swept.mounts += unmountBelow(entry.mountRoot);
      sweepCpuCgroups(entry.runId);
      rmSync(memoryDirectory(entry.runId), { recursive: true, force: true });
    }
    rmSync(file, { force: true });
  }
  swept.processes += await killOrphans();
  sweepTemporaries();
  return swept;
}

/** Only once nothing of the dead owners runs any more: it would be in use. */
function sweepTemporaries(): void {
  for (const file of filesOf(directory()).filter((name) => name.endsWith(WRITING))) {
    const entry = readEntry(file);
    const isOver = entry === undefined ? ageMs(file) > WRITING_MS_MAX : !isAlive(entry.owner);
    if (isOver) rmSync(file, { force: true });
  }
  for (const path of filesOf(tmpdir())) {
    const pid = TEMPORARY.exec(path)?.[1];
    if (pid !== undefined && identify(Number(pid)) === undefined) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

/** 0 where there is no such file any more. */
function ageMs(file: string): number {
  return Date.now() - (statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
}

/** One run's file, kept up to date by its owner: this process. */
export class Registration {
  readonly #file: string;
  #entry: Entry;

  /** Throws {@link ClusterError} when a live run has the same id. */
  constructor(runId: string, mountRoot: string) {
    mkdirSync(directory(), { recursive: true, mode: 0o700 });
    this.#file = join(directory(), `${encodeURIComponent(runId)}.json`);
    const other = existsSync(this.#file) ? readEntry(this.#file) : undefined;
    if (other !== undefined && isAlive(other.owner)) {
      throw new ClusterError(`run ${runId} is running already, in process ${other.owner.pid}`);
    }
    const owner = identify(process.pid);
    assert(owner !== undefined, 'this process runs');
    this.#entry = { runId, owner, groups: [], mountRoot };
    this.#write();
  }

  /** Call in the same turn as the spawn of the group's leader. */
  add(pid: number): void {
    const leader = identify(pid);
    if (leader === undefined) return;
    this.#entry = { ...this.#entry, groups: [...this.#entry.groups, leader] };
    this.#write();
  }

  /** The group is gone. */
  remove(pid: number): void {
    const groups = this.#entry.groups.filter((leader) => leader.pid !== pid);
    this.#entry = { ...this.#entry, groups };
    this.#write();
  }

  close(): void {
    rmSync(this.#file, { force: true });
  }

  #write(): void {
    const next = this.#file + WRITING;
    writeFileSync(next, JSON.stringify(this.#entry));
    renameSync(next, this.#file);
  }
}

/** Where a run keeps what is to be in memory (Linux). */
export function memoryDirectory(runId: string): string {
  return join('/dev/shm', `stormraft-${encodeURIComponent(runId)}`);
}

/** Unmounts every disk below `root` that this process can see; answers how many. */
export function unmountBelow(root: string): number {
  if (process.platform !== 'linux') return 0;
  const mountPoints = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => unescapeMountPoint(line.split(' ')[1] ?? ''))
    .filter((mountPoint) => mountPoint.startsWith(`${root}/`));
  return mountPoints.filter(
    (mountPoint) => spawnSync('umount', ['--lazy', mountPoint]).status === 0,
  ).length;
}

/** Spaces and the like are octal in /proc/self/mounts. */
function unescapeMountPoint(escaped: string): string {
  return escaped.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  );
}

function directory(): string {
  return join(tmpdir(), `stormraft-processes-${process.getuid?.() ?? 0}`);
}

function entryFiles(): string[] {
  return filesOf(directory()).filter((path) => path.endsWith('.json'));
}

function filesOf(parent: string): string[] {
  if (!existsSync(parent)) return [];
  return readdirSync(parent).map((name) => join(parent, name));
}

/** Undefined for a file that tells nothing. */
function readEntry(file: string): Entry | undefined {
  try {
    const entry: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return isEntry(entry) ? entry : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  if (!('owner' in value && 'groups' in value && 'mountRoot' in value)) return false;
  const { owner, groups, mountRoot } = value;
  const identities = Array.isArray(groups) ? [owner, ...groups] : [undefined];
  return identities.every(isIdentity) && typeof mountRoot === 'string';
}

function isIdentity(value: unknown): value is ProcessIdentity {
  if (typeof value !== 'object' || value === null) return false;
  if (!('pid' in value && 'startTime' in value)) return false;
  return Number.isInteger(value.pid) && typeof value.startTime === 'string';
}
