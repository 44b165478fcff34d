/** A guard around a generator: a wrong operation is a workload's bug, found where it is made. */
import { isJson } from '../../checkers/history/guards.ts';
import { assert } from '../../src/lib/assert.ts';
import type { Generator } from './generator.ts';
import { generator, wrap } from './steps.ts';

/** Asserts that every operation is one of `fs` with a JSON value, and that waits end later. */
export function validated(fs: readonly string[], inner: Generator): Generator {
  return generator((context) => {
    const step = inner.next(context);
    if (step.type === 'op') {
      assert(fs.includes(step.op.f), `generator asks for ${step.op.f}, not one of ${fs.join(' ')}`);
      assert(isJson(step.op.value), `the value of a generated ${step.op.f} is not JSON`);
    }
    if (step.type === 'pending') {
      assert(step.untilNs > context.timeNs, `generator waits until the past: ${step.untilNs} ns`);
    }
    return wrap(step, (next) => validated(fs, next));
  });
}
