/** Runs the disk's main program for a test, in a mount namespace as the process backend does. */

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { probeDisk } from '../../harness/cluster/process/disk-probe.ts';
import { programPath } from '../../harness/cluster/process/programs.ts';

const probed = await probeDisk(process.env);

/** Why there is no FUSE here; on CI that is a failure of the tests and no reason to skip them. */
export const noDisk: string | undefined =
  probed.ok || process.env.CI === 'true' ? undefined : probed.error;

export interface Launched {
  readonly child: ChildProcess;
  readonly directory: string;
  readonly mount: string;
  readonly backing: string;
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
}

/** MOUNT, BACKING, STATE and OTHER in the parameters stand for directories of this test. */
export function launchDisk(
  command: readonly string[],
  options: readonly string[] = [],
  /** Of an earlier launch, with what that has left; a new one if absent. */
  directory: string = mkdtempSync(join(tmpdir(), 'stormdisk-test-')),
): Launched {
  const [mount, backing, other, state] = ['mount', 'backing', 'other', 'state'].map((name) => {
    const path = join(directory, name);
    mkdirSync(path, { recursive: true });
    return path;
  });
  const places = { MOUNT: mount!, BACKING: backing!, OTHER: other!, STATE: state! };
  const replaced = [...options, '--', ...command].map((part) =>
    part.replaceAll(/MOUNT|BACKING|OTHER|STATE/g, (place) => Reflect.get(places, place)),
  );
  const [program, ...parameters] = probed.ok ? probed.value : (['unshare', '--mount'] as const);
  const main = programPath('../../disk/main');
  const where = [`--mount=${mount}`, `--backing=${backing}`];
  const child = spawn(program, [...parameters, process.execPath, main, ...where, ...replaced], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    new Promise<number | null>((resolve) => child.once('exit', resolve)),
  ]).then(([out, errors, code]) => ({ code, output: out + errors }));
  return { child, directory, mount: mount!, backing: backing!, ended };
}
