/** Operations written down beforehand: who invokes what, and when. */
import { assert } from '../../src/lib/assert.ts';
import type { Generator, Invocation } from './generator.ts';
import { DONE, emit, generator, UNTIL_COMPLETION_NS, wait } from './steps.ts';

/** Thread `thread` invokes it at `atNs` of the run, or when it is free again after that. */
export interface ScriptedInvocation extends Invocation {
  readonly atNs: number;
  readonly thread: number;
}

/** Each thread's operations in their order; exhausted when all are invoked. */
export function script(ops: readonly ScriptedInvocation[]): Generator {
  const byThread = new Map<number, ScriptedInvocation[]>();
  for (const op of ops) {
    const own = byThread.get(op.thread) ?? [];
    assert((own.at(-1)?.atNs ?? 0) <= op.atNs, 'a script is in the order of time');
    byThread.set(op.thread, [...own, op]);
  }
  return remaining(byThread);
}

function remaining(byThread: ReadonlyMap<number, readonly ScriptedInvocation[]>): Generator {
  const self: Generator = generator((context) => {
    if (byThread.size === 0) return DONE;
    const [next, ...rest] = byThread.get(context.thread) ?? [];
    if (next === undefined) return wait(UNTIL_COMPLETION_NS, self);
    if (context.timeNs < next.atNs) return wait(next.atNs, self);
    const left = new Map(byThread);
    if (rest.length === 0) left.delete(context.thread);
    else left.set(context.thread, rest);
    return emit({ f: next.f, value: next.value }, remaining(left));
  });
  return self;
}
