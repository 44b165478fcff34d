/** Runs of one plan on several targets, and what is worked out of each for all sections. */
import type { Validity } from '../../checkers/checker.ts';
import { type ReportInput, reportInput } from '../report-input.ts';
import type { FaultRecord, RunRecord } from '../run-record.ts';
import { type Figures, figuresOf } from '../series/figures.ts';
import { type Availability, availabilityOf, type Served, servedOps } from './served-again.ts';

/** A run of the plan on one target. */
export interface ComparedRun {
  /** `stormraft`, `etcd`, or what else tells the target from the others. */
  readonly name: string;
  readonly record: RunRecord;
  /** Of the run's own report, relative to the page. */
  readonly href: string;
}

export interface Comparison {
  readonly title: string;
  /** The worst. */
  readonly validity: Validity;
  readonly commands: RunRecord['commands'];
  readonly runs: readonly ComparedRun[];
}

export interface Side {
  readonly name: string;
  readonly href: string;
  readonly input: ReportInput;
  readonly figures: Figures;
  readonly served: readonly Served[];
  readonly availability: Availability;
}

export function sideOf({ name, record, href }: ComparedRun): Side {
  const input = reportInput(record);
  return {
    name,
    href,
    input,
    figures: figuresOf(record, input.completions),
    served: servedOps(record),
    availability: availabilityOf(input.completions, record.stormEndNs),
  };
}

/** One fault of the plan on every side; undefined where the run has no such record. */
export interface PairedFault {
  /** From 1, in the order of the first side that has it. */
  readonly number: number;
  readonly kind: string;
  readonly faults: readonly (FaultRecord | undefined)[];
}

/** By kind, and the how manieth of it: a side that cannot do a kind lacks all of it. */
export function pairFaults(sides: readonly Side[]): PairedFault[] {
  const rows = new Map<string, { kind: string; faults: (FaultRecord | undefined)[] }>();
  for (const [at, side] of sides.entries()) {
    const seen = new Map<string, number>();
    for (const fault of side.input.record.faults) {
      const nth = (seen.get(fault.kind) ?? 0) + 1;
      seen.set(fault.kind, nth);
      const key = `${fault.kind} ${nth}`;
      const row = rows.get(key) ?? {
        kind: fault.kind,
        faults: sides.map((): FaultRecord | undefined => undefined),
      };
      row.faults[at] = fault;
      rows.set(key, row);
    }
  }
  return [...rows.values()].map((row, at) => ({ ...row, number: at + 1 }));
}
