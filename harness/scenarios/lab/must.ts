/** Steps without which a scenario shows nothing. */
import type { ClientError } from '../../../src/client/client-error.ts';
import type { Result } from '../../../src/lib/result.ts';
import { Undecided } from '../scenario.ts';

/** The answer; throws {@link Undecided} with the error's words if there is none. */
export function must<Value>(what: string, result: Result<Value, ClientError>): Value {
  if (result.ok) return result.value;
  throw new Undecided(`no answer to ${what}: ${result.error.message}`);
}
