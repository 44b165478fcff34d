/**
 * Mounting and unmounting, by mount(8) and umount(8): Node has no system call for either. The
 * mount(2) of FUSE takes the number of an open descriptor of `/dev/fuse` as an option, so the
 * device is opened here and handed to mount(8) as its descriptor 3.
 *
 * Needs CAP_SYS_ADMIN in the mount namespace: as root, or inside `unshare --user --mount`.
 */

import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Result } from '../../src/lib/result.ts';
import { err, ok } from '../../src/lib/result.ts';
import { type Disk, openDisk } from './operations/disk.ts';
import { type Session, serve } from './session.ts';

const DEVICE = '/dev/fuse';
/** How the disk calls itself in /proc/mounts. */
export const MOUNT_SOURCE = 'stormdisk';

/** Serves `disk` at `directory`; resolves when it answers. The error says what is missing. */
export async function mount(directory: string, disk: Disk): Promise<Result<Session, string>> {
  let deviceFd: number;
  try {
    deviceFd = openSync(DEVICE, 'r+');
  } catch (error) {
    return err(`cannot open ${DEVICE}: ${error instanceof Error ? error.message : error}`);
  }
  const ids = `user_id=${process.getuid?.()},group_id=${process.getgid?.()}`;
  const options = `fd=3,rootmode=40000,${ids},default_permissions`;
  const mounted = await run(
    'mount',
    ['-i', '-t', 'fuse', '-o', options, MOUNT_SOURCE, directory],
    deviceFd,
  );
  if (!mounted.ok) {
    closeSync(deviceFd);
    return mounted;
  }
  const session = serve(deviceFd, disk);
  const ended = session.ended.finally(() => closeSync(deviceFd));
  await Promise.race([session.ready, ended]);
  return ok({ ready: session.ready, ended });
}

/** By force if a process still has files open there: it gets errors from then on. */
export async function unmount(directory: string): Promise<Result<void, string>> {
  const unmounted = await run('umount', [directory]);
  return unmounted.ok ? unmounted : run('umount', ['--force', '--lazy', directory]);
}

/** Whether a disk can be mounted here, tried with an empty one. */
export async function probe(): Promise<Result<void, string>> {
  const directory = mkdtempSync(join(tmpdir(), `stormdisk-probe-${process.pid}-`));
  const disk = openDisk(directory, 0);
  try {
    const mounted = await mount(directory, disk);
    if (!mounted.ok) return mounted;
    const unmounted = await unmount(directory);
    await mounted.value.ended;
    return unmounted;
  } finally {
    disk.inodes.close();
    rmdirSync(directory);
  }
}

/** Runs a program to its end; the error is what it said. `inheritedFd` becomes its descriptor 3. */
function run(
  program: string,
  parameters: readonly string[],
  inheritedFd?: number,
): Promise<Result<void, string>> {
  const { promise, resolve } = Promise.withResolvers<Result<void, string>>();
  const stdio: ('ignore' | 'pipe' | number)[] = ['ignore', 'ignore', 'pipe'];
  if (inheritedFd !== undefined) stdio.push(inheritedFd);
  const child = spawn(program, parameters, { stdio });
  let said = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.on('error', (error) => resolve(err(`${program}: ${error.message}`)));
  child.on('close', (code) => {
    const reason = said.trim().replaceAll(/\s+/g, ' ');
    resolve(code === 0 ? ok(undefined) : err(reason || `${program} exited with ${code}`));
  });
  return promise;
}
