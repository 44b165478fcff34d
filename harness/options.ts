/** From what stands on the command line to validated options; bad input is named with its fix. */
import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import type { BackendChoice } from './backends.ts';
import type { Target } from './cluster/cluster.ts';
import { LATENCY_PROFILES, latencyProfile } from './disk/latency-profiles.ts';
import { StormError } from './exit-code.ts';
import type { FaultKind } from './nemesis/fault.ts';
import {
  DEFAULT_FAULT_KINDS,
  FAULT_KINDS,
  isFaultKind,
  TOLERABLE_FAULT_KINDS,
} from './nemesis/packages.ts';
import type { PlannedFault } from './nemesis/schedule.ts';
import { wanProfile } from './network/wan.ts';
import type { RunOptions } from './plan.ts';
import { SEED_BOUND } from './seeded-random.ts';
import { isImageName } from './targets/image-name.ts';

/** This repository: its own server is tested unless told otherwise. */
const OWN_ROOT: string = resolve(import.meta.dirname, '..');

/** What `storm run` does when not told otherwise. */
export const RUN_DEFAULTS = {
  timeLimitSeconds: 40,
  members: 3,
  concurrency: 10,
  rate: 400,
  heartbeatMs: 100,
  electionMs: 1000,
  cluster: 'auto',
  runsDirectory: 'runs',
  root: OWN_ROOT as string,
} as const;

/** Texts as commander collects them; absent means not given. */
export interface RawRunOptions {
  readonly seed?: string;
  readonly cluster?: string;
  readonly timeLimit?: string;
  readonly members?: string;
  readonly concurrency?: string;
  readonly rate?: string;
  readonly faults?: string;
  readonly require?: readonly string[];
  readonly heartbeatInterval?: string;
  readonly electionTimeout?: string;
  readonly server?: string;
  readonly target?: string;
  readonly plan?: string;
  readonly wan?: string;
  readonly disk?: string;
  /** `on` where only texts can be written. */
  readonly tls?: boolean | string;
  readonly runsDir?: string;
  readonly junit?: string;
}

/** A `storm run` as asked for. */
export interface RunRequest {
  readonly options: RunOptions;
  readonly cluster: BackendChoice;
  readonly runsDirectory: string;
  /** Where else to put the JUnit file. */
  readonly junitFile: string | undefined;
  /** Of several targets with the same plan: all; they run one after the other. */
  readonly targets?: readonly Target[];
  /** The schedule of a plan file, and the file; absent: it is drawn. */
  readonly schedule?: readonly PlannedFault[];
  readonly planFile?: string;
}

/** Fewer heartbeats than this per election timeout, and any hiccup is an election. */
const HEARTBEATS_PER_ELECTION_LEAST = 5;

/** `drawSeed` is asked when no seed was given. Throws {@link StormError}. */
export function parseRunRequest(raw: RawRunOptions, drawSeed: () => number): RunRequest {
  const faults = parseFaults('--faults', raw.faults);
  const requiredFaults = (raw.require ?? []).map((name) => parseFault('--require', name));
  for (const kind of requiredFaults) {
    if (faults.includes(kind)) continue;
    throw new StormError(`--require ${kind}: not among --faults; add it there`);
  }
  const timing = parseTiming(raw);
  const targets = parseTargets(raw);
  if (targets.length > 1 && raw.cluster === 'sim') {
    throw new StormError(`--target ${raw.target}: --cluster sim has stormraft alone; give another`);
  }
  const seconds = whole('--time-limit', raw.timeLimit, RUN_DEFAULTS.timeLimitSeconds, 5, 86_400);
  return {
    options: {
      seed: raw.seed === undefined ? drawSeed() : whole('--seed', raw.seed, 0, 0, SEED_BOUND - 1),
      memberCount: whole('--members', raw.members, RUN_DEFAULTS.members, 1, 9),
      ...timing,
      timeLimitMs: seconds * 1000,
      concurrency: whole('--concurrency', raw.concurrency, RUN_DEFAULTS.concurrency, 2, 1_000),
      ratePerSecond: whole('--rate', raw.rate, RUN_DEFAULTS.rate, 1, 100_000),
      faults,
      requiredFaults,
      target: targets[0]!,
      ...(raw.wan !== undefined && { wan: parseWan(raw.wan) }),
      ...parseSurroundings(raw),
    },
    cluster: parseCluster(raw.cluster),
    runsDirectory: raw.runsDir ?? RUN_DEFAULTS.runsDirectory,
    junitFile: raw.junit,
    ...(targets.length > 1 && { targets }),
  };
}

/** `--heartbeat-interval` and `--election-timeout`, which must fit each other. */
export function parseTiming(
  raw: Pick<RawRunOptions, 'heartbeatInterval' | 'electionTimeout'>,
): Pick<RunOptions, 'heartbeatMs' | 'electionMs'> {
  const heartbeat = raw.heartbeatInterval;
  const heartbeatMs = whole('--heartbeat-interval', heartbeat, RUN_DEFAULTS.heartbeatMs, 1, 10_000);
  const election = raw.electionTimeout;
  const electionMs = whole('--election-timeout', election, RUN_DEFAULTS.electionMs, 1, 50_000);
  const leastMs = HEARTBEATS_PER_ELECTION_LEAST * heartbeatMs;
  if (electionMs < leastMs) {
    throw new StormError(
      `--election-timeout ${electionMs} is below ${HEARTBEATS_PER_ELECTION_LEAST} x` +
        ` --heartbeat-interval ${heartbeatMs}; give at least ${leastMs}`,
    );
  }
  return { heartbeatMs, electionMs };
}

export function parseCluster(text: string | undefined): BackendChoice {
  const choice = text ?? RUN_DEFAULTS.cluster;
  switch (choice) {
    case 'docker':
    case 'process':
    case 'sim':
    case 'auto':
      return choice;
    default:
      throw new StormError(`--cluster ${choice}: unknown; use docker, process, sim or auto`);
  }
}

/** More would take too long to be looked at side by side. */
const TARGETS_MAX = 8;

/**
 * What one run may have: a target, several between commas, or `both`. Besides a path, an etcd may
 * be an image of the container daemon's, which nobody has asked for it yet: its path is ''.
 */
function parseTargets(raw: Pick<RawRunOptions, 'server' | 'target'>): readonly Target[] {
  const text = raw.target ?? 'stormraft';
  const names = text === 'both' ? ['stormraft', 'etcd'] : text.split(',').map((one) => one.trim());
  if (names.length === 1) return [parseRunTarget(text, raw.server)];
  if (names.length > TARGETS_MAX) {
    throw new StormError(`--target ${text}: give at most ${TARGETS_MAX} targets`);
  }
  const twice = names.find((name, at) => names.indexOf(name) < at);
  if (twice !== undefined) {
    throw new StormError(`--target ${text}: ${twice} is given twice; leave one out`);
  }
  if (raw.server !== undefined && !names.includes('stormraft')) {
    throw new StormError('--server: only for --target stormraft; leave one of them out');
  }
  return names.map((name) => parseRunTarget(name, name === 'stormraft' ? raw.server : undefined));
}

function parseRunTarget(target: string, server: string | undefined): Target {
  const image = /^etcd:(.+)$/.exec(target)?.[1];
  const isImage = image !== undefined && server === undefined && isImageName(image);
  if (isImage && !existsSync(image)) return { kind: 'etcd', path: '', image };
  return parseTarget({ target, ...(server !== undefined && { server }) });
}

/** `stormraft` with `--server DIR`, `etcd` for the one on PATH, or `etcd:PATH`. */
export function parseTarget(raw: Pick<RawRunOptions, 'server' | 'target'>): Target {
  const text = raw.target ?? 'stormraft';
  if (text === 'stormraft') {
    const root = resolve(raw.server ?? RUN_DEFAULTS.root);
    if (existsSync(join(root, 'src', 'main.ts'))) return { kind: 'stormraft', root };
    throw new StormError(`--server ${root}: no src/main.ts there; give a copy of the repository`);
  }
  if (text !== 'etcd' && !text.startsWith('etcd:')) {
    throw new StormError(`--target ${text}: unknown; use stormraft, etcd or etcd:PATH`);
  }
  if (raw.server !== undefined) {
    throw new StormError('--server: only for --target stormraft; leave one of them out');
  }
  const path = text === 'etcd' ? etcdOnPath() : resolve(text.slice('etcd:'.length));
  if (!isProgram(path)) {
    throw new StormError(`--target ${text}: no executable at ${path}; give etcd's full path`);
  }
  return { kind: 'etcd', path };
}

function etcdOnPath(): string {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((one) => one !== '');
  const found = directories.map((one) => join(one, 'etcd')).find(isProgram);
  if (found !== undefined) return resolve(found);
  throw new StormError('--target etcd: there is none on PATH; give etcd:PATH');
}

/** A file that may be executed. */
export function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    // Not there, or not for us: the caller says which path it was, or tries the next.
    return false;
  }
}

/** A whole number in [least, most], in plain digits. Throws {@link StormError}. */
export function whole(
  field: string,
  text: string | undefined,
  defaultValue: number,
  least: number,
  most: number,
): number {
  if (text === undefined) return defaultValue;
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new StormError(`${field} ${text}: give a whole number from ${least} to ${most}`);
}

/** Throws {@link StormError}. */
function parseWan(name: string): string {
  const links = wanProfile(name, []);
  if (links.ok) return name;
  throw new StormError(`--wan ${links.error}`);
}

/** What only real members can have. Throws {@link StormError}. */
function parseSurroundings(
  raw: Pick<RawRunOptions, 'cluster' | 'disk' | 'tls'>,
): Pick<RunOptions, 'disk' | 'tls'> {
  const { disk, tls = false } = raw;
  if (typeof tls === 'string' && tls !== 'on') throw new StormError(`--tls ${tls}: use off or on`);
  if (raw.cluster === 'sim' && (disk !== undefined || tls !== false)) {
    const option = disk === undefined ? '--tls' : '--disk';
    throw new StormError(`${option}: not for --cluster sim; leave one of them out`);
  }
  if (disk !== undefined && latencyProfile(disk) === undefined) {
    throw new StormError(`--disk ${disk}: unknown; use ${LATENCY_PROFILES.join(', ')}`);
  }
  return { ...(disk !== undefined && { disk }), ...(tls !== false && { tls: true }) };
}

/** Comma-separated kinds; `none`; `all`; undefined: the defaults. Throws {@link StormError}. */
export function parseFaults(field: string, text: string | undefined): FaultKind[] {
  if (text === undefined) return [...DEFAULT_FAULT_KINDS];
  if (text === 'none') return [];
  if (text === 'all') return [...TOLERABLE_FAULT_KINDS];
  return [...new Set(text.split(',').map((name) => parseFault(field, name.trim())))];
}

function parseFault(field: string, name: string): FaultKind {
  if (isFaultKind(name)) return name;
  throw new StormError(`${field} ${name}: unknown fault; use ${FAULT_KINDS.join(', ')}`);
}
