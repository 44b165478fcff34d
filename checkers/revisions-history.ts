/** The answers of a history that told a revision, of whatever workload. */
import { fieldsOf } from './history/guards.ts';
import type { Op } from './history/op.ts';
import type { Operation } from './history/pairing.ts';

/** An operation that ended well, with the store's revision as its answer had it. */
export interface Answered {
  readonly process: number;
  readonly f: string;
  readonly invoke: Op;
  readonly completion: Op;
  readonly revision: number;
  /** It certainly changed the store, so that the revision is its own. */
  readonly isMutation: boolean;
  /** A stale answer was asked for. */
  readonly isSerializable: boolean;
}

/** In the order of their invocations. */
export function answeredIn(operations: readonly Operation[]): readonly Answered[] {
  return operations.flatMap(({ process, f, invoke, completion }) => {
    if (completion?.type !== 'ok' || completion.revision === undefined) return [];
    const { revision } = completion;
    const isMutation = hasMutated(completion);
    const isSerializable = fieldsOf(invoke.value)?.serializable === true;
    return [{ process, f, invoke, completion, revision, isMutation, isSerializable }];
  });
}

/** By function and what came of it; a function that is not known here counts as a read. */
function hasMutated({ f, value }: Op): boolean {
  const fields = fieldsOf(value);
  switch (f) {
    case 'write':
    case 'add':
    case 'kv-put':
      return true;
    case 'cas':
      return fields?.swapped === true;
    case 'kv-delete':
      return Number(fields?.deleted ?? 0) > 0;
    case 'kv-txn':
      return fields?.wrote === true;
    default:
      return false;
  }
}
