/**
 * A partition's operations laid out for the search: in which order they return, which of them
 * are pending at each return, and which bit of a configuration stands for which operation.
 */
import { assert } from '../../src/lib/assert.ts';
import type { Call, Effect, Model } from './model.ts';

/** Entries of `pending`, about operations × concurrency; beyond, the partition is not searched. */
const PENDING_ENTRIES_MAX = 50_000_000;

/** Work spent on leaving out the unobservable; beyond, they stay in and the search copes. */
const OBSERVATION_PROBES_MAX = 10_000_000;

export interface Plan<Input, Output> {
  /** The operations worth searching; the arrays below hold positions in it. */
  readonly calls: readonly Call<Input, Output>[];
  readonly effects: readonly Effect[];
  /** Returned operations, in the order of their returns. */
  readonly returns: Int32Array;
  /**
   * Returned operations that are pending at the n-th return (called before it, returning then
   * or later): `pending[pendingStart[n] .. pendingStart[n + 1])`.
   */
  readonly pending: Int32Array;
  readonly pendingStart: Int32Array;
  /** Operations nobody saw end, by call; the first `infoCount[n]` are called before return n. */
  readonly infos: Int32Array;
  readonly infoCount: Int32Array;
  /** The bit of each operation; bits of returned operations are used again. */
  readonly bitOf: Int32Array;
  /** 32-bit words that hold all bits. */
  readonly bitWords: number;
}

/** The plan of no operations at all. */
export const EMPTY_PLAN: Plan<never, never> = {
  calls: [],
  effects: [],
  returns: new Int32Array(0),
  pending: new Int32Array(0),
  pendingStart: new Int32Array(1),
  infos: new Int32Array(0),
  infoCount: new Int32Array(0),
  bitOf: new Int32Array(0),
  bitWords: 0,
};

/**
 * Leaves out what cannot matter: a read that nobody saw end says nothing, and an overwrite that
 * nobody saw end need not have happened if no operation could tell. Undefined if the operations
 * overlap too much to be laid out.
 */
export function planSearch<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Call<Input, Output>[],
): Plan<Input, Output> | undefined {
  const calls = withoutUnobservable(model, operations).toSorted((a, b) => a.callAt - b.callAt);
  const effects = calls.map((call) => model.effect(call.input, call.output));
  const positions = calls.map((_, position) => position);
  const infos = positions.filter((position) => calls[position]?.type === 'info');
  const returns = positions
    .filter((position) => calls[position]?.type === 'ok')
    .toSorted((a, b) => returnOf(calls, a) - returnOf(calls, b));
  const layout = layOut(calls, returns, infos);
  if (layout === undefined) return undefined;
  return {
    calls,
    effects,
    returns: Int32Array.from(returns),
    infos: Int32Array.from(infos),
    ...layout,
  };
}

function withoutUnobservable<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Call<Input, Output>[],
): readonly Call<Input, Output>[] {
  const infoCount = operations.filter((call) => call.type === 'info').length;
  if (infoCount * operations.length > OBSERVATION_PROBES_MAX) return operations;
  return operations.filter((call) => !isUnobservable(model, call, operations));
}

/** Whether an operation that nobody saw end can be taken out without anybody noticing. */
export function isUnobservable<State, Input, Output>(
  model: Model<State, Input, Output>,
  call: Call<Input, Output>,
  operations: readonly Call<Input, Output>[],
): boolean {
  if (call.type === 'ok') return false;
  const effect = model.effect(call.input, call.output);
  if (effect === 'read') return true;
  if (effect === 'update') return false;
  const after = model.step(model.init, call.input, call.output);
  if (after === undefined) return true;
  return !operations.some((other) => {
    if (other === call || (other.type === 'ok' && other.returnAt < call.callAt)) return false;
    if (model.effect(other.input, other.output) === 'overwrite') return false;
    return model.step(after, other.input, other.output) !== undefined;
  });
}

type Layout = Pick<
  Plan<unknown, unknown>,
  'pending' | 'pendingStart' | 'infoCount' | 'bitOf' | 'bitWords'
>;

/** One walk over the returns, keeping the set of pending operations and of free bits. */
function layOut<Input, Output>(
  calls: readonly Call<Input, Output>[],
  returns: readonly number[],
  infos: readonly number[],
): Layout | undefined {
  const bitOf = new Int32Array(calls.length);
  const freeBits: number[] = [];
  let bitCount = 0;
  let called = 0;
  let infosCalled = 0;
  const open = new Set<number>();
  const pending: number[] = [];
  const pendingStart: number[] = [0];
  const infoCount: number[] = [];
  for (const returned of returns) {
    const returnAt = returnOf(calls, returned);
    for (; called < calls.length && calls[called]!.callAt < returnAt; called++) {
      if (calls[called]?.type === 'info') {
        infosCalled += 1;
        continue;
      }
      open.add(called);
      bitOf[called] = freeBits.pop() ?? bitCount++;
    }
    assert(open.has(returned), 'an operation is called before it returns');
    for (const position of open) pending.push(position);
    if (pending.length > PENDING_ENTRIES_MAX) return undefined;
    pendingStart.push(pending.length);
    infoCount.push(infosCalled);
    open.delete(returned);
    freeBits.push(bitOf[returned]!);
  }
  for (const info of infos) bitOf[info] = bitCount++;
  return {
    pending: Int32Array.from(pending),
    pendingStart: Int32Array.from(pendingStart),
    infoCount: Int32Array.from(infoCount),
    bitOf,
    bitWords: Math.ceil(bitCount / 32),
  };
}

function returnOf<Input, Output>(calls: readonly Call<Input, Output>[], position: number): number {
  const call = calls[position];
  assert(call?.type === 'ok', 'only operations that ended have a return');
  return call.returnAt;
}
