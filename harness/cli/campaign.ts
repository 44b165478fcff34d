/** `storm run --matrix` and `storm merge` on the command line. */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { CampaignRequest } from '../campaign/campaign.ts';
import { readMatrixFile } from '../campaign/matrix-file.ts';
import { StormError } from '../exit-code.ts';
import { type RawRunOptions, RUN_DEFAULTS } from '../options.ts';
import type { Action, Choose } from './action.ts';
import { parseShard } from './sim.ts';

export interface RawCampaign extends RawRunOptions {
  readonly matrix?: string;
  readonly shard?: string;
  readonly keepGoing?: boolean;
  readonly again?: boolean;
}

/** Options of `storm run` that make a campaign of it. */
export function withMatrix(command: Command): Command {
  return command
    .option('--matrix <file>', 'a campaign: targets x faults x seeds and so on, YAML or JSON')
    .option('--shard <i/n>', 'of a campaign only every n-th run, beginning with the i-th: 1/4')
    .option('--keep-going', 'a campaign goes on after a run that is invalid or has no verdict')
    .option('--again', 'a campaign repeats runs that have a verdict');
}

/** Undefined: one storm is asked for, no campaign. Throws {@link StormError}. */
export function campaignAction(raw: RawCampaign): Action | undefined {
  const request = campaignRequest(raw);
  if (request === undefined) return undefined;
  return async (services) => {
    const { campaignCommand } = await import('../campaign/campaign.ts');
    const { forkedCells } = await import('../campaign/cell-runner.ts');
    return campaignCommand(services, request, forkedCells());
  };
}

export function addMerge(program: Command, choose: Choose): void {
  program
    .command('merge <dirs...>')
    .description('the results of shards of a campaign as one: a table and the worst verdict')
    .requiredOption('--into <dir>', 'where the merged results go')
    .option('--junit <file>', 'also write them as JUnit XML there')
    .action((directories: string[], raw: { readonly into: string; readonly junit?: string }) =>
      choose(async (services) => {
        const { mergeCommand } = await import('../campaign/merge.ts');
        const { into, junit } = raw;
        return mergeCommand(services, { directories, into, junitFile: junit });
      }),
    );
}

/** Options of `storm run` that go with `--matrix`; the others are fields of the file. */
const WITH_MATRIX: readonly string[] = [
  'matrix',
  'shard',
  'keepGoing',
  'again',
  'runsDir',
  'junit',
];
const ONLY_WITH_MATRIX = ['shard', 'keepGoing', 'again'] as const;

export function campaignRequest(raw: RawCampaign): CampaignRequest | undefined {
  if (raw.matrix === undefined) {
    const stray = ONLY_WITH_MATRIX.find((name) => raw[name] !== undefined);
    if (stray === undefined) return undefined;
    throw new StormError(`${flagOf(stray)}: only for a campaign; give --matrix too`);
  }
  const stray = Object.keys(raw).find((name) => !WITH_MATRIX.includes(name));
  if (stray === 'plan') {
    throw new StormError('--plan: not with --matrix, which has plans drawn; leave one of them out');
  }
  if (stray !== undefined) {
    throw new StormError(`${flagOf(stray)}: not with --matrix; write it into ${raw.matrix}`);
  }
  const file = readMatrixFile(raw.matrix);
  const shard = parseShard(raw.shard);
  const suffix = shard.count > 1 ? `-${shard.index}-of-${shard.count}` : '';
  const directory = raw.runsDir ?? join(RUN_DEFAULTS.runsDirectory, `${file.name}${suffix}`);
  return {
    file,
    shard,
    directory,
    keepGoing: raw.keepGoing === true,
    again: raw.again === true,
    junitFile: raw.junit,
    command: commandOf(raw.matrix, raw.shard, directory),
  };
}

/** Goes on with the campaign: it runs what has no verdict. */
function commandOf(matrix: string, shard: string | undefined, directory: string): string {
  const words = ['npm run storm -- run --matrix', matrix];
  if (shard !== undefined) words.push('--shard', shard);
  return [...words, '--runs-dir', directory].join(' ');
}

function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
