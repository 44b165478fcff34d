/**
 * Whose child a process is, in its environment, which its own children inherit. The registry is
 * written after a spawn, so a harness that is killed between the two leaves a process that is
 * written down nowhere: this tells. Linux only.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentOwner, isOwnerGone, type Owner, processStartTime } from '../docker/owner.ts';
import { identify, isAlive } from './process-table.ts';

const VARIABLE = 'STORM_OWNER';
/** A process may start another while it is being looked at; each time around fewer can. */
const ROUNDS_MAX = 20;
const END_POLL_MS = 5;
const END_POLLS_MAX = 6_000;

const isLinux = process.platform === 'linux';

interface Mark extends Owner {
  /** Runs with different ones know nothing of each other, as with the registry. */
  readonly temporary: string;
}

/** For the environment of everything that this process starts and must not outlive it. */
export function ownerMark(): Readonly<Record<string, string>> {
  if (!isLinux) return {};
  const mark: Mark = { ...currentOwner(), temporary: tmpdir() };
  return { [VARIABLE]: JSON.stringify(mark) };
}

/**
 * SIGKILL for every process whose owner is dead, if that had this temporary directory too;
 * resolves when they have ended: with how many.
 */
export async function killOrphans(): Promise<number> {
  if (!isLinux) return 0;
  const self = currentOwner();
  let count = 0;
  for (let round = 1; round <= ROUNDS_MAX; round++) {
    const orphans = orphansOf(self);
    if (orphans.length === 0) break;
    count += orphans.length;
    await Promise.all(orphans.map(end));
  }
  return count;
}

function orphansOf(self: Owner): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      const mark = markOf(pid);
      if (mark === undefined || mark.temporary !== tmpdir()) return false;
      return isOwnerGone(mark, self, processStartTime);
    });
}

/** Undefined: unmarked, gone, or somebody else's. */
function markOf(pid: number): Mark | undefined {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    const text = environment.find((entry) => entry.startsWith(`${VARIABLE}=`));
    const mark: unknown = JSON.parse(text?.slice(VARIABLE.length + 1) ?? 'null');
    return isMark(mark) && identify(pid) !== undefined ? mark : undefined;
  } catch {
    return undefined;
  }
}

function isMark(value: unknown): value is Mark {
  if (typeof value !== 'object' || value === null) return false;
  const texts = ['startTime', 'bootId', 'pidNamespace', 'temporary'];
  return (
    Number.isInteger(Reflect.get(value, 'pid')) &&
    texts.every((field) => typeof Reflect.get(value, field) === 'string')
  );
}

/** A process that waits for the disk finishes that wait first. */
async function end(pid: number): Promise<void> {
  const identity = identify(pid);
  if (identity === undefined) return;
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // Gone meanwhile.
    return;
  }
  for (let poll = 0; poll < END_POLLS_MAX && isAlive(identity); poll++) await sleep(END_POLL_MS);
}
