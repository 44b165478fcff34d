/** The report of runs side by side: one HTML file that needs nothing else. */
import { loadReportAssets } from '../assets.ts';
import type { Comparison } from './comparison.ts';
import { renderComparisonPage } from './page.ts';

/** The same runs give the same text. Rejects only if the chart library cannot be read. */
export async function renderComparison(comparison: Comparison): Promise<string> {
  return renderComparisonPage(comparison, await loadReportAssets());
}
