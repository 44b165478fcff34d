/** `storm bench` on the command line. */
import { existsSync, statSync } from 'node:fs';
import { delimiter, dirname, join, resolve } from 'node:path';
import type { Command } from 'commander';
import type { BenchRequest } from '../bench/bench-command.ts';
import { CELLS_DEFAULT, parseCells } from '../bench/cell.ts';
import type { Target } from '../cluster/cluster.ts';
import { StormError } from '../exit-code.ts';
import { isProgram, parseTarget, whole } from '../options.ts';
import type { Choose } from './action.ts';

const DEFAULTS = {
  rounds: 5,
  seconds: 10,
  warmUpSeconds: 5,
  members: 3,
  keys: 100_000,
  valueBytes: 256,
} as const;

/** A request is one frame of HTTP/2, with its key. */
const VALUE_BYTES_MAX = 16_000;

export interface RawBench {
  readonly etcd?: string;
  readonly only?: string;
  readonly server?: string;
  readonly cells?: string;
  readonly rounds?: string;
  readonly seconds?: string;
  readonly warmUp?: string;
  readonly members?: string;
  readonly keys?: string;
  readonly valueSize?: string;
  readonly dir?: string;
  readonly json?: string;
  readonly profile?: string;
}

export function addBench(program: Command, choose: Choose): void {
  program
    .command('bench <against>')
    .description('the same load on Stormraft and on a real etcd, in turns; prints ratios')
    .option('--etcd <path>', 'the etcd binary (default: the one in PATH)')
    .option('--only <system>', 'stormraft or etcd: measure one, compare nothing')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .option('--cells <list>', `operation:requests in flight (${CELLS_DEFAULT})`)
    .option('--rounds <n>', `(${DEFAULTS.rounds})`)
    .option('--seconds <n>', `measured, of each cell in each round (${DEFAULTS.seconds})`)
    .option('--warm-up <seconds>', `before that (${DEFAULTS.warmUpSeconds})`)
    .option('--members <n>', `of each cluster, 1 to 9 (${DEFAULTS.members})`)
    .option('--keys <n>', `keys, all written beforehand (${DEFAULTS.keys})`)
    .option('--value-size <bytes>', `(${DEFAULTS.valueBytes})`)
    .option('--dir <dir>', 'where data directories go (default: the temporary directory)')
    .option('--json <file>', 'also write every figure there')
    .option('--profile <dir>', 'CPU profiles of our members go there; slows them down')
    .action((against: string, raw: RawBench) => {
      if (against !== 'etcd') throw new StormError(`bench ${against}: unknown; use bench etcd`);
      const request = benchRequest(raw, process.env.PATH ?? '');
      choose(async (services) => {
        const { benchCommand } = await import('../bench/bench-command.ts');
        return benchCommand(services, request);
      });
    });
}

/** Throws {@link StormError}. */
export function benchRequest(raw: RawBench, searchPath: string): BenchRequest {
  return {
    targets: targetsOf(raw, searchPath),
    cells: parseCells('--cells', raw.cells ?? CELLS_DEFAULT),
    rounds: whole('--rounds', raw.rounds, DEFAULTS.rounds, 1, 1_000),
    seconds: whole('--seconds', raw.seconds, DEFAULTS.seconds, 1, 3_600),
    warmUpSeconds: whole('--warm-up', raw.warmUp, DEFAULTS.warmUpSeconds, 0, 600),
    memberCount: whole('--members', raw.members, DEFAULTS.members, 1, 9),
    keyCount: whole('--keys', raw.keys, DEFAULTS.keys, 1, 10_000_000),
    valueBytes: whole('--value-size', raw.valueSize, DEFAULTS.valueBytes, 1, VALUE_BYTES_MAX),
    directory: directoryOf('--dir', raw.dir),
    jsonFile: fileOf(raw.json),
    profileDirectory: raw.profile === undefined ? undefined : resolve(raw.profile),
  };
}

function targetsOf({ only, server, etcd }: RawBench, searchPath: string): Target[] {
  if (only !== undefined && only !== 'stormraft' && only !== 'etcd') {
    throw new StormError(`--only ${only}: unknown; use stormraft or etcd`);
  }
  const targets: Target[] = [];
  if (only !== 'etcd') targets.push(parseTarget(server === undefined ? {} : { server }));
  if (only !== 'stormraft') targets.push({ kind: 'etcd', path: etcdAt(etcd, searchPath) });
  return targets;
}

function etcdAt(path: string | undefined, searchPath: string): string {
  if (path !== undefined) {
    if (isProgram(resolve(path))) return resolve(path);
    throw new StormError(`--etcd ${path}: no executable there; give the path of an etcd binary`);
  }
  const found = searchPath
    .split(delimiter)
    .map((directory) => join(directory, 'etcd'))
    .find(isProgram);
  if (found !== undefined) return found;
  throw new StormError('--etcd: no etcd in PATH; give the path of an etcd binary');
}

function directoryOf(field: string, path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return resolve(path);
  throw new StormError(`${field} ${path}: no such directory`);
}

function fileOf(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const file = resolve(path);
  if (!existsSync(dirname(file))) throw new StormError(`--json ${path}: no such directory`);
  if (!statSync(file, { throwIfNoEntry: false })?.isDirectory()) return file;
  throw new StormError(`--json ${path}: is a directory; give a file`);
}
