/** What the services refuse for being too much. Sizes in bytes are the member's business. */
export interface ServiceLimits {
  /**
   * Guards, or operations of one branch, in a transaction; a nested one has what its parent
   * left over, which also bounds the nesting.
   */
  readonly maxTxnOps: number;
  /**
   * Memory for keys and values of all answers to large ranges that are being put together; beyond,
   * a range is refused with ResourceExhausted, so that many at once cannot take all memory.
   */
  readonly rangeBytesMax: number;
}

/** etcd's `--max-txn-ops`. */
export const DEFAULT_SERVICE_LIMITS: ServiceLimits = {
  maxTxnOps: 128,
  rangeBytesMax: 1280 * 1024 * 1024,
};
