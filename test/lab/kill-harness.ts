/**
 * Kills a storm with SIGKILL at moments drawn over all of its life, start and teardown included,
 * lets the next `storm` command sweep, and counts what is left of it.
 *
 *     node test/lab/kill-harness.ts process|docker [--times 20] [--seed 1] [--time-limit 15]
 *         [--within SECONDS]
 *
 * Moments are drawn from the time that a storm takes here, measured once, or from SECONDS.
 * One line for each kill, then a total. Exit status 1: something was left.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type Dockerode from 'dockerode';
import { connectDaemon } from '../../harness/cluster/docker/daemon.ts';
import { FAULT_KINDS } from '../../harness/nemesis/packages.ts';
import { seededRandom } from '../../harness/seeded-random.ts';
import { countOf, describe, labelled, lookFor, type Trail } from './leftovers.ts';

const CLI = resolve(import.meta.dirname, '../../harness/cli.ts');
/** A storm that has ended before its moment is drawn again. */
const TRIES_PER_KILL = 3;
/** Before that there is a runtime that starts, and no harness. */
const EARLIEST_MS = 200;

/** Of each kind of thing that is left. */
const SHOWN_MAX = 3;

interface Settings {
  readonly backend: 'process' | 'docker';
  readonly times: number;
  readonly seed: number;
  readonly timeLimitSeconds: number;
  /** Undefined: to be measured. */
  readonly withinSeconds: number | undefined;
  readonly base: string;
  readonly docker: Dockerode | undefined;
}

interface Storm {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  /** The newest line that it printed. */
  lastLine: string;
}

process.exitCode = await main();

async function main(): Promise<number> {
  const settings = await settingsOf(process.argv.slice(2));
  try {
    return await killAll(settings);
  } finally {
    rmSync(settings.base, { recursive: true, force: true });
  }
}

async function killAll(settings: Settings): Promise<number> {
  const random = seededRandom(settings.seed);
  const wholeMs = await measureWhole(settings);
  print(`moments are drawn from ${seconds(wholeMs)}`);
  let [kills, left] = [0, 0];
  for (let tried = 0; kills < settings.times && tried < settings.times * TRIES_PER_KILL; tried++) {
    const atMs = EARLIEST_MS + random.below(Math.ceil(wholeMs - EARLIEST_MS));
    const killed = await killOnce(settings, settings.seed + tried, atMs);
    if (killed === undefined) continue;
    kills++;
    left += killed.left;
    print(`${kills}/${settings.times} killed after ${seconds(atMs)}, ${killed.words}`);
  }
  print(`${settings.backend}: ${kills} kills, ${left} leftovers after the next storm command`);
  return kills === settings.times && left === 0 ? 0 : 1;
}

async function measureWhole(settings: Settings): Promise<number> {
  if (settings.withinSeconds !== undefined) return settings.withinSeconds * 1000;
  const begunMs = performance.now();
  const storm = startStorm(settings, settings.seed);
  await storm.ended;
  return performance.now() - begunMs;
}

/** Undefined: it had ended by itself. */
async function killOnce(
  settings: Settings,
  seed: number,
  atMs: number,
): Promise<{ readonly left: number; readonly words: string } | undefined> {
  const { base, docker } = settings;
  const storm = startStorm(settings, seed);
  await Promise.race([sleep(atMs), storm.ended]);
  const isKilled = storm.child.kill('SIGKILL');
  await storm.ended;
  const pid = storm.child.pid!;
  if (!isKilled) return undefined;
  const seen = docker === undefined ? undefined : await labelled(docker, pid);
  const trail: Trail = {
    pid,
    base,
    containers: new Set(seen?.containers),
    networks: new Set(seen?.networks),
  };
  const before = describe(await lookFor(trail, docker));
  const said = execFileSync(process.execPath, [CLI, 'sweep'], options(base)).trim();
  const leftovers = await lookFor(trail, docker);
  const left = countOf(leftovers);
  for (const line of Object.values(leftovers).flatMap((lines) => lines.slice(0, SHOWN_MAX))) {
    print(`  left: ${line}`);
  }
  const words = `at "${storm.lastLine.slice(0, 40)}": had ${before}; ${said}; left ${describe(leftovers)}`;
  return { left, words };
}

function startStorm({ backend, base, timeLimitSeconds }: Settings, seed: number): Storm {
  const parameters = [
    ...[CLI, 'run', '--cluster', backend, '--seed', String(seed)],
    ...['--time-limit', String(timeLimitSeconds)],
    ...['--faults', FAULT_KINDS.join(), '--runs-dir', join(base, 'runs')],
  ];
  const child = spawn(process.execPath, parameters, {
    env: options(base).env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const storm: Storm = { child, ended, lastLine: '' };
  child.stdout!.setEncoding('utf8').on('data', (text: string) => {
    storm.lastLine = text.trimEnd().split('\n').at(-1) ?? storm.lastLine;
  });
  return storm;
}

/** With a temporary directory of its own: what is left in there is the storm's. */
function options(base: string): { readonly encoding: 'utf8'; readonly env: NodeJS.ProcessEnv } {
  return { encoding: 'utf8', env: { ...process.env, TMPDIR: join(base, 'tmp') } };
}

async function settingsOf(parameters: readonly string[]): Promise<Settings> {
  const { positionals, values } = parseArgs({
    args: [...parameters],
    allowPositionals: true,
    options: {
      times: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      'time-limit': { type: 'string', default: '15' },
      within: { type: 'string' },
    },
  });
  const [backend] = positionals;
  if (backend !== 'process' && backend !== 'docker') {
    throw new Error('kill-harness: give a backend: process or docker');
  }
  const base = mkdtempSync(join(tmpdir(), 'kill-harness-'));
  mkdirSync(join(base, 'tmp'));
  return {
    backend,
    times: Number(values.times),
    seed: Number(values.seed),
    timeLimitSeconds: Number(values['time-limit']),
    withinSeconds: values.within === undefined ? undefined : Number(values.within),
    base,
    docker: backend === 'docker' ? (await connectDaemon()).docker : undefined,
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
