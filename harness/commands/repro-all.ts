/** `storm repro all`: a series over all failure modes, and its table. */
import { existsSync, writeFileSync } from 'node:fs';
import { StormError } from '../exit-code.ts';
import type { Scenario } from '../scenarios/scenario.ts';
import { appendTry, readTries, type SeriesTry, tableOf, triesOf } from '../scenarios/series.ts';
import { exitCodeOfTries } from '../scenarios/tally.ts';
import { seededRandom } from '../seeded-random.ts';
import type { Services } from '../services.ts';
import { backendOf, describeMode, isPossible, type ReproRequest, tryOnce } from './repro.ts';
import { sweepFirst } from './sweep.ts';

export interface SeriesRequest extends Omit<ReproRequest, 'scenario'> {
  readonly scenarios: readonly Scenario[];
  /** The table, if its name ends with .md; the tries are in a .jsonl of that name. */
  readonly out: string | undefined;
  /** Tries that the file has count, and only what is missing is done. */
  readonly again: boolean;
}

/** As of one mode: 1 if any try was not as expected, 2 if none was not and some are undecided. */
export async function reproAllCommand(services: Services, request: SeriesRequest): Promise<number> {
  const { scenarios, target, count, seed } = request;
  const choice = backendOf(request.cluster);
  const file = triesFile(request);
  const tries: SeriesTry[] = file === undefined ? [] : [...readTries(file)];
  await sweepFirst(services);
  const { progress } = services;
  const codes = new Set<number>();
  for (const scenario of scenarios) {
    const { name } = scenario;
    if (!isPossible(scenario, choice)) {
      progress.print(`${name}: left out: it needs the members' files, which docker keeps`);
      continue;
    }
    const before = triesOf(tries, scenario, target.kind).length;
    if (before < count) describeMode(services, { scenario, target });
    const random = seededRandom(seed).fork(name);
    for (let at = before + 1; at <= count; at++) {
      const one = await tryOnce(services, { ...request, scenario, cluster: choice }, at, random);
      const { outcome, tookMs } = one;
      const done: SeriesTry = { mode: name, target: target.kind, outcome, tookMs };
      tries.push(done);
      if (file !== undefined) appendTry(file, done);
    }
    codes.add(
      exitCodeOfTries(scenario.expected[target.kind], triesOf(tries, scenario, target.kind)),
    );
  }
  const table = tableOf(scenarios, tries);
  if (request.out?.endsWith('.md') === true) writeFileSync(request.out, table);
  for (const line of table.trimEnd().split('\n')) progress.print(line);
  return [1, 2].find((code) => codes.has(code)) ?? 0;
}

function triesFile({ out, again }: SeriesRequest): string | undefined {
  if (out === undefined) {
    if (again) throw new StormError('--again: it needs --out, the file of the series');
    return undefined;
  }
  if (!/\.(md|jsonl)$/.test(out)) {
    throw new StormError(`--out ${out}: its name must end with .md or .jsonl`);
  }
  const file = out.replace(/\.md$/, '.jsonl');
  if (again || !existsSync(file)) return file;
  throw new StormError(`--out ${out}: ${file} has a series; go on with --again or use another`);
}
