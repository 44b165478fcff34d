/**
 * A disk that can fail: mounts a pass-through of a directory (FUSE), runs a command on it, and
 * takes its orders over HTTP. It ends with the command, whose exit code it passes on.
 *
 *   node harness/disk/main.ts --mount DIR --backing DIR [--state DIR] [--control HOST:PORT]
 *                             [--fsync-delay-ms N] [--fault JSON] -- COMMAND ARGUMENTS...
 *   node harness/disk/main.ts --probe
 *   node harness/disk/main.ts --damage bit-rot|misdirected-write --backing DIR --seed TEXT
 *
 * With --state its power can fail: what it needs for that is kept there, on the file system of the
 * backing, which is made if it is not there. On a backing in memory (tmpfs) the latency is what was ordered and nothing else.
 * --damage damages the log in a backing directory that no disk serves, and says in a line what it
 * did, or nothing if there is none.
 *
 * Exit code 4, with a reason in one line: this machine cannot mount it. 2: wrong usage.
 *
 * Run it in the process group, the container or the mount namespace of its command, so that both
 * die together: a server whose disk is gone gets ENOTCONN, a server killed alone stays in the
 * kernel until its request is answered.
 */

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { err, ok, type Result } from '../../src/lib/result.ts';
import type { DiskFault } from '../cluster/cluster.ts';
import { seededRandom } from '../seeded-random.ts';
import { isDelay, listenForControl } from './control.ts';
import { damageLog } from './damage-log.ts';
import { mount, probe, unmount } from './mount.ts';
import { openDisk } from './operations/disk.ts';
import { openState, takeNextFault } from './operations/state-directory.ts';
import { parseFault } from './orders.ts';
import { READERS } from './session.ts';

const EXIT_USAGE = 2;
const EXIT_CANNOT_MOUNT = 4;

/** fsyncs that can run at once, besides the readers, without waiting for a thread. */
const SYNC_THREADS = 10;

interface Options {
  readonly mount: string;
  readonly backing: string;
  readonly control: { readonly host: string; readonly port: number } | undefined;
  readonly fsyncDelayMs: number;
  readonly fault: DiskFault;
  readonly state: string | undefined;
  readonly command: readonly [string, ...string[]];
}

/** The size of the thread pool is read when it is first used, and is not the command's business. */
const commandEnvironment = { ...process.env };
process.env.UV_THREADPOOL_SIZE = String(READERS + SYNC_THREADS);

process.exitCode = await main(process.argv.slice(2));

async function main(parameters: readonly string[]): Promise<number> {
  if (parameters.length === 1 && parameters[0] === '--probe') {
    const probed = await probe();
    return probed.ok ? 0 : complain(EXIT_CANNOT_MOUNT, probed.error);
  }
  if (parameters[0] === '--damage') return damageBacking(parameters);
  const options = parseOptions(parameters);
  if (!options.ok) return complain(EXIT_USAGE, options.error);
  return runOnDisk(options.value);
}

async function runOnDisk(options: Options): Promise<number> {
  if (options.state !== undefined) mkdirSync(options.backing, { recursive: true });
  const state = options.state === undefined ? undefined : openState(options.state);
  const disk = openDisk(options.backing, options.fsyncDelayMs, state);
  disk.faults.set(options.fault);
  const mounted = await mount(options.mount, disk);
  if (!mounted.ok) return complain(EXIT_CANNOT_MOUNT, mounted.error);
  const exited = runCommand(options.command);
  const control = options.control && (await listenForControl(disk, options.control));
  const exitCode = await Promise.race([exited, mounted.value.ended.then(() => exited)]);
  control?.close();
  control?.closeAllConnections();
  // Unmounting would wait for an answer for ever, and so would an orderly end for the readers.
  if (disk.powerFailed) process.kill(process.pid, 'SIGKILL');
  const unmounted = await unmount(options.mount);
  if (!unmounted.ok) return complain(exitCode || 1, unmounted.error);
  await mounted.value.ended;
  return exitCode;
}

/** Resolves with the command's exit code, 128 + the signal's number if one ended it. */
function runCommand([program, ...parameters]: readonly [string, ...string[]]): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const child = spawn(program, parameters, { stdio: 'inherit', env: commandEnvironment });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => child.kill(signal));
  }
  child.on('error', (error) => resolve(complain(127, error.message)));
  child.on('exit', (code, signal) => {
    resolve(signal === null ? (code ?? 1) : 128 + constants.signals[signal]);
  });
  return promise;
}

function parseOptions(parameters: readonly string[]): Result<Options, string> {
  const end = parameters.indexOf('--');
  const [program, ...rest] = end === -1 ? [] : parameters.slice(end + 1);
  if (program === undefined) return err('no command: ... -- COMMAND ARGUMENTS...');
  const parsed = parseValues(parameters.slice(0, end));
  if (!parsed.ok) return parsed;
  const values = parsed.value;
  if (values.mount === undefined || values.backing === undefined) {
    return err('--mount DIR and --backing DIR are required');
  }
  const [mountPoint, backing] = [resolve(values.mount), resolve(values.backing)];
  // The backing must be reached without the mount: the disk would wait for itself.
  if (!relative(mountPoint, backing).startsWith('..')) return err('--backing lies in --mount');
  const state = values.state === undefined ? undefined : resolve(values.state);
  if (state === undefined && !existsSync(backing)) return err('--backing does not exist');
  for (const place of [backing, mountPoint]) {
    if (state !== undefined && !relative(place, state).startsWith('..')) {
      return err('--state lies in --backing or --mount');
    }
  }
  const fsyncDelayMs = Number(values['fsync-delay-ms']);
  if (!isDelay(fsyncDelayMs)) return err('--fsync-delay-ms is out of range');
  const control = values.control === undefined ? undefined : parseAddress(values.control);
  if (values.control !== undefined && control === undefined) return err('--control HOST:PORT');
  const ordered = state === undefined ? undefined : takeNextFault(state);
  const fault = readFault(ordered ?? values.fault);
  if (fault === undefined) return err('--fault is none that this disk knows');
  const command: Options['command'] = [program, ...rest];
  return ok({ mount: mountPoint, backing, control, fsyncDelayMs, fault, state, command });
}

interface Values {
  readonly mount?: string;
  readonly backing?: string;
  readonly state?: string;
  readonly control?: string;
  readonly 'fsync-delay-ms': string;
  readonly fault: string;
}

function parseValues(args: readonly string[]): Result<Values, string> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        mount: { type: 'string' },
        backing: { type: 'string' },
        state: { type: 'string' },
        control: { type: 'string' },
        'fsync-delay-ms': { type: 'string', default: '0' },
        fault: { type: 'string', default: '{"type":"none"}' },
      },
    });
    return ok(values);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function readFault(json: string): DiskFault | undefined {
  try {
    return parseFault(JSON.parse(json));
  } catch {
    return undefined;
  }
}

function damageBacking(parameters: readonly string[]): number {
  const { values } = parseArgs({
    args: [...parameters],
    options: {
      damage: { type: 'string' },
      backing: { type: 'string' },
      seed: { type: 'string', default: '' },
    },
  });
  const { damage, backing, seed } = values;
  if (backing === undefined || (damage !== 'bit-rot' && damage !== 'misdirected-write')) {
    return complain(EXIT_USAGE, '--damage bit-rot|misdirected-write --backing DIR');
  }
  const done = damageLog(resolve(backing), damage, seededRandom(0).fork(seed));
  process.stdout.write(done === undefined ? '' : `${done}\n`);
  return 0;
}

function parseAddress(address: string): { host: string; port: number } | undefined {
  const [, host, port] = /^(.+):(\d+)$/.exec(address) ?? [];
  return host === undefined ? undefined : { host, port: Number(port) };
}

function complain(exitCode: number, reason: string): number {
  process.stderr.write(`stormdisk: ${reason}\n`);
  return exitCode;
}
