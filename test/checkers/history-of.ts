/** Short histories by hand: rows of process, type, function, value, and what else matters. */
import type { Json, Op, OpType } from '../../checkers/history/op.ts';

export type Row = readonly [
  process: number | 'nemesis',
  type: OpType,
  f: string,
  value: Json,
  more?: Partial<Op>,
];

/** Indexes from 0; 1 µs from op to op. */
export function historyOf(...rows: readonly Row[]): Op[] {
  return rows.map(([process, type, f, value, more], index) => ({
    index,
    time: index * 1_000,
    process,
    type,
    f,
    value,
    ...more,
  }));
}
