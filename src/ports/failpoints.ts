/**
 * Named points in the code at which a test may make the process die, wait or go another way. The
 * names are etcd's, each at the place that corresponds to its own there (docs/failpoints.md).
 * Nobody offers the port in production: what it costs then is to see that it is not there, once
 * per batch or step.
 */
export interface Failpoints {
  /** Something is set there: for steps that have to be done in another way to have the point. */
  isSet(name: FailpointName): boolean;
  /**
   * Does what is set there before it returns: waits, with everything else of the process, or
   * ends it. A value: the step is to go another way, if the point knows one.
   */
  hit(name: FailpointName): FailpointReturn | undefined;
}

export interface FailpointReturn {
  readonly value: string | number | boolean | undefined;
}

export const FAILPOINT_NAMES = [
  'afterCommit',
  'applyAfterOpenSnapshot',
  'applyBeforeOpenSnapshot',
  'beforeApplyOneConfChange',
  'beforeApplyOneEntryNormal',
  'beforeCommit',
  'beforePublishing',
  'beforeSyncWatchers',
  'commitAfterPreCommitHook',
  'commitBeforePreCommitHook',
  'compactAfterCommitBatch',
  'compactAfterCommitScheduledCompact',
  'compactAfterSetFinishedCompact',
  'compactBeforeCommitBatch',
  'compactBeforeCommitScheduledCompact',
  'compactBeforeSetFinishedCompact',
  'defragBeforeCopy',
  'defragBeforeRename',
  'raftAfterApplySnap',
  'raftAfterSave',
  'raftAfterSaveSnap',
  'raftAfterWALRelease',
  'raftBeforeAdvance',
  'raftBeforeApplySnap',
  'raftBeforeFollowerSend',
  'raftBeforeLeaderSend',
  'raftBeforeSave',
  'raftBeforeSaveSnap',
  // Sic: etcd spells it so.
  'raftBeforeWALSaveSnaphot',
  'raftDropHeartbeat',
  'walAfterSync',
  'walBeforeSync',
] as const;

export type FailpointName = (typeof FAILPOINT_NAMES)[number];

export function isFailpointName(text: string): text is FailpointName {
  return (FAILPOINT_NAMES as readonly string[]).includes(text);
}
