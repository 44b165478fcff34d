/** `storm mutants` on the command line; loaded, like the others, when it is chosen. */
import { availableParallelism } from 'node:os';
import type { Command } from 'commander';
import { StormError } from '../exit-code.ts';
import { CANARY } from '../mutants/catalogue/canary.ts';
import { MUTANTS, parseMutants } from '../mutants/catalogue.ts';
import { CHECKER_MUTANTS, type CheckerMutant } from '../mutants/checker-catalogue.ts';
import type { Mutant } from '../mutants/mutant.ts';
import { parseRunRequest, type RawRunOptions, RUN_DEFAULTS, whole } from '../options.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { Choose } from './action.ts';
import { withTiming } from './timing-options.ts';

const STORMS_DEFAULT = 10;
const SEEDS_MAX_DEFAULT = 1_000_000;
const CPU_MINUTES_DEFAULT = 10;

interface MutantOptions extends RawRunOptions {
  readonly seeds?: string;
  readonly seedFrom?: string;
  readonly only?: string;
  readonly of?: string;
  readonly jobs?: string;
  readonly cpuMinutes?: string;
  readonly shrink?: boolean;
  readonly table?: string;
}

export function addMutants(program: Command, choose: Choose): void {
  withTiming(program.command('mutants'))
    .description('plants known bugs in copies of the code: does the harness find them?')
    .option('--only <names>', 'comma-separated names of mutants (default: all)')
    .option('--of <what>', 'server, checkers or both (server)')
    .option('--jobs <n>', 'processes that simulate (one for each core)')
    .option('--cpu-minutes <n>', `processor time for each mutant (${CPU_MINUTES_DEFAULT})`)
    .option('--seeds <n>', `most seeds for each; storms with a real cluster (${STORMS_DEFAULT})`)
    .option('--seed-from <n>', 'first seed (1)')
    .option('--shrink', 'make the failing simulations smaller')
    .option('--table <file>', 'write the result there, in Markdown')
    .option('--time-limit <seconds>', `length of each storm (${RUN_DEFAULTS.timeLimitSeconds})`)
    .action((raw: MutantOptions) => {
      const cluster = raw.cluster ?? 'sim';
      if (cluster !== 'sim') return addStorms(raw, choose);
      const of = raw.of ?? 'server';
      if (!['server', 'checkers', 'both'].includes(of)) {
        throw new StormError(`--of ${of}: unknown; use server, checkers or both`);
      }
      const request = {
        ...chosen(of, raw.only),
        seedFrom: whole('--seed-from', raw.seedFrom, 1, 0, SEED_BOUND - 1),
        seedsMax: whole('--seeds', raw.seeds, SEEDS_MAX_DEFAULT, 1, SEEDS_MAX_DEFAULT),
        cpuMinutesMax: whole('--cpu-minutes', raw.cpuMinutes, CPU_MINUTES_DEFAULT, 1, 10_000),
        jobs: whole('--jobs', raw.jobs, availableParallelism(), 1, 256),
        shrinks: raw.shrink === true,
        tableFile: raw.table,
      };
      choose(async (services) => {
        const { mutantsCommand } = await import('../commands/mutants.ts');
        return mutantsCommand(services, request);
      });
    });
}

/** The canary is hunted only when it is named: it is rare on purpose. */
function chosen(
  of: string,
  only: string | undefined,
): { readonly mutants: readonly Mutant[]; readonly checkerMutants: readonly CheckerMutant[] } {
  const server = only === undefined ? MUTANTS : [...MUTANTS, CANARY];
  if (of === 'server') return { mutants: parseMutants('--only', only, server), checkerMutants: [] };
  if (of === 'checkers') {
    return { mutants: [], checkerMutants: parseMutants('--only', only, CHECKER_MUTANTS) };
  }
  const named = parseMutants('--only', only, [...server, ...CHECKER_MUTANTS]);
  const isOfServer = (mutant: Mutant | CheckerMutant): mutant is Mutant => 'area' in mutant;
  return {
    mutants: named.filter(isOfServer),
    checkerMutants: named.filter((mutant) => !isOfServer(mutant)),
  };
}

/** Against real members. */
function addStorms(raw: MutantOptions, choose: Choose): void {
  const count = whole('--seeds', raw.seeds, STORMS_DEFAULT, 1, 1_000);
  const from = whole('--seed-from', raw.seedFrom, 1, 0, SEED_BOUND - 1_000);
  const seeds = Array.from({ length: count }, (_, position) => from + position);
  const run = parseRunRequest(raw, () => from);
  const mutants = parseMutants('--only', raw.only, MUTANTS);
  choose(async (services) => {
    const { mutantStormsCommand } = await import('../commands/mutant-storms.ts');
    return mutantStormsCommand(services, { mutants, seeds, run });
  });
}
