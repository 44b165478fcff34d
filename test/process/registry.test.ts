/** The registry of runs: what is written down, and what a sweep may and may not touch. */

import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ClusterError } from '../../harness/cluster/cluster.ts';
import { identify, isAlive, killGroup } from '../../harness/cluster/process/process-table.ts';
import { Registration, sweepProcesses } from '../../harness/cluster/process/registry.ts';

/** A pid that belonged to a process which has ended. */
const deadOwner = { pid: spawnSync('true').pid, startTime: '1' };

describe('the registry', () => {
  const outer = process.env.TMPDIR;
  let directory: string;
  let entries: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'registry-test-'));
    process.env.TMPDIR = directory;
    entries = join(directory, `stormraft-processes-${process.getuid?.() ?? 0}`);
  });

  afterEach(() => {
    if (outer === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = outer;
    rmSync(directory, { recursive: true });
  });

  const sleeper = (): number => {
    return spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).pid!;
  };

  const write = (runId: string, entry: object): void => {
    mkdirSync(entries, { recursive: true });
    writeFileSync(join(entries, `${runId}.json`), JSON.stringify(entry));
  };

  test('a process is its pid and its start time', async () => {
    const pid = sleeper();
    const identity = identify(pid)!;
    expect(isAlive(identity)).toBe(true);
    expect(isAlive({ ...identity, startTime: '1' })).toBe(false);
    await killGroup(pid);
    expect(isAlive(identity)).toBe(false);
    await killGroup(pid);
  });

  test('a live run is left alone, and its id cannot be taken', async () => {
    const pid = sleeper();
    const registration = new Registration('a/run', directory);
    registration.add(pid);
    expect(await sweepProcesses()).toEqual({ processes: 0, mounts: 0 });
    expect(isAlive(identify(pid)!)).toBe(true);
    expect(() => new Registration('a/run', directory)).toThrow(ClusterError);
    const written = JSON.parse(readFileSync(join(entries, 'a%2Frun.json'), 'utf8'));
    expect(written.groups).toEqual([identify(pid)]);
    await killGroup(pid);
    registration.remove(pid);
    registration.close();
    new Registration('a/run', directory).close();
  });

  test('a dead run: its processes end, a pid that has changed hands does not', async () => {
    const [member, stranger] = [sleeper(), sleeper()];
    const groups = [identify(member), { pid: stranger, startTime: '1' }];
    write('dead', { runId: 'dead', owner: deadOwner, groups, mountRoot: directory });
    expect(await sweepProcesses()).toEqual({ processes: 1, mounts: 0 });
    expect(identify(stranger)).toBeDefined();
    expect(await sweepProcesses()).toEqual({ processes: 0, mounts: 0 });
    await killGroup(stranger);
  });

  test('a file that tells nothing is dropped', async () => {
    write('damaged', { owner: 3 });
    writeFileSync(join(entries, 'torn.json'), '{"own');
    expect(await sweepProcesses()).toEqual({ processes: 0, mounts: 0 });
    expect(() => readFileSync(join(entries, 'torn.json'))).toThrow('ENOENT');
  });

  const mayMount = process.getuid?.() === 0 && process.platform === 'linux';
  test.skipIf(!mayMount)('a mount that a dead run has left is unmounted', async (context) => {
    const mountPoint = join(directory, 'mnt n1');
    mkdirSync(mountPoint);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', 'registry-test', mountPoint]);
    if (mounted.status !== 0) return context.skip(String(mounted.stderr));
    write('dead', { runId: 'dead', owner: deadOwner, groups: [], mountRoot: directory });
    expect(await sweepProcesses()).toEqual({ processes: 0, mounts: 1 });
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain('registry-test');
  });
});
