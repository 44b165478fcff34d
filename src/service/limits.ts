/** What the services refuse for being too much. Sizes in bytes are the member's business. */
export interface ServiceLimits {
  /**
   * Guards, or operations of one branch, in a transaction; a nested one has what its parent
   * left over, which also bounds the nesting.
   */
  readonly maxTxnOps: number;
  /**
   * Size of all answers to large ranges that are being read and sent; beyond, a range is refused
   * with ResourceExhausted, so that many at once neither take all of a processor nor keep more
   * than that from compaction.
   */
  readonly rangeBytesMax: number;
  /** Keys of a large range that are read in one turn; the others wait for the next. */
  readonly rangeKeysPerTurnMax: number;
}

/** etcd's `--max-txn-ops`. */
export const DEFAULT_SERVICE_LIMITS: ServiceLimits = {
  maxTxnOps: 128,
  rangeBytesMax: 1280 * 1024 * 1024,
  rangeKeysPerTurnMax: 1_000,
};
