import { expect } from 'vitest';
import type { Result } from '../../src/lib/result.ts';

/** The value, or a failed test that shows the error. */
export function expectOk<Value, Failure>(result: Result<Value, Failure>): Value {
  if (!result.ok) expect.fail(`expected a value, got ${JSON.stringify(result.error)}`);
  return result.value;
}

/** The error, or a failed test. */
export function expectErr<Value, Failure>(result: Result<Value, Failure>): Failure {
  if (result.ok) expect.fail('expected an error, got a value');
  return result.error;
}
