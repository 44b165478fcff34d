/** The real command on real processes. */

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { DoctorReport } from '../../harness/doctor/table.ts';

const CLI = join(import.meta.dirname, '../../harness/cli.ts');
const EVENTUALLY_MS = 60_000;

let directory: string;
let environment: NodeJS.ProcessEnv;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'doctor-test-'));
  environment = { ...process.env, TMPDIR: directory };
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Ended {
  readonly status: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function doctor(...args: string[]): Promise<Ended> {
  return new Promise((done) => {
    const command = [CLI, 'doctor', ...args];
    execFile(process.execPath, command, { env: environment }, (error, stdout, stderr) => {
      done({ status: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

/** Scratch directories of doctors, and processes that have one on their command line. */
function leftovers(): string[] {
  const scratch = readdirSync(directory).filter((name) => name.startsWith('storm-doctor-'));
  const registry = readdirSync(directory).filter((name) => name.startsWith('stormraft-processes'));
  const runs = registry.flatMap((name) => readdirSync(join(directory, name)));
  const processes = readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid) || Number(pid) === process.pid) return false;
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(`${directory}/storm-doctor-`);
    } catch {
      return false;
    }
  });
  return [...scratch, ...runs, ...processes];
}

test('JSON on standard output, stages on standard error, nothing left over', async () => {
  const { status, stdout, stderr } = await doctor('--cluster', 'process', '--json');
  expect(status).toBe(0);
  const report = JSON.parse(stdout) as DoctorReport;
  expect(report).toMatchObject({ format: 'storm-doctor-1', cluster: 'process' });
  const works = Object.fromEntries(
    report.mechanisms.map(({ mechanism, works: itDoes }) => [mechanism, itDoes]),
  );
  // Nothing but processes and sockets: these work wherever this test does.
  expect(works).toMatchObject({
    'SIGSTOP, SIGCONT': true,
    SIGKILL: true,
    'TCP proxy links': true,
  });
  expect(Object.keys(works)).toHaveLength(10);
  for (const { detail, fallback } of report.mechanisms) {
    expect(detail).not.toBe('');
    expect(fallback).not.toBe('');
  }
  expect(stderr).toMatch(/^doctor: process: 10 mechanisms$/m);
  expect(leftovers()).toEqual([]);
});

test('what is not installed is no, with the reason and what to do instead', async () => {
  environment = { ...environment, PATH: directory };
  const { status, stdout } = await doctor('--cluster', 'process', '--json');
  const report = JSON.parse(stdout) as DoctorReport;
  const found = report.mechanisms.filter(({ works }) => !works);
  expect(status).toBe(0);
  expect(found.map(({ mechanism, detail }) => `${mechanism}: ${detail}`)).toEqual([
    'FUSE, own mount namespace: unshare is not installed',
    'strace as launcher: strace is not installed',
    'prlimit on a process: prlimit is not installed',
    expect.stringMatching(/^libfaketime: (env|libfaketime) is not installed$/),
    'FIFO before the log: sh is not installed',
    'a real etcd in PATH: no executable named etcd in PATH',
  ]);
});

test('docker alone and no daemon: the table, and one line that says why', async () => {
  environment = { ...environment, DOCKER_HOST: 'tcp://127.0.0.1:1' };
  const { status, stdout, stderr } = await doctor('--cluster', 'docker');
  expect(status).toBe(3);
  expect(stderr).toMatch(
    /^storm: --cluster docker: nothing could be probed: no container daemon answers.*\n$/,
  );
  expect(stdout).toMatch(/^docker: 0 of 17 mechanisms work$/m);
  expect(stdout).toMatch(/^pause, unpause +no +pause +needs the daemon/m);
});

test('bad input is one line that names the field', async () => {
  const { status, stderr } = await doctor('--cluster', 'k8s');
  expect(status).toBe(3);
  expect(stderr).toBe('storm: --cluster k8s: unknown; use docker, process or all\n');
});

test.skipIf(process.platform !== 'linux')(
  'what a killed doctor leaves, the next removes',
  async () => {
    const child = spawn(process.execPath, [CLI, 'doctor', '--cluster', 'process'], {
      env: environment,
      stdio: 'ignore',
    });
    const ended = once(child, 'exit');
    // A FUSE disk needs the longest and is the worst to leave behind.
    const endMs = Date.now() + EVENTUALLY_MS;
    while (Date.now() < endMs && leftovers().length < 3) await sleep(10);
    child.kill('SIGKILL');
    await ended;
    expect(leftovers().length).toBeGreaterThanOrEqual(1);
    expect((await doctor('--cluster', 'process')).status).toBe(0);
    expect(leftovers()).toEqual([]);
  },
);
