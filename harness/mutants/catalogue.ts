/**
 * Bugs to plant: each is a plausible mistake in the server, told in one line, and the edits
 * that make it. They are applied to a copy of the source (plant.ts), so the product itself
 * has no switch for any of them. An edit that no longer fits its file is an error: the
 * catalogue must be kept true when the source changes.
 */

import { StormError } from '../exit-code.ts';

export interface Mutant {
  /** Kebab-case; names its runs. */
  readonly name: string;
  /** The mistake, and what a client may notice of it. */
  readonly story: string;
  readonly edits: readonly Edit[];
}

export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string;
  /** Exact text that stands there once. */
  readonly find: string;
  readonly replace: string;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'read-without-read-index',
    story: 'linearizable reads are answered from local state: a member behind returns old values',
    edits: [
      {
        file: 'src/service/kv.ts',
        find: `    if (!request.serializable) {
      const barrier`,
        replace: `    if (request.serializable) {
      const barrier`,
      },
    ],
  },
  {
    name: 'commit-without-majority',
    story: 'the leader counts an entry as committed once it has it itself: a new leader may not',
    edits: [
      {
        file: 'src/raft/quorum.ts',
        find: '  return descending[majority(voters.length) - 1]!;',
        replace: '  return descending[0]!;',
      },
    ],
  },
  {
    name: 'acknowledge-before-log',
    story: 'members acknowledge entries and write them a moment later: kill -9 of all loses them',
    edits: [
      {
        file: 'src/member/storage.ts',
        find: 'await this.#wal.append(append);',
        replace: 'setTimeout(() => this.#wal.append(append).catch(() => undefined), 400);',
      },
    ],
  },
  {
    name: 'compare-when-proposed',
    story: 'a transaction is decided where it is proposed, not where it is applied: two may win',
    edits: [
      {
        file: 'src/service/kv.ts',
        find: `    const applied = await this.#node.propose({ type: 'txn', request });`,
        replace: `    const guard = this.#node.readTxn({ compare: request.compare, success: [], failure: [] });
    const succeeded = guard.ok && guard.value.succeeded;
    const chosen = succeeded ? request.success : request.failure;
    const decided = { compare: [], success: chosen, failure: [] };
    const applied = await this.#node.propose({ type: 'txn', request: decided });`,
      },
      {
        file: 'src/service/kv.ts',
        find: `    assert(result.type === 'txn', 'the outcome is of another request');
    return answer(this.#node, revision, result.result);`,
        replace: `    assert(result.type === 'txn', 'the outcome is of another request');
    return answer(this.#node, revision, { ...result.result, succeeded });`,
      },
    ],
  },
];

/** Mutants by name, comma-separated; undefined: all. Throws {@link StormError} naming `field`. */
export function parseMutants(field: string, names: string | undefined): readonly Mutant[] {
  if (names === undefined) return MUTANTS;
  return names.split(',').map((name) => {
    const found = MUTANTS.find((mutant) => mutant.name === name.trim());
    if (found !== undefined) return found;
    const known = MUTANTS.map((mutant) => mutant.name).join(', ');
    throw new StormError(`${field} ${name}: no such mutant; use ${known}`);
  });
}
