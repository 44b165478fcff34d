/** The hunt's result as a table in Markdown: what is published of the harness's power. */

import { medianOf } from '../median.ts';
import type { Hunt } from './hunt.ts';
import type { CheckerHunt } from './hunt-checkers.ts';
import type { Mutant } from './mutant.ts';

const SERVER_HEAD = `| mutant | area | the mistake | found by | seeds | CPU s |
|---|---|---|---|---|---|`;
const NOT_HUNTED = 'not hunted yet';
const CHECKER_HEAD = `| mutant | the mistake | found by |
|---|---|---|`;

/** One row for each, in the order of the catalogue. */
export function serverTable(hunts: readonly Hunt[]): string {
  const rows = hunts.map(({ mutant, result, seeds, cpuS }) => {
    const cells = [`\`${mutant.name}\``, mutant.area, mutant.story, foundBy(result)];
    return row([...cells, String(seeds), cpuS.toFixed(1)]);
  });
  return [SERVER_HEAD, ...rows].join('\n');
}

/** Rows of the same table for mutants that no hunt is told of. */
export function notHuntedRows(mutants: readonly Mutant[]): string {
  const rows = mutants.map(({ name, area, story, expected }) => {
    const watcher = expected === undefined ? NOT_HUNTED : `${NOT_HUNTED}; expected: ${expected}`;
    return row([`\`${name}\``, area, story, watcher, '–', '–']);
  });
  return rows.join('\n');
}

export function checkerTable(hunts: readonly CheckerHunt[]): string {
  const rows = hunts.map(({ mutant, result }) =>
    row([`\`${mutant.name}\``, mutant.story, foundBy(result)]),
  );
  return [CHECKER_HEAD, ...rows].join('\n');
}

function foundBy(result: Hunt['result'] | CheckerHunt['result']): string {
  switch (result.type) {
    case 'killed':
      return result.by;
    case 'survived':
      return '**survived**';
    case 'broken':
      return '**not planted**';
    default:
      return result satisfies never;
  }
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
}

/** `61 of 64 found (95 %), median 3 seeds, 4.2 CPU s`. */
export function describeHunts(hunts: readonly Hunt[]): string {
  const killed = hunts.filter(({ result }) => result.type === 'killed');
  const share = hunts.length === 0 ? 0 : (100 * killed.length) / hunts.length;
  const seeds = medianOf(killed.map((each) => each.seeds));
  const cpuS = medianOf(killed.map((each) => each.cpuS));
  const found = `${killed.length} of ${hunts.length} found (${share.toFixed(1)} %)`;
  if (killed.length === 0) return found;
  return `${found}; median ${seeds} seeds and ${cpuS.toFixed(1)} CPU s to find one`;
}

/** Of the failing plans that were made smaller. */
export function describeShrinking(hunts: readonly Hunt[]): string | undefined {
  const shrunk = hunts.flatMap(({ result }) =>
    result.type === 'killed' && result.shrunk !== undefined ? [result.shrunk] : [],
  );
  if (shrunk.length === 0) return undefined;
  const operations = medianOf(shrunk.map((each) => each.operations));
  const faults = medianOf(shrunk.map((each) => each.faults));
  const runs = medianOf(shrunk.map((each) => each.runs));
  return (
    `${shrunk.length} made smaller: median ${operations} operations and ${faults} faults,` +
    ` after ${runs} runs`
  );
}
