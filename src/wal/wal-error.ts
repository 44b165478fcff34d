/**
 * Why a log on disk cannot be used. Nothing has been changed on the disk then: the operator
 * restores the directory, or removes the member and adds it again with an empty one.
 */
export type WalError =
  /** No directory, or none of its files is a segment: a member that never started. */
  | { readonly kind: 'missing'; readonly directory: string }
  /** Bytes that were durable have changed or vanished. */
  | ({ readonly kind: 'corrupt' } & Place)
  /** A segment or an entry between two others is not there. */
  | ({ readonly kind: 'gap' } & Place)
  /** Intact but not understood: written by a newer program, or one with other features. */
  | ({ readonly kind: 'unknownRecord' } & Place)
  /** In order, but not what the caller wants; in the caller's words. */
  | { readonly kind: 'refused'; readonly reason: string };

interface Place {
  readonly file: string;
  readonly offsetBytes: number;
  readonly reason: string;
}

/** The same before the file and offset are known. */
export interface WalProblem {
  readonly kind: 'corrupt' | 'gap' | 'unknownRecord';
  readonly reason: string;
}
