import type { Json, Op } from './history/op.ts';

/** `unknown` is never green: it means the checker could not tell within its bounds. */
export type Validity = 'valid' | 'invalid' | 'unknown';

/** A checker is a pure function of a history. */
export interface Checker {
  readonly name: string;
  check(history: readonly Op[]): CheckResult;
}

export interface CheckResult {
  readonly name: string;
  readonly validity: Validity;
  /** One line for people: what was checked, and what was wrong. */
  readonly summary: string;
  /** Figures by name, e.g. counts. */
  readonly details: { readonly [field: string]: Json };
  /** The smallest explanation found, when invalid. */
  readonly evidence?: Evidence;
}

export interface Evidence {
  /** One sentence, naming processes, keys and values. */
  readonly sentence: string;
  /** Operations that cannot be explained together: their invoke and completion, in history order. */
  readonly ops: readonly Op[];
  /** History range (op indexes) in which it happened, for drawing the window around it. */
  readonly fromIndex: number;
  readonly toIndex: number;
}
