/**
 * From events to operations: every invocation with the completion that followed it.
 * A history that breaks Jepsen's rules is refused, because every checker trusts them.
 */
import { err, ok, type Result } from '../../src/lib/result.ts';
import { isClientOp, isOpType } from './guards.ts';
import type { Op } from './op.ts';

/** One operation of one client process. */
export interface Operation {
  readonly process: number;
  readonly f: string;
  readonly invoke: Op;
  /** Undefined when the history ended first: as unknown as `info`. */
  readonly completion: Op | undefined;
}

/** Why a history cannot be trusted, and where. */
export interface HistoryProblem {
  /** `op 41` (its index) or `line 42` (of the file, from 1). */
  readonly place: string;
  readonly reason: string;
}

/**
 * The operations of all client processes in the order of their invocations; ops of the nemesis
 * are only checked for order. Indexes need to grow, not to be gapless, so that a filtered
 * history pairs too. Refuses: an index or a time that goes backward, an unknown type, an invoke
 * by a process that is busy or retired, a completion that nobody asked for.
 */
export function pairHistory(history: readonly Op[]): Result<Operation[], HistoryProblem> {
  const operations: Operation[] = [];
  const positionOfBusy = new Map<number, number>();
  const retired = new Set<number>();
  let previous: Op | undefined;
  for (const op of history) {
    const reason = orderProblem(previous, op);
    if (reason !== undefined) return refuse(op, reason);
    previous = op;
    if (!isClientOp(op)) continue;
    const { process } = op;
    const position = positionOfBusy.get(process);
    if (op.type === 'invoke') {
      if (position !== undefined) return refuse(op, `process ${process} invokes while busy`);
      if (retired.has(process)) return refuse(op, `process ${process} retired after an info`);
      positionOfBusy.set(process, operations.length);
      operations.push({ process, f: op.f, invoke: op, completion: undefined });
      continue;
    }
    const open = position === undefined ? undefined : operations[position];
    if (position === undefined || open === undefined) {
      return refuse(op, `process ${process} completes what it did not invoke`);
    }
    if (open.f !== op.f) {
      return refuse(op, `process ${process} invoked ${open.f} and completes ${op.f}`);
    }
    operations[position] = { ...open, completion: op };
    positionOfBusy.delete(process);
    if (op.type === 'info') retired.add(process);
  }
  return ok(operations);
}

/** The paired operations whose function is one of `fs`. Fails as {@link pairHistory} does. */
export function operationsOf(
  history: readonly Op[],
  fs: readonly string[],
): Result<Operation[], HistoryProblem> {
  const paired = pairHistory(history);
  if (!paired.ok) return paired;
  return ok(paired.value.filter((operation) => fs.includes(operation.f)));
}

function orderProblem(previous: Op | undefined, op: Op): string | undefined {
  if (!isOpType(op.type)) return `unknown type ${JSON.stringify(op.type)}`;
  if (previous === undefined) return undefined;
  if (op.index <= previous.index) return `follows op ${previous.index}`;
  if (op.time < previous.time) return `time goes backward from ${previous.time} to ${op.time} ns`;
  return undefined;
}

function refuse(op: Op, reason: string): Result<never, HistoryProblem> {
  return err({ place: `op ${op.index}`, reason });
}
