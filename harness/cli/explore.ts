/** `storm explore` on the command line. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { StormError } from '../exit-code.ts';
import { parseTarget, RUN_DEFAULTS, whole } from '../options.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { Choose } from './action.ts';

const MINUTES_DEFAULT = 10;
const MINUTES_MAX = 7 * 24 * 60;
const RUNS_MAX = 1_000_000;
const JOBS_MAX = 64;
const STORM_SECONDS_MAX = 3_600;

interface RawExplore {
  readonly target?: string;
  readonly server?: string;
  readonly minutes?: string;
  readonly runs?: string;
  readonly only?: string;
  readonly seed?: string;
  readonly jobs?: string;
  readonly runsDir?: string;
  readonly stormSeconds?: string;
  readonly out?: string;
}

export function addExplore(program: Command, choose: Choose): void {
  program
    .command('explore')
    .description('drawn storms without a scenario: which distinct failure modes come up?')
    .option('--target <target>', 'stormraft, etcd or etcd:PATH (stormraft)')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .option('--minutes <n>', `begins runs for so long (${MINUTES_DEFAULT})`)
    .option('--runs <n>', 'at most so many runs')
    .option('--only <index>', 'only the run of this number, which is kept')
    .option('--seed <n>', 'decides what every run draws (default: drawn)')
    .option('--storm-seconds <n>', 'length of every storm (default: drawn, 10 to 25)')
    .option('--jobs <n>', 'runs at a time (1)')
    .option(
      '--runs-dir <dir>',
      `where results and first examples go (${RUN_DEFAULTS.runsDirectory})`,
    )
    .option('--out <file>', 'the table as JSON there, and as Markdown beside it')
    .action((raw: RawExplore) => {
      if (raw.only !== undefined && raw.seed === undefined) {
        throw new StormError('--only: runs are numbered within a seed; give --seed too');
      }
      const stormS = whole('--storm-seconds', raw.stormSeconds, 0, 3, STORM_SECONDS_MAX);
      const request = {
        target: parseTarget(raw),
        minutes: whole('--minutes', raw.minutes, MINUTES_DEFAULT, 1, MINUTES_MAX),
        runs: raw.runs === undefined ? undefined : whole('--runs', raw.runs, 1, 1, RUNS_MAX),
        only: raw.only === undefined ? undefined : whole('--only', raw.only, 1, 1, RUNS_MAX),
        seed: whole('--seed', raw.seed, randomInt(SEED_BOUND), 0, SEED_BOUND - 1),
        jobs: whole('--jobs', raw.jobs, 1, 1, JOBS_MAX),
        runsDirectory: raw.runsDir ?? RUN_DEFAULTS.runsDirectory,
        outFile: raw.out,
        ...(stormS > 0 && { stormLength: { leastS: stormS, mostS: stormS } }),
      };
      choose(async (services) => {
        const { exploreCommand } = await import('../commands/explore.ts');
        return exploreCommand(services, request);
      });
    });
}
