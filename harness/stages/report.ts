/** Writes report.html of a saved run. */
import { loadRunRecord } from '../run-record.ts';
import type { Services } from '../services.ts';
import { REPORT_FILE, type RunDirectory } from '../store.ts';

/** Path of the report. */
export async function writeReport(services: Services, directory: RunDirectory): Promise<string> {
  directory.saveText(REPORT_FILE, await services.renderReport(loadRunRecord(directory)));
  return directory.file(REPORT_FILE);
}
