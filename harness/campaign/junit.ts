/** A campaign as JUnit XML: a suite per target, a test case per cell. */
import { writeFileSync } from 'node:fs';
import builderModule, { type Builder, type TestCase } from 'junit-report-builder';
import { assertNever } from '../../src/lib/assert.ts';
import { StormError } from '../exit-code.ts';
import type { Cell } from './cell.ts';
import type { CellResult } from './results.ts';

/** Its types describe an ES module whose default export this is; at run time it is the export. */
const builder = builderModule as unknown as Builder;

const CLASS = 'stormraft.campaign';

/** Invalid cells are failures; unknown ones, and those without a verdict or result, errors. */
export function campaignJunit(
  cells: readonly Cell[],
  results: ReadonlyMap<string, CellResult>,
): string {
  const report = builder.newBuilder();
  const targets = [...new Set(cells.map(({ options }) => options.target))];
  for (const target of targets) {
    const suite = report.testSuite().name(`storm campaign on ${target}`);
    for (const { id, options } of cells) {
      if (options.target !== target) continue;
      reportCell(suite.testCase().className(CLASS).name(id), results.get(id));
    }
  }
  return report.build();
}

/** Throws {@link StormError} when the file cannot be written. */
export function saveJunit(
  path: string,
  cells: readonly Cell[],
  results: ReadonlyMap<string, CellResult>,
): void {
  try {
    writeFileSync(path, campaignJunit(cells, results));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StormError(`--junit ${path}: ${reason}; give a writable file`, { cause });
  }
}

function reportCell(testCase: TestCase, result: CellResult | undefined): void {
  if (result === undefined) {
    testCase.error('no result', 'missing');
    return;
  }
  const { verdict, why, again, seconds } = result;
  testCase.time(seconds).standardOutput(`run again: ${again}`);
  switch (verdict) {
    case 'valid':
      return;
    case 'invalid':
      testCase.failure(why, 'invalid');
      return;
    case 'unknown':
      testCase.error(why, 'unknown');
      return;
    case 'none':
      testCase.error(why, 'no verdict');
      return;
    default:
      return assertNever(verdict);
  }
}
