/** Two slow, independent judges of linearizability, against which the engine is measured. */
import type { Call, Model } from '../../checkers/linearizability/model.ts';

/** Tries every order that respects real time. Exponential: for a handful of operations. */
export function bruteForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  calls: readonly Call<Input, Output>[],
): boolean {
  const explore = (state: State, left: readonly Call<Input, Output>[]): boolean => {
    if (left.every((call) => call.type === 'info')) return true;
    const firstReturn = Math.min(...left.map(returnOf));
    return left.some((call) => {
      if (call.callAt > firstReturn) return false;
      const next = model.step(state, call.input, call.output);
      return (
        next !== undefined &&
        explore(
          next,
          left.filter((other) => other !== call),
        )
      );
    });
  };
  return explore(model.init, calls);
}

/**
 * Wing and Gong's search with Lowe's memory: the same question with a visited set over (set of
 * operations that took effect, state). For tens of operations.
 */
export function wingGong<State, Input, Output>(
  model: Model<State, Input, Output>,
  calls: readonly Call<Input, Output>[],
): boolean {
  const seen = new Set<string>();
  const stack: { readonly state: State; readonly done: bigint }[] = [
    { state: model.init, done: 0n },
  ];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    const { state, done } = node;
    const left = calls
      .map((call, position) => ({ call, bit: 1n << BigInt(position) }))
      .filter(({ bit }) => (done & bit) === 0n);
    if (left.every(({ call }) => call.type === 'info')) return true;
    const firstReturn = Math.min(...left.map(({ call }) => returnOf(call)));
    for (const { call, bit } of left) {
      if (call.callAt > firstReturn) continue;
      const next = model.step(state, call.input, call.output);
      if (next === undefined) continue;
      const key = `${done | bit} ${model.key(next)}`;
      if (seen.has(key)) continue;
      seen.add(key);
      stack.push({ state: next, done: done | bit });
    }
  }
  return false;
}

function returnOf<Input, Output>(call: Call<Input, Output>): number {
  return call.type === 'ok' ? call.returnAt : Number.POSITIVE_INFINITY;
}
