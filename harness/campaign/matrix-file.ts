/**
 * A matrix file, YAML or JSON. Everything in it is checked before anything runs, by the rules of
 * `storm run`; what is wrong is told in one line: file, field, value, and what is allowed.
 */
import { basename, extname } from 'node:path';
import { StormError } from '../exit-code.ts';
import type { FaultKind } from '../nemesis/fault.ts';
import { DEFAULT_FAULT_KINDS, TOLERABLE_FAULT_KINDS } from '../nemesis/packages.ts';
import { parseRunRequest, type RawRunOptions, RUN_DEFAULTS } from '../options.ts';
import { type Fields, parseFields, readFieldsFile } from '../yaml-fields.ts';
import { expandMatrix } from './cell.ts';
import { type DockerHost, readHosts } from './docker-hosts.ts';
import { type Axis, CELLS_MAX, cellCount, type Matrix, NO_DISK, NO_TLS, NO_WAN } from './matrix.ts';
import { readKindLists, readNumbers, readText, readTexts } from './read-values.ts';

export interface MatrixFile {
  /** Of the file, without its folder and its ending. */
  readonly name: string;
  readonly matrix: Matrix;
  /** Where cells run; none: wherever this process would. */
  readonly hosts: readonly DockerHost[];
}

const FIELDS = [
  ...['targets', 'members', 'faults', 'seeds', 'durations'],
  ...['cluster', 'concurrency', 'rate', 'heartbeat-interval', 'election-timeout', 'wan'],
  ...['disk', 'tls'],
  ...['require', 'server', 'hosts'],
];

/** Throws {@link StormError}. */
export function readMatrixFile(path: string): MatrixFile {
  const text = readFieldsFile('--matrix', path);
  return { name: basename(path, extname(path)), ...parseMatrix(basename(path), text) };
}

/** `file`: its name, for messages. Throws {@link StormError}. */
export function parseMatrix(file: string, text: string): Omit<MatrixFile, 'name'> {
  const fields = parseFields(file, text, FIELDS);
  if (fields.seeds === undefined) {
    throw new StormError(`${file}: seeds: missing; give a list of numbers or a range as 1..20`);
  }
  const hosts = fields.hosts === undefined ? [] : readHosts(`${file}: hosts`, fields.hosts);
  const matrix = matrixOf(file, fields, hosts.length > 0 ? 'docker' : RUN_DEFAULTS.cluster);
  checkValues(file, matrix);
  if (hosts.length > 0 && matrix.axes.cluster.some((choice) => choice !== 'docker')) {
    throw new StormError(`${file}: hosts: only for cluster docker; leave one of the two out`);
  }
  const count = cellCount(matrix);
  if (count > CELLS_MAX) {
    throw new StormError(`${file}: ${count} cells; give at most ${CELLS_MAX}`);
  }
  checkCombinations(file, matrix);
  return { matrix, hosts };
}

function matrixOf(file: string, fields: Fields, cluster: string): Matrix {
  const numbers = (axis: Axis, fallback: number): string[] =>
    fields[axis] === undefined ? [String(fallback)] : readNumbers(`${file}: ${axis}`, fields[axis]);
  const texts = (axis: Axis, fallback: string): string[] =>
    fields[axis] === undefined ? [fallback] : readTexts(`${file}: ${axis}`, fields[axis]);
  const { faults, require, server } = fields;
  return {
    axes: {
      targets: texts('targets', 'stormraft'),
      members: numbers('members', RUN_DEFAULTS.members),
      faults: faultsOf(`${file}: faults`, faults ?? 'default'),
      cluster: texts('cluster', cluster),
      concurrency: numbers('concurrency', RUN_DEFAULTS.concurrency),
      rate: numbers('rate', RUN_DEFAULTS.rate),
      'heartbeat-interval': numbers('heartbeat-interval', RUN_DEFAULTS.heartbeatMs),
      'election-timeout': numbers('election-timeout', RUN_DEFAULTS.electionMs),
      wan: texts('wan', NO_WAN),
      disk: texts('disk', NO_DISK),
      tls: texts('tls', NO_TLS),
      durations: numbers('durations', RUN_DEFAULTS.timeLimitSeconds),
      seeds: numbers('seeds', 0),
    },
    require: require === undefined ? [] : readTexts(`${file}: require`, require),
    server: server === undefined ? null : readText(`${file}: server`, server),
  };
}

const FAULT_LISTS: Readonly<Record<string, readonly FaultKind[]>> = {
  default: DEFAULT_FAULT_KINDS,
  all: TOLERABLE_FAULT_KINDS,
};

/** Lists with a name are spelled out: results must not change their meaning with the program. */
function faultsOf(place: string, value: unknown): string[] {
  return readKindLists(place, value).map((kinds) => FAULT_LISTS[kinds]?.join(',') ?? kinds);
}

/** Each value alone, so that a message names the field that is wrong. */
function checkValues(file: string, { axes, require, server }: Matrix): void {
  const checks: [field: string, values: readonly string[], option: (text: string) => object][] = [
    ['targets', axes.targets, (target) => ({ target })],
    ['members', axes.members, (members) => ({ members })],
    ['faults', axes.faults, (faults) => ({ faults })],
    ['cluster', axes.cluster, (cluster) => ({ cluster })],
    ['concurrency', axes.concurrency, (concurrency) => ({ concurrency })],
    ['rate', axes.rate, (rate) => ({ rate })],
    ['wan', axes.wan.filter((name) => name !== NO_WAN), (wan) => ({ wan })],
    ['disk', axes.disk.filter((name) => name !== NO_DISK), (disk) => ({ disk })],
    ['tls', axes.tls.filter((value) => value !== NO_TLS), (tls) => ({ tls })],
    ['durations', axes.durations, (timeLimit) => ({ timeLimit })],
    ['seeds', [largest(axes.seeds)], (seed) => ({ seed })],
    ['server', server === null ? [] : [server], (text) => ({ server: text })],
  ];
  for (const [field, values, option] of checks) {
    for (const value of values) checkOptions(`${file}: ${field}`, option(value));
  }
  const kinds = new Set(axes.faults.flatMap((list) => list.split(',')));
  const stray = require.find((kind) => !kinds.has(kind));
  if (stray === undefined) return;
  const words = `in no list of faults; use one of ${[...kinds].join(', ')}`;
  throw new StormError(`${file}: require: ${stray}: ${words}`);
}

/** Of numbers as texts: the only one that may be out of bounds, as all are whole. */
function largest(numbers: readonly string[]): string {
  return numbers.reduce((most, each) => (Number(each) > Number(most) ? each : most));
}

/** What must fit together; seeds fit everything. */
function checkCombinations(file: string, matrix: Matrix): void {
  const first = matrix.axes.seeds.slice(0, 1);
  const cells = expandMatrix({ ...matrix, axes: { ...matrix.axes, seeds: first } });
  for (const { options } of cells) {
    const { cluster, target, server } = options;
    if (cluster === 'sim' && (target !== 'stormraft' || server !== undefined)) {
      const what = target === 'stormraft' ? 'server' : `targets: ${target}`;
      throw new StormError(`${file}: ${what}: not for cluster sim; leave one of the two out`);
    }
    checkOptions(file, options);
  }
}

/** Throws what `storm run` would say, with the place in the file for the option's name. */
function checkOptions(place: string, options: RawRunOptions): void {
  try {
    const { targets } = parseRunRequest({ seed: '0', ...options }, () => 0);
    if (targets !== undefined) throw new StormError(`${options.target}: give a list of targets`);
  } catch (error) {
    if (!(error instanceof StormError)) throw error;
    const isField = place.includes(': ');
    const said = isField ? error.message.replace(/^--[\w-]+:? /, '') : withoutDashes(error.message);
    throw new StormError(`${place}: ${said}`, { cause: error });
  }
}

function withoutDashes(message: string): string {
  return message.replaceAll(/--(?=[a-z])/g, '');
}
