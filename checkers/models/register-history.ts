/**
 * How register operations are written in a history. Values, by function:
 *
 *   read   invoke {key}             ok {key, value}       value: number, null where absent,
 *                                                      or the text that is no number
 *   write  invoke {key, value}      ok {key, value}
 *   cas    invoke {key, from, to}   ok {key, from, to, swapped} or, where `swapped` is false
 *                                      and the store said what it saw, {…, swapped, value}
 *
 * A compare-and-set that the store refused because the value differed is `ok` with `swapped`
 * false, not `fail`: the refusal is an answer, and tells as much as a read. `fail` keeps its one
 * meaning, that the operation certainly did not happen, and is left out of the check.
 */
import { err, ok, type Result } from '../../src/lib/result.ts';
import { fieldsOf } from '../history/guards.ts';
import type { Json, Op } from '../history/op.ts';
import type { HistoryProblem, Operation } from '../history/pairing.ts';
import type { Call } from '../linearizability/model.ts';
import type { RegisterInput, RegisterOutput, RegisterState } from './register.ts';

export const REGISTER_FS: readonly string[] = ['read', 'write', 'cas'];

export type RegisterCall = Call<RegisterInput, RegisterOutput>;

/** Operations of one key; a call's id is its position in the operations that were given. */
export interface RegisterPartition {
  readonly key: string;
  readonly calls: readonly RegisterCall[];
}

type Fields = { readonly [field: string]: Json | undefined };

/** One partition per key, in the order in which the keys first appear. */
export function partitionRegisters(
  operations: readonly Operation[],
): Result<RegisterPartition[], HistoryProblem> {
  const callsByKey = new Map<string, RegisterCall[]>();
  for (const [id, operation] of operations.entries()) {
    const { invoke, completion } = operation;
    if (completion?.type === 'fail') continue;
    const asked = fieldsOf(invoke.value);
    const input = asked === undefined ? undefined : parseInput(invoke.f, asked);
    if (asked === undefined || input === undefined || typeof asked.key !== 'string') {
      return malformed(invoke);
    }
    const calls = callsByKey.get(asked.key) ?? [];
    callsByKey.set(asked.key, calls);
    if (completion?.type !== 'ok') {
      calls.push({ type: 'info', id, input, output: undefined, callAt: invoke.index });
      continue;
    }
    const answered = fieldsOf(completion.value);
    const output = answered === undefined ? undefined : parseOutput(invoke.f, answered);
    if (output === undefined || answered?.key !== asked.key) return malformed(completion);
    const returnAt = completion.index;
    calls.push({ type: 'ok', id, input, output, callAt: invoke.index, returnAt });
  }
  return ok([...callsByKey].map(([key, calls]) => ({ key, calls })));
}

function parseInput(f: string, fields: Fields): RegisterInput | undefined {
  const { value, from, to } = fields;
  if (f === 'read') return { f };
  if (f === 'write' && typeof value === 'number') return { f, value };
  if (f === 'cas' && typeof from === 'number' && typeof to === 'number') return { f, from, to };
  return undefined;
}

function parseOutput(f: string, fields: Fields): RegisterOutput | undefined {
  const { value, swapped } = fields;
  if (f === 'read' && isState(value)) return { type: 'read', value };
  if (f === 'write') return { type: 'written' };
  if (f === 'cas' && swapped === true) return { type: 'swapped' };
  if (f === 'cas' && swapped === false && (value === undefined || isState(value))) {
    return { type: 'differs', value };
  }
  return undefined;
}

function isState(value: Json | undefined): value is RegisterState {
  return value === null || typeof value === 'number' || typeof value === 'string';
}

function malformed(op: Op): Result<never, HistoryProblem> {
  const reason = `${op.type} ${op.f} with the value ${JSON.stringify(op.value)}`;
  return err({ place: `op ${op.index}`, reason });
}
