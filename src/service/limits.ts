/** What the services refuse for being too much. Sizes in bytes are the member's business. */
export interface ServiceLimits {
  /**
   * Guards, or operations of one branch, in a transaction; a nested one has what its parent
   * left over, which also bounds the nesting.
   */
  readonly maxTxnOps: number;
}

/** etcd's `--max-txn-ops`. */
export const DEFAULT_SERVICE_LIMITS: ServiceLimits = { maxTxnOps: 128 };
