/**
 * `storm sim`, `storm fuzz`, `storm replay` and `storm scope` on the command line. The commands are
 * loaded when one is chosen: bad input is answered at once.
 */
import { randomInt } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import type { FuzzRequest } from '../commands/fuzz.ts';
import { StormError } from '../exit-code.ts';
import { SIM_FAULT_KINDS } from '../nemesis/packages.ts';
import { parseFaults, RUN_DEFAULTS, whole } from '../options.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { SwarmChoices } from '../sim/swarm.ts';
import type { Choose } from './action.ts';

const MINUTES_DEFAULT = 1;
const SEEDS_MAX = 1_000_000_000;

interface RawChoices {
  readonly members?: string;
  readonly timeLimit?: string;
  readonly faults?: string;
  readonly runsDir?: string;
}

interface RawSim extends RawChoices {
  readonly seed?: string;
  readonly log?: boolean;
}

interface RawFuzz extends RawChoices {
  readonly minutes?: string;
  readonly seeds?: string;
  readonly jobs?: string;
  readonly seedFrom?: string;
  readonly shard?: string;
  readonly twice?: boolean;
}

interface RawScope extends RawChoices {
  readonly live?: boolean;
  readonly out?: string;
}

export function addSimulation(program: Command, choose: Choose): void {
  withChoices(program.command('sim'))
    .description('one simulation: the seed decides the cluster, the faults and everything else')
    .option('--seed <n>', '(default: drawn)')
    .option('--log', 'print every event')
    .action((raw: RawSim) => {
      const seed =
        raw.seed === undefined
          ? randomInt(SEED_BOUND)
          : whole('--seed', raw.seed, 0, 0, SEED_BOUND - 1);
      const log = raw.log === true;
      const request = { seed, choices: choicesOf(raw), runsDirectory: runsDirectory(raw), log };
      choose(async (services) => {
        const { simCommand } = await import('../commands/sim.ts');
        return simCommand(services, request);
      });
    });
  withChoices(program.command('fuzz'))
    .description('simulations of one seed after the other, until the time is up')
    .option('--minutes <n>', `(${MINUTES_DEFAULT})`)
    .option('--seeds <n>', 'stop after so many')
    .option('--jobs <n>', 'processes that simulate (one for each core)')
    .option('--seed-from <n>', 'first seed (default: drawn)')
    .option('--twice', 'simulate each seed twice; both must do the same')
    .option('--shard <i/n>', 'only every n-th seed, beginning with the i-th: 1/4 … 4/4')
    .action((raw: RawFuzz) => {
      const request = fuzzRequest(raw);
      choose(async (services) => {
        const { fuzzCommand } = await import('../commands/fuzz.ts');
        return fuzzCommand(services, request);
      });
    });
  withChoices(program.command('replay <what>'))
    .description('the same simulation again: a seed, SEED@CODE, a scenario file, or a run')
    .option('--log', 'print every event')
    .action((what: string, raw: RawSim) => {
      const request = { what, choices: choicesOf(raw), log: raw.log === true };
      choose(async (services) => {
        const { replaySavedCommand } = await import('../commands/sim.ts');
        return replaySavedCommand(services, request);
      });
    });
  addScope(program, choose);
}

function addScope(program: Command, choose: Choose): void {
  withChoices(program.command('scope [what]'))
    .description('a page that plays a simulation, or one to play with Raft yourself')
    .option('--live', 'the consensus core runs in the page, and you stop and start members')
    .option('--out <file>', 'where the page goes (default: scope.html in the runs directory)')
    .action((what: string | undefined, raw: RawScope) => {
      if ((what === undefined) !== (raw.live === true)) {
        throw new StormError('scope: give what to play (as for replay), or --live');
      }
      const choices = choicesOf(raw);
      const request = { what, choices, out: raw.out ?? `${runsDirectory(raw)}/scope.html` };
      choose(async (services) => {
        const { scopeCommand } = await import('../commands/scope.ts');
        return scopeCommand(services, request);
      });
    });
}

/** Options that take a choice away from the seed. */
function withChoices(command: Command): Command {
  const faults = `comma-separated, or none; of ${SIM_FAULT_KINDS.join(', ')}, lying-disk`;
  return command
    .option('--members <n>', '1 to 7 (default: drawn)')
    .option('--time-limit <seconds>', 'length of the safety phase (default: drawn)')
    .option('--faults <kinds>', `${faults} (default: drawn)`)
    .option('--runs-dir <dir>', `where failing ones are saved (${RUN_DEFAULTS.runsDirectory})`);
}

function choicesOf(raw: RawChoices): SwarmChoices {
  const { members, timeLimit, faults } = raw;
  return {
    ...(members !== undefined && { memberCount: whole('--members', members, 0, 1, 7) }),
    ...(timeLimit !== undefined && {
      safetyMs: whole('--time-limit', timeLimit, 0, 5, 86_400) * 1000,
    }),
    ...(faults !== undefined && { faults: parseFaults('--faults', faults) }),
  };
}

function runsDirectory(raw: RawChoices): string {
  return raw.runsDir ?? RUN_DEFAULTS.runsDirectory;
}

function fuzzRequest(raw: RawFuzz): FuzzRequest {
  // Without a limit on the seeds the time decides; with one, only it does, unless both are given.
  const hasSeeds = raw.seeds !== undefined;
  const minutesDefault = hasSeeds ? 24 * 60 : MINUTES_DEFAULT;
  return {
    minutes: whole('--minutes', raw.minutes, minutesDefault, 1, 100_000),
    seedsMax: whole('--seeds', raw.seeds, SEEDS_MAX, 1, SEEDS_MAX),
    jobs: whole('--jobs', raw.jobs, availableParallelism(), 1, 256),
    seedFrom:
      raw.seedFrom === undefined
        ? randomInt(SEED_BOUND / 2)
        : whole('--seed-from', raw.seedFrom, 0, 0, SEED_BOUND - 1),
    shard: parseShard(raw.shard),
    choices: choicesOf(raw),
    twice: raw.twice === true,
    runsDirectory: runsDirectory(raw),
  };
}

/** Throws {@link StormError}. */
export function parseShard(text: string | undefined): {
  readonly index: number;
  readonly count: number;
} {
  if (text === undefined) return { index: 1, count: 1 };
  const [index, count] = (/^(\d{1,6})\/(\d{1,6})$/.exec(text) ?? []).slice(1).map(Number);
  if (index !== undefined && count !== undefined && index >= 1 && index <= count) {
    return { index, count };
  }
  throw new StormError(`--shard ${text}: give i/n with i from 1 to n`);
}
