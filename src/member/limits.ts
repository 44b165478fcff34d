/** Every bound of a member, with what happens at it. */
export interface MemberLimits {
  /** A logged request above it is refused: `requestTooLarge` (etcd: 1.5 MiB). */
  readonly requestBytesMax: number;
  /** Requests waiting for their outcome; one more is refused: `tooManyRequests`. */
  readonly pendingRequestsMax: number;
  /** Reads waiting for a read point; one more is refused: `tooManyRequests`. */
  readonly waitingReadsMax: number;
  /** ReadIndex batches under way; further reads wait for the next batch. */
  readonly readBatchesMax: number;
  /** Removed ids remembered, oldest forgotten first. */
  readonly removedMembersMax: number;
  /** Learners at a time; one more is refused: `tooManyLearners` (etcd: 1). */
  readonly learnersMax: number;
  /** Leases that may exist; one more is refused: `noSpace` (as etcd). */
  readonly leasesMax: number;
  /** Rows of a compaction that one tick removes. */
  readonly compactedRowsPerTickMax: number;
}

export const DEFAULT_LIMITS: MemberLimits = {
  requestBytesMax: 1_572_864,
  pendingRequestsMax: 20_000,
  waitingReadsMax: 100_000,
  readBatchesMax: 4,
  removedMembersMax: 1_000,
  learnersMax: 1,
  leasesMax: 1_000_000,
  compactedRowsPerTickMax: 5_000,
};
