/** The chart library's own files, as they are put into every report. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { assert } from '../src/lib/assert.ts';

export interface ReportAssets {
  readonly chartScript: string;
  readonly chartStyle: string;
}

/** Finds them beside this file's own dependencies, wherever the program was started. */
export async function loadReportAssets(): Promise<ReportAssets> {
  const [chartScript, chartStyle] = await Promise.all([
    readAsset('uplot/dist/uPlot.iife.min.js'),
    readAsset('uplot/dist/uPlot.min.css'),
  ]);
  return { chartScript, chartStyle };
}

async function readAsset(specifier: string): Promise<string> {
  const text = await readFile(fileURLToPath(import.meta.resolve(specifier)), 'utf8');
  assert(!/<\/(script|style)/i.test(text), `${specifier} would end its element in a page`);
  return text;
}
