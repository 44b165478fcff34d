/** What the sections are made from: the record, and what is worked out of it once for all. */
import { type FaultMark, markFaults } from './fault-marks.ts';
import type { RunRecord } from './run-record.ts';
import { type Completions, completionsOf } from './series/completions.ts';
import { type Leadership, leadershipsOf } from './series/leadership.ts';

export interface ReportInput {
  readonly record: RunRecord;
  readonly completions: Completions;
  readonly marks: readonly FaultMark[];
  readonly leaderships: readonly Leadership[];
}

export function reportInput(record: RunRecord): ReportInput {
  return {
    record,
    completions: completionsOf(record.history),
    marks: markFaults(record.faults),
    leaderships: leadershipsOf(record),
  };
}
