/** A file that is there but is no checkpoint, or no longer one. */
export interface CheckpointError {
  readonly kind: 'corrupt';
  readonly file: string;
  readonly reason: string;
}

/** Where checkpoints are, in the directory that etcd calls `member/snap`. */
export const CHECKPOINT_NAME = 'db';
