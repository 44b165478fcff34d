/** A bug that few simulations meet: it measures how many seeds it takes to find such a one. */
import { edit, type Mutant } from '../mutant.ts';

/**
 * Of the requests, one in so many is applied twice. Ids start at a random place and count up,
 * so a simulation with n requests meets it with probability n / ONE_IN, whatever else happens.
 */
const ONE_IN = 30_000;

/** Not one of the catalogue: missing it in a hundred seeds is expected. */
export const CANARY: Mutant = {
  name: 'canary',
  area: 'member',
  story: `one request in ${ONE_IN} is applied twice, on all members alike`,
  edits: [
    edit(
      'src/member/apply.ts',
      '    const result = applyRequest(',
      `    const at = { index: entry.index, tick };
    if (id % ${ONE_IN}n === 0n) applyRequest(this.#state, logged.value, at);
    const result = applyRequest(`,
    ),
    // Whoever tells the watchers would notice the revision that was left out.
    edit(
      'src/mvcc/watch-hub.ts',
      'assert(revision === this.#revision + 1,',
      'assert(revision > this.#revision,',
    ),
  ],
};
