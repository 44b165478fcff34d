#!/usr/bin/env node
/**
 * The `storm` command. Exit status: 0 valid, 1 invalid, 2 unknown, 3 usage or environment.
 * Bad input gets one line on standard error that names the field and the fix.
 */
import { randomInt } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import { ClusterError, type Target } from './cluster/cluster.ts';
import { checkCommand, reportCommand } from './commands/check.ts';
import { durabilityCommand } from './commands/durability.ts';
import { failoverCommand } from './commands/failover.ts';
import { mutantsCommand } from './commands/mutants.ts';
import { runCommand } from './commands/run.ts';
import { sweepCommand, sweepFirst } from './commands/sweep.ts';
import { EXIT_ENVIRONMENT, StormError } from './exit-code.ts';
import { withLifetime } from './lifetime.ts';
import { parseMutants } from './mutants/catalogue.ts';
import { FAULT_KINDS } from './nemesis/packages.ts';
import {
  parseCluster,
  parseRunRequest,
  parseTarget,
  parseTiming,
  type RawRunOptions,
  RUN_DEFAULTS,
  whole,
} from './options.ts';
import { openProgress } from './progress.ts';
import { SEED_BOUND } from './seeded-random.ts';
import type { Services } from './services.ts';

const ROUNDS_DEFAULT = 10;
const MUTANT_SEEDS_DEFAULT = 10;

type Action = (services: Services) => Promise<number>;

process.exitCode = await main(process.argv);
// Keep-alive connections of clients and daemons would hold the process for seconds more.
process.exit();

async function main(argv: readonly string[]): Promise<number> {
  let chosen: Action | undefined;
  const program = buildProgram((action) => {
    chosen = action;
  });
  try {
    program.parse(argv);
    const action = chosen;
    if (action === undefined) return 0;
    const progress = openProgress(process.stdout);
    // Loaded once the command line is known to be good: bad input is answered at once.
    const { wireServices } = await import('./wiring.ts');
    return await withLifetime(complain, (signal) => action(wireServices(progress, signal)));
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      complain(`${error.message.replace(/^error: /, '')}; see storm --help`);
      return EXIT_ENVIRONMENT;
    }
    // A bug of the harness says nothing about the store: never the status of a verdict.
    complain(describeError(error));
    return EXIT_ENVIRONMENT;
  }
}

function describeError(error: unknown): string {
  if (error instanceof StormError || error instanceof ClusterError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** One line, whatever the message holds. */
function complain(message: string): void {
  process.stderr.write(`storm: ${message.trim().replaceAll(/\s*\n\s*/g, ' ')}\n`);
}

/** Parsing validates and chooses; nothing runs before the whole line is known to be good. */
function buildProgram(choose: (action: Action) => void): Command {
  const program = new Command('storm')
    .description('breaks a cluster and checks that it kept its promises')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .argument('[command]');
  addRun(program, choose);
  addSavedRuns(program, choose);
  addMeasurements(program, choose);
  addMutants(program, choose);
  program
    .command('sweep')
    .description('remove what killed harnesses left behind')
    .action(() =>
      choose(async (services) => {
        await sweepCommand(services);
        return 0;
      }),
    );
  program.action((command: string | undefined) => {
    const problem = command === undefined ? 'no command' : `unknown command ${command}`;
    throw new StormError(
      `${problem}; use run, check, report, sweep, failover, durability or mutants`,
    );
  });
  return program;
}

function addRun(program: Command, choose: (action: Action) => void): void {
  const faults = `comma-separated, or none; of ${FAULT_KINDS.join(', ')}`;
  const collect = (kind: string, kinds: readonly string[] = []): string[] => [...kinds, kind];
  withTiming(program.command('run'))
    .description('one storm: cluster, clients, faults, verdict, report')
    .option('--seed <n>', 'decides the plan and the operations (default: drawn)')
    .option('--time-limit <seconds>', `length of the storm (${RUN_DEFAULTS.timeLimitSeconds})`)
    .option('--concurrency <n>', `client processes (${RUN_DEFAULTS.concurrency})`)
    .option('--rate <n>', `operations a second, all clients together (${RUN_DEFAULTS.rate})`)
    .option('--faults <kinds>', `${faults} (default: all)`)
    .option('--require <kind>', 'unknown unless this fault took effect; repeatable', collect)
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .option('--target <target>', 'stormraft or etcd:PATH (stormraft)')
    .option('--junit <file>', 'also write the verdict as JUnit XML there')
    .action((raw: RawRunOptions) => {
      const request = parseRunRequest(raw, () => randomInt(SEED_BOUND));
      choose((services) => runCommand(services, request));
    });
}

function addSavedRuns(program: Command, choose: (action: Action) => void): void {
  program
    .command('check <dir>')
    .description('judge a saved run again; needs no cluster')
    .action((path: string) =>
      choose(async (services) => {
        await sweepFirst(services);
        return checkCommand(services, path);
      }),
    );
  program
    .command('report <dir>')
    .description('write the report of a saved run again; needs no cluster')
    .action((path: string) =>
      choose(async (services) => {
        await sweepFirst(services);
        return reportCommand(services, path);
      }),
    );
}

function addMeasurements(program: Command, choose: (action: Action) => void): void {
  withTiming(program.command('failover'))
    .description('time from kill -9 of the leader to the first acknowledged write')
    .option('--rounds <n>', `kills per target (${ROUNDS_DEFAULT})`)
    .option('--target <target>', 'etcd:PATH to measure beside stormraft')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .action((raw: RawRunOptions & { readonly rounds?: string }) => {
      const targets: Target[] = [parseTarget({ server: raw.server })];
      if (raw.target !== undefined) targets.push(parseTarget({ target: raw.target }));
      const request = { ...parseCommon(raw), targets };
      choose((services) => failoverCommand(services, request));
    });
  withTiming(program.command('durability'))
    .description('kill -9 of all members at once: is every acknowledged write still there?')
    .option('--rounds <n>', `kills (${ROUNDS_DEFAULT})`)
    .option('--target <target>', 'stormraft or etcd:PATH (stormraft)')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .action((raw: RawRunOptions & { readonly rounds?: string }) => {
      const { rounds, cluster, runsDirectory, ...timing } = parseCommon(raw);
      const config = { ...timing, target: parseTarget(raw) };
      const request = { rounds, cluster, runsDirectory, config };
      choose((services) => durabilityCommand(services, request));
    });
}

function addMutants(program: Command, choose: (action: Action) => void): void {
  withTiming(program.command('mutants'))
    .description('plants known bugs in copies of the server: does a default storm find them?')
    .option('--seeds <n>', `storms against each (${MUTANT_SEEDS_DEFAULT})`)
    .option('--seed-from <n>', 'first seed (1)')
    .option('--only <names>', 'comma-separated names of mutants (default: all)')
    .option('--time-limit <seconds>', `length of each storm (${RUN_DEFAULTS.timeLimitSeconds})`)
    .action((raw: RawRunOptions & MutantOptions) => {
      const count = whole('--seeds', raw.seeds, MUTANT_SEEDS_DEFAULT, 1, 1_000);
      const from = whole('--seed-from', raw.seedFrom, 1, 0, SEED_BOUND - 1_000);
      const seeds = Array.from({ length: count }, (_, position) => from + position);
      const run = parseRunRequest({ ...raw, cluster: raw.cluster ?? 'process' }, () => from);
      const mutants = parseMutants('--only', raw.only);
      choose((services) => mutantsCommand(services, { mutants, seeds, run }));
    });
}

interface MutantOptions {
  readonly seeds?: string;
  readonly seedFrom?: string;
  readonly only?: string;
}

/** Options of every command that opens a cluster. */
function withTiming(command: Command): Command {
  return command
    .option('--cluster <backend>', `docker, process or auto (${RUN_DEFAULTS.cluster})`)
    .option('--members <n>', `members of the cluster (${RUN_DEFAULTS.members})`)
    .option('--heartbeat-interval <ms>', `(${RUN_DEFAULTS.heartbeatMs})`)
    .option('--election-timeout <ms>', `at least 5 heartbeats (${RUN_DEFAULTS.electionMs})`)
    .option('--runs-dir <dir>', `where run directories go (${RUN_DEFAULTS.runsDirectory})`);
}

function parseCommon(raw: RawRunOptions & { readonly rounds?: string }) {
  return {
    rounds: whole('--rounds', raw.rounds, ROUNDS_DEFAULT, 1, 1_000),
    memberCount: whole('--members', raw.members, RUN_DEFAULTS.members, 3, 9),
    ...parseTiming(raw),
    cluster: parseCluster(raw.cluster),
    runsDirectory: raw.runsDir ?? RUN_DEFAULTS.runsDirectory,
  };
}
