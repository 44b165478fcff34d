/** How the server ends, for scripts and supervisors; listed in docs/operations.md. */
export const EXIT_CODE: Readonly<Record<ExitReason, number>> = {
  ok: 0,
  /** A failed assertion: a bug; the last log line says which. */
  internal: 1,
  /** A flag or setting that cannot be used (as etcd). */
  settings: 2,
  /** A port that cannot be opened. */
  port: 3,
  /** A data directory that does not fit or is damaged; nothing in it was changed. */
  dataDir: 4,
  /** The disk failed while running; what was acknowledged is on a majority's disks. */
  disk: 5,
  /** The others removed this member; it must not be started again on this directory. */
  removed: 6,
};

export type ExitReason = 'ok' | 'internal' | 'settings' | 'port' | 'dataDir' | 'disk' | 'removed';

/** Ends the process with one line and a code of its own. */
export class StartError extends Error {
  override readonly name = 'StartError';
  readonly reason: ExitReason;

  constructor(reason: ExitReason, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}
