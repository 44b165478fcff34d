/**
 * `storm bench etcd`: the same load on Stormraft and on a real etcd, in turns on one machine and
 * one disk, and the ratios of what came of it.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Target } from '../cluster/cluster.ts';
import { sweepFirst } from '../commands/sweep.ts';
import { exitCodeOf, StormError } from '../exit-code.ts';
import type { Services } from '../services.ts';
import { BenchCluster, type BenchRoles } from './bench-cluster.ts';
import { figuresTable, inWords, ratiosTable } from './bench-table.ts';
import type { Cell } from './cell.ts';
import { LoadError } from './load.ts';
import { LoadProcess } from './load-process.ts';
import { type Measurement, problemCount, processorFigures, ratiosOf } from './measurement.ts';
import { type ProcessorReading, processorUse, readProcessorTime } from './processor-time.ts';

export interface BenchRequest {
  readonly targets: readonly Target[];
  readonly cells: readonly Cell[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly memberCount: number;
  readonly keyCount: number;
  readonly valueBytes: number;
  /** Where data directories go; undefined: the system's temporary directory. */
  readonly directory: string | undefined;
  readonly jsonFile: string | undefined;
  readonly profileDirectory: string | undefined;
}

/** 0; 2 if a request failed, for then it was not the same load; or rejects with StormError. */
export async function benchCommand(services: Services, request: BenchRequest): Promise<number> {
  await sweepFirst(services);
  const { progress } = services;
  const { cells, jsonFile, profileDirectory } = request;
  if (profileDirectory !== undefined) mkdirSync(profileDirectory, { recursive: true });
  const root = mkdtempSync(join(request.directory ?? tmpdir(), 'storm-bench-'));
  const measurements: Measurement[] = [];
  try {
    for (let round = 1; round <= request.rounds; round++) {
      for (const target of inOrder(request.targets, round)) {
        const one = new Round(services, request, { round, target, root });
        measurements.push(...(await one.run()));
      }
    }
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
  const names = cells.map(({ name }) => name);
  const systems = request.targets.map(({ kind }) => kind);
  for (const line of figuresTable(names, systems, measurements)) progress.print(line);
  for (const line of ratiosTable(names, measurements)) progress.print(line);
  if (jsonFile !== undefined) {
    const ratios = names.flatMap((name) => ratiosOf(name, measurements) ?? []);
    writeFileSync(jsonFile, `${JSON.stringify({ request, measurements, ratios }, undefined, 2)}\n`);
  }
  const hasProblems = measurements.some(({ load }) => problemCount(load) > 0);
  for (const line of problemLines(measurements)) progress.print(line);
  return exitCodeOf(hasProblems ? 'unknown' : 'valid');
}

/** What comes later may find a warmer or a wearier machine: the order is reversed each round. */
function inOrder(targets: readonly Target[], round: number): readonly Target[] {
  return round % 2 === 1 ? targets : targets.toReversed();
}

interface RoundPart {
  readonly round: number;
  readonly target: Target;
  readonly root: string;
}

/** All cells on one system, on a fresh data directory. */
class Round {
  readonly #services: Services;
  readonly #request: BenchRequest;
  readonly #part: RoundPart;

  constructor(services: Services, request: BenchRequest, part: RoundPart) {
    this.#services = services;
    this.#request = request;
    this.#part = part;
  }

  async run(): Promise<Measurement[]> {
    const { clock, signal, progress } = this.#services;
    const { round, target, root } = this.#part;
    const { memberCount, profileDirectory, keyCount, valueBytes } = this.#request;
    const name = `${target.kind}-${round}`;
    progress.live(`bench: round ${round}: starting ${target.kind}`);
    await using clean = new AsyncDisposableStack();
    const cluster = await BenchCluster.open({
      runId: `${basename(root)}-${name}`,
      directory: join(root, name),
      ...{ target, memberCount, profileDirectory },
    });
    clean.defer(() => cluster.close());
    const probe = this.#services.openProbe();
    clean.defer(() => probe.close());
    const roles = await cluster.roles(clock, probe, signal);
    const client = clean.use(new LoadProcess());
    const interrupted = Promise.withResolvers<never>();
    signal.addEventListener('abort', () => interrupted.reject(new StormError('interrupted')));
    interrupted.promise.catch(() => undefined);
    const measured: Measurement[] = [];
    try {
      const keys = client.keys(roles.leader.clientUrl, { keyCount, valueBytes });
      await Promise.race([keys, interrupted.promise]);
      for (const cell of this.#request.cells) {
        progress.live(`bench: round ${round}: ${target.kind} ${cell.name}`);
        const one = this.#measure(cell, client, roles);
        const measurement = await Promise.race([one, interrupted.promise]);
        measured.push(measurement);
        progress.print(`bench: round ${round}: ${inWords(measurement)}`);
      }
    } catch (error) {
      if (!(error instanceof LoadError)) throw error;
      throw new StormError(`${target.kind}, round ${round}: ${error.message}`);
    }
    return measured;
  }

  async #measure(cell: Cell, client: LoadProcess, roles: BenchRoles): Promise<Measurement> {
    const { seconds, warmUpSeconds, keyCount, valueBytes } = this.#request;
    const { round, target } = this.#part;
    const { operation, connections, streams } = cell;
    const pids = { ...roles, clientPid: client.pid };
    const watched = [roles.leaderPid, ...roles.followerPids, client.pid];
    const readings: (ProcessorReading | undefined)[] = [];
    const spec = {
      port: Number(new URL(roles.leader.clientUrl).port),
      ...{ operation, connections, streams, keyCount, valueBytes },
      warmUpMs: warmUpSeconds * 1000,
      measuredMs: seconds * 1000,
    };
    // Both systems get the same keys in the same order.
    const load = await client.load(spec, round, () => readings.push(readProcessorTime(watched)));
    const [before, after] = readings;
    const processors =
      before === undefined || after === undefined
        ? undefined
        : processorFigures(processorUse(before, after), pids, load);
    return { round, system: target.kind, cell: cell.name, load, processors };
  }
}

function problemLines(measurements: readonly Measurement[]): string[] {
  return measurements.flatMap(({ round, system, cell, load }) =>
    Object.entries(load.problems).map(
      ([problem, count]) => `bench: round ${round}: ${system} ${cell}: ${count} x ${problem}`,
    ),
  );
}
