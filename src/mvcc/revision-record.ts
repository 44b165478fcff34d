/** One change of one key, as it is in a checkpoint and as others see it. */
import type { Revision } from '../lib/ids.ts';
import type { KeyValue } from './request.ts';

/** A row of a checkpoint's `key` bucket. A tombstone's key-value has only its key set. */
export interface StoredRevision {
  readonly main: Revision;
  /** Position among the changes that share `main`, from 0. */
  readonly sub: number;
  readonly tombstone: boolean;
  readonly keyValue: KeyValue;
}

/** Reads at this revision see everything, the changes of a running transaction included. */
export const NEWEST: Revision = Number.MAX_SAFE_INTEGER;

/** bbolt's leaf element (16), the revision as key (18), field tags and numbers of the value. */
const ROW_OVERHEAD_BYTES = 16 + 18 + 24;

/** Bytes a row takes in a checkpoint, give or take the widths of its numbers. */
export function rowSizeBytes(keyLengthBytes: number, valueLengthBytes: number): number {
  return ROW_OVERHEAD_BYTES + keyLengthBytes + valueLengthBytes;
}
