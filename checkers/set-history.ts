/** The adds and reads of a set, read from the values that set.ts describes. */
import { err, ok, type Result } from '../src/lib/result.ts';
import { fieldsOf, isJsonArray } from './history/guards.ts';
import type { Json, Op } from './history/op.ts';
import type { HistoryProblem, Operation } from './history/pairing.ts';

export const SET_FS: readonly string[] = ['add', 'set-read'];

/** Adds are of numbers; a text is what a read found that is no number. */
export type Element = number | string;

/** An operation that ended well. */
export interface Done {
  readonly process: number;
  readonly invoke: Op;
  readonly completion: Op;
}

export interface SetAdd {
  readonly element: number;
  readonly operation: Operation;
  /** The acknowledgement; undefined if it failed, or nobody saw it end. */
  readonly done: Done | undefined;
}

export interface SetRead extends Done {
  /** As read, in the store's order. */
  readonly elements: readonly Element[];
}

export interface SetHistory {
  readonly adds: readonly SetAdd[];
  /** The reads that succeeded, in the order of their invocations. */
  readonly reads: readonly SetRead[];
}

export function parseSetHistory(
  operations: readonly Operation[],
): Result<SetHistory, HistoryProblem> {
  const adds: SetAdd[] = [];
  const reads: SetRead[] = [];
  for (const operation of operations) {
    const { process, invoke, completion } = operation;
    const done = completion?.type === 'ok' ? { process, invoke, completion } : undefined;
    if (operation.f === 'add') {
      const element = fieldsOf(invoke.value)?.element;
      if (typeof element !== 'number') return malformed(invoke);
      adds.push({ element, operation, done });
    } else if (done !== undefined) {
      const elements = elementsOf(fieldsOf(done.completion.value)?.elements);
      if (elements === undefined) return malformed(done.completion);
      reads.push({ ...done, elements });
    }
  }
  return ok({ adds, reads });
}

function elementsOf(value: Json | undefined): readonly Element[] | undefined {
  if (!isJsonArray(value)) return undefined;
  const isElement = (item: Json): item is Element => ['number', 'string'].includes(typeof item);
  return value.every(isElement) ? value : undefined;
}

function malformed(op: Op): Result<never, HistoryProblem> {
  const reason = `${op.type} ${op.f} with the value ${JSON.stringify(op.value)}`;
  return err({ place: `op ${op.index}`, reason });
}
