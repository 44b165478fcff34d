/**
 * `storm run --matrix`: one storm after the other until every cell of the matrix, or of its shard,
 * has a verdict. Where an earlier call stopped, this one goes on.
 */
import { mkdirSync } from 'node:fs';
import { EXIT_ENVIRONMENT, exitCodeOf, StormError } from '../exit-code.ts';
import type { Services } from '../services.ts';
import { type Cell, cellsOfShard, expandMatrix, type Shard } from './cell.ts';
import type { CellEnd, CellRunner } from './cell-runner.ts';
import type { DockerHost } from './docker-hosts.ts';
import { saveJunit } from './junit.ts';
import { lockDirectory } from './lock.ts';
import { describeMatrix } from './matrix.ts';
import type { MatrixFile } from './matrix-file.ts';
import {
  CAMPAIGN_FORMAT,
  type CampaignHead,
  CampaignWriter,
  type CellResult,
  type CellVerdict,
  readCampaign,
} from './results.ts';
import { printTable, tally } from './table.ts';
import { describeCounts, exitCodeOfCampaign } from './worst.ts';

export interface CampaignRequest {
  readonly file: MatrixFile;
  readonly shard: Shard;
  /** Where results and run directories go. */
  readonly directory: string;
  /** Go on after a cell that is invalid or has no verdict. */
  readonly keepGoing: boolean;
  /** Run cells that have a verdict, too. */
  readonly again: boolean;
  readonly junitFile: string | undefined;
  /** Goes on with this campaign. */
  readonly command: string;
}

/** What it needs of the commands' surroundings. */
export type CampaignServices = Pick<Services, 'clock' | 'progress' | 'signal'>;

/** {@link exitCodeOfCampaign} over all cells of the shard; rejects with {@link StormError}. */
export async function campaignCommand(
  services: CampaignServices,
  request: CampaignRequest,
  runner: CellRunner,
): Promise<number> {
  const { progress } = services;
  const { directory, file, shard } = request;
  makeDirectory(directory);
  using _lock = lockDirectory(directory);
  const cells = expandMatrix(file.matrix);
  const mine = cellsOfShard(cells, shard);
  const saved = readCampaign(directory);
  const results = new Map(saved?.results);
  const part = shard.count > 1 ? `, ${mine.length} in shard ${shard.index} of ${shard.count}` : '';
  const total = `${cells.length} cells of ${file.name} (${describeMatrix(file.matrix)})`;
  progress.print(`campaign: ${total}${part}, results in ${directory}`);
  const writer = new CampaignWriter(directory);
  appendHead(writer, saved?.head, {
    format: CAMPAIGN_FORMAT,
    matrix: file.matrix,
    cells: cells.length,
    part: shard,
  });
  const todo = mine.filter(({ id }) => request.again || !hasVerdict(results.get(id)));
  if (todo.length < mine.length) {
    progress.print(`campaign: ${mine.length - todo.length} cells have a verdict already`);
  }
  await new Campaign(services, request, { runner, writer, results, todo }).run();
  const counts = printTable(progress, tally(mine, results));
  progress.print(`campaign: ${describeCounts(counts)}`);
  if (counts.missing + counts.none > 0) progress.print(`go on: ${request.command}`);
  if (request.junitFile !== undefined) saveJunit(request.junitFile, mine, results);
  return exitCodeOfCampaign(counts);
}

interface Work {
  readonly runner: CellRunner;
  readonly writer: CampaignWriter;
  readonly results: Map<string, CellResult>;
  readonly todo: readonly Cell[];
}

class Campaign {
  readonly #services: CampaignServices;
  readonly #request: CampaignRequest;
  readonly #work: Work;
  readonly #running = new Set<string>();
  #taken = 0;
  #ended = 0;
  #isStopped = false;

  constructor(services: CampaignServices, request: CampaignRequest, work: Work) {
    this.#services = services;
    this.#request = request;
    this.#work = work;
  }

  /** One cell at a time, or one on each host. */
  async run(): Promise<void> {
    const { hosts } = this.#request.file;
    const places: readonly (DockerHost | undefined)[] = hosts.length === 0 ? [undefined] : hosts;
    await Promise.all(places.map((host) => this.#runOn(host)));
  }

  async #runOn(host: DockerHost | undefined): Promise<void> {
    const { todo, runner } = this.#work;
    const { clock, signal } = this.#services;
    for (;;) {
      const cell = todo[this.#taken];
      if (cell === undefined || this.#isStopped || signal.aborted) return;
      this.#taken += 1;
      this.#running.add(cell.id);
      this.#live();
      const beganNs = clock.nowNs();
      const end = await runner.run({ cell, host, directory: this.#request.directory }, signal);
      this.#running.delete(cell.id);
      // What was interrupted has no result: the next call runs it anew.
      if (signal.aborted) return;
      const seconds = Math.round((clock.nowNs() - beganNs) / 1e8) / 10;
      this.#finish(resultOf(this.#request, { cell, host, end, seconds }));
    }
  }

  #finish(result: CellResult): void {
    this.#work.writer.append(result);
    this.#work.results.set(result.id, result);
    this.#ended += 1;
    const place = `${this.#ended}/${this.#work.todo.length}`;
    const where = result.host === undefined ? '' : ` on ${result.host}`;
    const verdict = result.verdict === 'none' ? 'no verdict' : result.verdict;
    const why = result.why === '' ? '' : `: ${result.why}`;
    const { progress } = this.#services;
    progress.print(
      `campaign: ${place} ${result.id}${where}: ${verdict} in ${result.seconds} s${why}`,
    );
    const isBad = result.verdict === 'invalid' || result.verdict === 'none';
    if (!isBad || this.#request.keepGoing || this.#isStopped) return;
    this.#isStopped = true;
    if (this.#taken < this.#work.todo.length) {
      progress.print('campaign: stopping here; --keep-going would go on');
    }
  }

  #live(): void {
    const running = [...this.#running].join(', ');
    const place = `${this.#ended} of ${this.#work.todo.length} done`;
    this.#services.progress.live(`campaign: ${place}, running ${running}`);
  }
}

function resultOf(
  { command }: CampaignRequest,
  {
    cell,
    host,
    end,
    seconds,
  }: {
    readonly cell: Cell;
    readonly host: DockerHost | undefined;
    readonly end: CellEnd;
    readonly seconds: number;
  },
): CellResult {
  return {
    id: cell.id,
    target: cell.options.target,
    versions: end.versions,
    verdict: verdictOf(end.exitCode),
    exitCode: end.exitCode,
    seconds,
    runDirectory: end.runDirectory ?? null,
    again: end.again ?? command,
    why: end.why,
    ...(host !== undefined && { host: host.name }),
    options: cell.options,
  };
}

/** The status of `storm run` says more than its files: a simulation watches its members too. */
function verdictOf(exitCode: number): CellVerdict {
  const found = (['valid', 'invalid', 'unknown'] as const).find(
    (validity) => exitCodeOf(validity) === exitCode,
  );
  return found ?? 'none';
}

function hasVerdict(result: CellResult | undefined): boolean {
  return result !== undefined && result.exitCode !== EXIT_ENVIRONMENT;
}

/** Says again what cells there are when the matrix or the shard has changed. */
function appendHead(
  writer: CampaignWriter,
  before: CampaignHead | undefined,
  head: CampaignHead,
): void {
  if (JSON.stringify(before) !== JSON.stringify(head)) writer.append(head);
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`--runs-dir ${directory}: ${reason}`, { cause });
  }
}
