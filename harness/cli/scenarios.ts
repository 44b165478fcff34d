/** `storm list` and `storm repro` on the command line. */
import { randomInt } from 'node:crypto';
import type { Command } from 'commander';
import { StormError } from '../exit-code.ts';
import { parseCluster, parseTarget, RUN_DEFAULTS, whole } from '../options.ts';
import { SCENARIOS, scenarioNamed } from '../scenarios/registry.ts';
import type { Scenario } from '../scenarios/scenario.ts';
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
  readonly only?: string;
  readonly out?: string;
  readonly again?: true;
}

const ALL = 'all';

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
    .description('a failure mode by name, or all: is it there, or shown to be absent?')
    .option('--target <target>', 'stormraft, etcd or etcd:PATH (stormraft)')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .option('--count <n>', `tries, each with fresh data (${COUNT_DEFAULT})`)
    .option('--seed <n>', 'decides what a scenario draws (default: drawn)')
    .option('--cluster <backend>', 'process or docker (process)')
    .option('--runs-dir <dir>', `where logs go (${RUN_DEFAULTS.runsDirectory})`)
    .option('--only <names>', 'with all: these, comma-separated')
    .option('--out <file>', 'with all: FILE.md for the table, its tries go to FILE.jsonl')
    .option('--again', 'with all: go on with the series in --out')
    .action((name: string, raw: RawRepro) => {
      const common = {
        target: parseTarget(raw),
        cluster: parseCluster(raw.cluster),
        count: whole('--count', raw.count, COUNT_DEFAULT, 1, COUNT_MAX),
        seed:
          raw.seed === undefined
            ? randomInt(SEED_BOUND)
            : whole('--seed', raw.seed, 0, 0, SEED_BOUND - 1),
        runsDirectory: raw.runsDir ?? RUN_DEFAULTS.runsDirectory,
      };
      if (name === ALL) {
        const { out, again = false } = raw;
        const request = { ...common, scenarios: scenariosOf(raw.only), out, again };
        return choose(async (services) => {
          const { reproAllCommand } = await import('../commands/repro-all.ts');
          return reproAllCommand(services, request);
        });
      }
      for (const option of ['only', 'out', 'again'] as const) {
        if (raw[option] !== undefined) throw new StormError(`--${option}: only with repro all`);
      }
      const request = { ...common, scenario: scenarioOf(name) };
      choose(async (services) => {
        const { reproCommand } = await import('../commands/repro.ts');
        return reproCommand(services, request);
      });
    });
}

/** Comma-separated; undefined: every one. Throws StormError. */
function scenariosOf(only: string | undefined): readonly Scenario[] {
  return only === undefined ? SCENARIOS : only.split(',').map((name) => scenarioOf(name.trim()));
}

function scenarioOf(name: string): Scenario {
  const scenario = scenarioNamed(name);
  if (scenario !== undefined) return scenario;
  const names = SCENARIOS.map((known) => known.name).join(', ');
  throw new StormError(`repro ${name}: no such failure mode; use all, ${names}`);
}
