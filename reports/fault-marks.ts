/** How faults are marked wherever they are drawn: number, colour of their kind, row. */
import type { Band } from './chart-data.ts';
import { secondsOf } from './chart-data.ts';
import type { FaultRecord } from './run-record.ts';

/** Colours `--fault-0` and up in the style sheet; further kinds begin again. */
const COLOURS = 10;

/** Rows of bars; of more faults at once the last row holds the rest. */
const ROWS_MAX = 4;

export interface FaultMark {
  readonly fault: FaultRecord;
  /** From 1, in the order of the record. */
  readonly number: number;
  readonly colour: string;
  /** Faults that overlap in time are in different rows. */
  readonly row: number;
}

/** Every fault but the skipped, which were never there to be drawn. */
export function markFaults(faults: readonly FaultRecord[]): FaultMark[] {
  const kinds = kindsOf(faults);
  const rowFreeAtNs: number[] = [];
  const row = (fault: FaultRecord): number => {
    const free = rowFreeAtNs.findIndex((atNs) => atNs <= fault.injectStartNs);
    const at = Math.min(ROWS_MAX - 1, free < 0 ? rowFreeAtNs.length : free);
    rowFreeAtNs[at] = Math.max(rowFreeAtNs[at] ?? 0, fault.healEndNs);
    return at;
  };
  return faults
    .map((fault, at) => ({ fault, number: at + 1 }))
    .filter(({ fault }) => fault.effect !== 'skipped')
    .sort((a, b) => a.fault.injectStartNs - b.fault.injectStartNs)
    .map((each) => ({ ...each, colour: colourOf(each.fault.kind, kinds), row: row(each.fault) }));
}

/** The kinds in the order of their first appearance. */
export function kindsOf(faults: readonly FaultRecord[]): string[] {
  return [...new Set(faults.map((fault) => fault.kind))];
}

export function colourOf(kind: string, kinds: readonly string[]): string {
  return `fault-${Math.max(0, kinds.indexOf(kind)) % COLOURS}`;
}

export function bandOf({ fault, number, colour, row }: FaultMark): Band {
  const { injectStartNs, injectEndNs, healStartNs, healEndNs } = fault;
  return {
    number,
    colour,
    row,
    seconds: [
      secondsOf(injectStartNs),
      secondsOf(injectEndNs),
      secondsOf(healStartNs),
      secondsOf(healEndNs),
    ],
    hadEffect: fault.effect === 'observed',
  };
}
