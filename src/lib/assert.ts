/**
 * Assertions stay on in production: a member that finds its own state impossible stops
 * and says why, rather than spreading the damage through the log.
 */

/** A bug in this program, never a bad input and never a failed disk or peer. */
export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/** Throws {@link AssertionError} with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Ends every exhaustive `switch`: unreachable while the compiler and the wire checks agree. */
export function assertNever(value: never): never {
  throw new AssertionError(`unexpected variant: ${describe(value)}`);
}

function describe(value: unknown): string {
  if (typeof value === 'object' && value !== null && 'type' in value) return String(value.type);
  return String(value);
}
