/**
 * Runs inside a container, or as a process: one piece of work that a fault should hurt, measured.
 * Handed to `node -e` as text. The first argument names the work; prints a JSON object.
 *
 *   spin MS        {"share": 0.98, "throttled": 0}  of one processor that a busy loop got, and how
 *                                       often its control group was made to wait meanwhile
 *   hoard MIB      {"mebibytes": 256}   memory that it could fill
 *   fsync DIR      {"medianMs": 0.4}    of a write of 4 KiB with fsync
 *   fill DIR MIB   {"bytes": 1048576, "code": "ENOSPC"}  written until a write failed, or MIB
 *   wall           {"wallMs": 1760000000000}
 *   dial HOST PORT {"answers": false, "code": "ETIMEDOUT"}
 */

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';

/** Of control groups of version 2, then 1. */
const CPU_STAT_FILES = [
  '/sys/fs/cgroup/cpu.stat',
  '/sys/fs/cgroup/cpu/cpu.stat',
  '/sys/fs/cgroup/cpu,cpuacct/cpu.stat',
];
const MEBIBYTE = 2 ** 20;
const SYNCS = 9;
const DIAL_MS_MAX = 700;

const [work = '', ...given] = process.argv.slice(1);
process.stdout.write(JSON.stringify(await perform(work, given)));
process.exit(0);

async function perform(name: string, [first = '', second = '']: readonly string[]) {
  switch (name) {
    case 'spin':
      return spin(Number(first));
    case 'hoard':
      return hoard(Number(first));
    case 'fsync':
      return fsync(first);
    case 'fill':
      return fill(first, Number(second));
    case 'wall':
      return { wallMs: Date.now() };
    case 'dial':
      return dial(first, Number(second));
    default:
      throw new Error(`no such work: ${name}`);
  }
}

function spin(forMs: number): unknown {
  const throttledBefore = throttled();
  const usedBefore = process.cpuUsage();
  const startMs = performance.now();
  while (performance.now() - startMs < forMs);
  const { user, system } = process.cpuUsage(usedBefore);
  const share = (user + system) / 1000 / (performance.now() - startMs);
  return { share, throttled: throttled() - throttledBefore };
}

/** Periods in which this control group had used up its quota; 0 where there is no count. */
function throttled(): number {
  for (const path of CPU_STAT_FILES) {
    if (!existsSync(path)) continue;
    return Number(/^nr_throttled (\d+)$/m.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
  }
  return 0;
}

function hoard(mebibytes: number): unknown {
  const held: Buffer[] = [];
  // Filled, because the kernel counts what was touched.
  while (held.length < mebibytes) held.push(Buffer.alloc(MEBIBYTE, 1));
  return { mebibytes: held.length };
}

function fsync(directory: string): unknown {
  const path = join(directory, 'storm-doctor');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096, 1);
  const times: number[] = [];
  for (let at = 0; at < SYNCS; at++) {
    writeSync(file, page);
    const startMs = performance.now();
    fsyncSync(file);
    times.push(performance.now() - startMs);
  }
  closeSync(file);
  unlinkSync(path);
  return { medianMs: times.sort((a, b) => a - b)[SYNCS >> 1] };
}

function fill(directory: string, mebibytes: number): unknown {
  const path = join(directory, 'storm-doctor');
  const file = openSync(path, 'w');
  const page = Buffer.alloc(4096, 1);
  let bytes = 0;
  let code = '';
  while (code === '' && bytes < mebibytes * MEBIBYTE) {
    try {
      bytes += writeSync(file, page);
    } catch (error) {
      code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    }
  }
  closeSync(file);
  unlinkSync(path);
  return { bytes, code };
}

function dial(host: string, port: number): Promise<unknown> {
  const { promise, resolve } = Promise.withResolvers<unknown>();
  const socket = connect({ host, port });
  socket.on('connect', () => resolve({ answers: true }));
  socket.on('error', (error: NodeJS.ErrnoException) =>
    resolve({ answers: false, code: error.code }),
  );
  setTimeout(() => resolve({ answers: false, code: 'silence' }), DIAL_MS_MAX);
  return promise;
}
