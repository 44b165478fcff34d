/** How `storm` ends, for CI users and scripts. */
import type { Validity } from '../checkers/checker.ts';
import { assertNever } from '../src/lib/assert.ts';

/** Exit status when nothing was judged: bad usage, or the environment refused. */
export const EXIT_ENVIRONMENT = 3;

export function exitCodeOf(validity: Validity): number {
  switch (validity) {
    case 'valid':
      return 0;
    case 'invalid':
      return 1;
    case 'unknown':
      return 2;
    default:
      return assertNever(validity);
  }
}

/**
 * The command cannot go on: bad input, a missing or garbled run directory, an environment that
 * lacks something. The message is one line that names the field and the fix.
 */
export class StormError extends Error {
  override readonly name = 'StormError';
}
