/** `storm list` and `storm repro` on the command line. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { StormError } from '../exit-code.ts';
import { parseCluster, parseTarget, RUN_DEFAULTS, whole } from '../options.ts';
import { SCENARIOS, scenarioNamed } from '../scenarios/registry.ts';
import { SEED_BOUND } from '../seeded-random.ts';
import type { Choose } from './action.ts';

const COUNT_DEFAULT = 1;
const COUNT_MAX = 100_000;

interface RawRepro {
  readonly target?: string;
  readonly server?: string;
  readonly count?: string;
  readonly seed?: string;
  readonly cluster?: string;
  readonly runsDir?: string;
}

export function addScenarios(program: Command, choose: Choose): void {
  program
    .command('list')
    .description('the failure modes that repro knows by name')
    .action(() =>
      choose(async (services) => {
        const { listCommand } = await import('../commands/list.ts');
        return listCommand(services);
      }),
    );
  program
    .command('repro <name>')
    .description('one failure mode by name: is it there, or shown to be absent?')
    .option('--target <target>', 'stormraft, etcd or etcd:PATH (stormraft)')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .option('--count <n>', `tries, each with fresh data (${COUNT_DEFAULT})`)
    .option('--seed <n>', 'decides what a scenario draws (default: drawn)')
    .option('--cluster <backend>', 'process or docker (process)')
    .option('--runs-dir <dir>', `where logs go (${RUN_DEFAULTS.runsDirectory})`)
    .action((name: string, raw: RawRepro) => {
      const request = {
        scenario: scenarioOf(name),
        target: parseTarget(raw),
        cluster: parseCluster(raw.cluster),
        count: whole('--count', raw.count, COUNT_DEFAULT, 1, COUNT_MAX),
        seed:
          raw.seed === undefined
            ? randomInt(SEED_BOUND)
            : whole('--seed', raw.seed, 0, 0, SEED_BOUND - 1),
        runsDirectory: raw.runsDir ?? RUN_DEFAULTS.runsDirectory,
      };
      choose(async (services) => {
        const { reproCommand } = await import('../commands/repro.ts');
        return reproCommand(services, request);
      });
    });
}

function scenarioOf(name: string) {
  const scenario = scenarioNamed(name);
  if (scenario !== undefined) return scenario;
  const names = SCENARIOS.map((known) => known.name).join(', ');
  throw new StormError(`repro ${name}: no such failure mode; use ${names}`);
}
