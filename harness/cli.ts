#!/usr/bin/env node
/**
 * The `storm` command. Exit status: 0 valid, 1 invalid, 2 unknown, 3 usage or environment.
 * Bad input gets one line on standard error that names the field and the fix.
 */
import { randomInt } from 'node:crypto';
import { Command, CommanderError } from 'commander';
import type { BackendChoice } from './backends.ts';
import type { Action, Choose } from './cli/action.ts';
import { addBench } from './cli/bench.ts';
import { addMerge, campaignAction, type RawCampaign, withMatrix } from './cli/campaign.ts';
import { addDoctor } from './cli/doctor.ts';
import { addExplore } from './cli/explore.ts';
import { addMutants } from './cli/mutants.ts';
import { addScenarios } from './cli/scenarios.ts';
import { addSimulation } from './cli/sim.ts';
import { withTiming } from './cli/timing-options.ts';
import { ClusterError, type Target } from './cluster/cluster.ts';
import { checkCommand, reportCommand } from './commands/check.ts';
import { durabilityCommand } from './commands/durability.ts';
import { failoverCommand } from './commands/failover.ts';
import { runCommand } from './commands/run.ts';
import { sweepCommand, sweepFirst } from './commands/sweep.ts';
import { LATENCY_PROFILES } from './disk/latency-profiles.ts';
import { EXIT_ENVIRONMENT, StormError } from './exit-code.ts';
import { withLifetime } from './lifetime.ts';
import { FAULT_KINDS } from './nemesis/packages.ts';
import {
  parseCluster,
  parseTarget,
  parseTiming,
  type RawRunOptions,
  RUN_DEFAULTS,
  whole,
} from './options.ts';
import { readRunRequest } from './plan-file/plan-file.ts';
import { openProgress } from './progress.ts';
import { SEED_BOUND } from './seeded-random.ts';

const ROUNDS_DEFAULT = 10;

// Who reads the output may stop reading (`storm run | head -1`); the run goes on, and ends well.
for (const stream of [process.stdout, process.stderr]) stream.on('error', onlyIfNobodyReads);
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

/** Anything else that a stream complains of is a failure. */
function onlyIfNobodyReads(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
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
function buildProgram(choose: Choose): Command {
  const program = new Command('storm')
    .description('breaks a cluster and checks that it kept its promises')
    .exitOverride()
    .configureOutput({ outputError: () => undefined })
    .argument('[command]');
  addRun(program, choose);
  addSavedRuns(program, choose);
  addMeasurements(program, choose);
  addSimulation(program, choose);
  addMutants(program, choose);
  addBench(program, choose);
  addDoctor(program, choose);
  addScenarios(program, choose);
  addMerge(program, choose);
  addExplore(program, choose);
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
      `${problem}; use run, check, report, sim, fuzz, replay, scope, sweep, failover,` +
        ' durability, mutants, bench, doctor, list, repro, explore or merge',
    );
  });
  return program;
}

function addRun(program: Command, choose: Choose): void {
  const faults = `comma-separated, none, or all but lying-disk: all; of ${FAULT_KINDS.join(', ')}`;
  const collect = (kind: string, kinds: readonly string[] = []): string[] => [...kinds, kind];
  withMatrix(withTiming(program.command('run')))
    .description('one storm: cluster, clients, faults, verdict, report')
    .option('--seed <n>', 'decides the plan and the operations (default: drawn)')
    .option('--time-limit <seconds>', `length of the storm (${RUN_DEFAULTS.timeLimitSeconds})`)
    .option('--concurrency <n>', `client processes (${RUN_DEFAULTS.concurrency})`)
    .option('--rate <n>', `operations a second, all clients together (${RUN_DEFAULTS.rate})`)
    .option('--faults <kinds>', `${faults} (default: what every backend can do)`)
    .option('--require <kind>', 'unknown unless this fault took effect; repeatable', collect)
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .option('--target <target>', 'stormraft, etcd, etcd:PATH, etcd:IMAGE, a list, or both')
    .option('--plan <file>', 'a storm composed by hand: members, times, faults; YAML or JSON')
    .option('--wan <profile>', 'members far apart: one-region, three-regions or world-wide')
    .option(
      '--disk <profile>',
      `data in memory, behind disks as slow as ${LATENCY_PROFILES.join(', ')}`,
    )
    .option('--tls', 'clients and peers talk over TLS, with certificates made for the run')
    .option('--junit <file>', 'also write the verdict as JUnit XML there')
    .action((raw: RawCampaign) => {
      const campaign = campaignAction(raw);
      if (campaign !== undefined) return choose(campaign);
      const request = readRunRequest(raw, () => randomInt(SEED_BOUND));
      choose(
        onCluster(request.cluster, request.options.seed, (services) =>
          runCommand(services, request),
        ),
      );
    });
}

function addSavedRuns(program: Command, choose: Choose): void {
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

function addMeasurements(program: Command, choose: Choose): void {
  withTiming(program.command('failover'))
    .description('time from kill -9 of the leader to the first acknowledged write')
    .option('--rounds <n>', `kills per target (${ROUNDS_DEFAULT})`)
    .option('--target <target>', 'etcd:PATH to measure beside stormraft')
    .option('--server <dir>', 'an edited copy of the repository to run as the members')
    .action((raw: RawRunOptions & { readonly rounds?: string }) => {
      const targets: Target[] = [parseTarget({ server: raw.server })];
      if (raw.target !== undefined) targets.push(parseTarget({ target: raw.target }));
      const request = { ...parseCommon(raw), targets };
      choose(onCluster(request.cluster, 1, (services) => failoverCommand(services, request)));
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
      choose(onCluster(request.cluster, 1, (services) => durabilityCommand(services, request)));
    });
}

/** A command whose members may be simulated, with chances from the seed. */
function onCluster(choice: BackendChoice, seed: number, action: Action): Action {
  if (choice !== 'sim') return action;
  return async (services) => {
    const { inSimulation } = await import('./sim/simulated-services.ts');
    return inSimulation(services, seed, action);
  };
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
