/** What a planted bug is; catalogue.ts has them all. */

/**
 * The part of the server that is wrong. `snapshot`: checkpoints, and snapshots on their way
 * between members; `membership`: who belongs to the cluster, as raft, the log and checkpoints say;
 * `lock`: locks and elections.
 */
export type Area =
  | 'raft'
  | 'wal'
  | 'snapshot'
  | 'mvcc'
  | 'compaction'
  | 'watch'
  | 'lease'
  | 'lock'
  | 'auth'
  | 'alarm'
  | 'read-path'
  | 'member'
  | 'membership';

export interface Mutant {
  /** Kebab-case; names its runs. */
  readonly name: string;
  readonly area: Area;
  /** The mistake, and what a client or an operator may notice of it. */
  readonly story: string;
  /** What should notice it, as `by: name` of a failure or in words; not said: see the tables. */
  readonly expected?: string;
  readonly edits: readonly Edit[];
}

export interface Edit {
  /** Path from the root of the repository. */
  readonly file: string;
  /** Exact text that stands there once, when the mutant's earlier edits are made. */
  readonly find: string;
  readonly replace: string;
}

/** One {@link Edit}, on fewer lines. */
export function edit(file: string, find: string, replace: string): Edit {
  return { file, find, replace };
}
