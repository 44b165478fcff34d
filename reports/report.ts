/** The report of a run: one HTML file that needs nothing else. */
import { loadReportAssets } from './assets.ts';
import { renderReportPage } from './page.ts';
import type { RunRecord } from './run-record.ts';

/** The same record gives the same text. Rejects only if the chart library cannot be read. */
export async function renderReport(record: RunRecord): Promise<string> {
  return renderReportPage(record, await loadReportAssets());
}
