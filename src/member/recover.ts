import { type ClusterId, formatId, type MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { Entry, SnapshotMeta } from '../raft/message.ts';
import type { RaftRestore } from '../raft/raw-node.ts';
import { type Checkpoint, readCheckpoint } from '../snap/read-checkpoint.ts';
import { Wal, type WalOptions, type Recovered as WalRecovered } from '../wal/wal.ts';
import type { WalError } from '../wal/wal-error.ts';
import { encodeConfChange } from '../wire/raft-records.ts';
import { encodeMemberContext } from './member-context.ts';
import type { MemberInfo } from './node.ts';

/**
 * From a data directory to a member's starting state. The checkpoint is the state machine
 * at some index; the log goes on from there. Nothing is changed on disk when the directory
 * is refused.
 */

/** What a member starts from. */
export interface Recovered {
  readonly checkpoint: Checkpoint | undefined;
  readonly raft: RaftRestore;
}

export interface RecoverOptions {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly walDirectory: string;
  readonly snapDirectory: string;
  readonly segmentBytesMax: number;
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
  /** The configured members; they become the first log entries of a new cluster. */
  readonly initialMembers: readonly MemberInfo[];
  /** An empty directory becomes a member of a new cluster; otherwise it is refused. */
  readonly mayBootstrap: boolean;
  readonly onSync: (latencyNs: number) => void;
}

export interface RecoveredMember {
  readonly recovered: Recovered;
  readonly wal: Wal;
  /** What an operator should know about how it went. */
  readonly notes: readonly string[];
}

/** One line that names what is wrong with the directory and what to do. */
export type RefusedDirectory = string;

export async function recover(
  options: RecoverOptions,
): Promise<Result<RecoveredMember, RefusedDirectory>> {
  const walOptions: WalOptions = {
    disk: options.disk,
    clock: options.clock,
    directory: options.walDirectory,
    segmentBytesMax: options.segmentBytesMax,
    onSync: options.onSync,
  };
  const checkpoint = await readCheckpoint(options.disk, options.snapDirectory);
  if (!checkpoint.ok) {
    return err(
      `data-dir: the checkpoint in ${options.snapDirectory} is damaged (${checkpoint.error.reason}); restore it from a backup`,
    );
  }
  const foreign = checkpoint.value === undefined ? undefined : refuseForeign(checkpoint.value);
  if (foreign !== undefined) return err(foreign);
  if (!(await hasLog(options))) {
    if (checkpoint.value === undefined) {
      if (options.mayBootstrap) return ok(await bootstrap(options, walOptions));
      return err(
        `initial-cluster-state: existing, but ${options.walDirectory} holds no member of a cluster; this version cannot join one, use the data-dir of a member or --initial-cluster-state new`,
      );
    }
    return err(
      `data-dir: ${options.snapDirectory} holds a checkpoint but ${options.walDirectory} holds no log; restore the log from a backup`,
    );
  }
  return reopen(options, walOptions, checkpoint.value);
}

async function hasLog(options: RecoverOptions): Promise<boolean> {
  try {
    const names = await options.disk.list(options.walDirectory);
    return names.some((name) => name.endsWith('.wal'));
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return false;
    throw error;
  }
}

/** A fresh log whose first entries add the initial members, equal on all of them. */
async function bootstrap(
  options: RecoverOptions,
  walOptions: WalOptions,
): Promise<RecoveredMember> {
  const { memberId, clusterId } = options;
  await options.disk.makeDirectory(options.snapDirectory);
  const wal = await Wal.create(walOptions, { memberId, clusterId });
  const raft = await logInitialMembers(wal, options.initialMembers);
  return { recovered: { checkpoint: undefined, raft }, wal, notes: [] };
}

async function logInitialMembers(
  wal: Wal,
  initialMembers: readonly MemberInfo[],
): Promise<RaftRestore> {
  const members = [...initialMembers].sort((a, b) => (a.id < b.id ? -1 : 1));
  const entries = members.map((member, position): Entry => {
    const { id, name, peerUrls } = member;
    const context = encodeMemberContext(id, { name, peerUrls });
    const data = encodeConfChange({ id: 0n, type: 'addNode', nodeId: id, context });
    return { type: 'confChange', term: 1, index: position + 1, data };
  });
  const hardState = { term: 1, vote: undefined, commit: entries.length };
  await wal.append({ entries, hardState });
  return { hardState, snapshot: EMPTY_SNAPSHOT, entries, applied: 0 };
}

async function reopen(
  options: RecoverOptions,
  walOptions: WalOptions,
  checkpoint: Checkpoint | undefined,
): Promise<Result<RecoveredMember, RefusedDirectory>> {
  const snapshot = checkpoint === undefined ? EMPTY_SNAPSHOT : metaOf(checkpoint);
  // A process that died right after putting the checkpoint in place had not synced its name.
  if (checkpoint !== undefined) await options.disk.syncDirectory(options.snapDirectory);
  const opened = await Wal.open(walOptions, (log) => {
    return refuseStranger(options, log.metadata) ?? refuseGap(options, snapshot, log);
  });
  if (!opened.ok) {
    const { error } = opened;
    if (error.kind === 'refused') return err(error.reason);
    return err(
      `data-dir: the log in ${options.walDirectory} is damaged (${describe(error)}); restore it from a backup`,
    );
  }
  const { wal, recovered } = opened.value;
  if (checkpoint === undefined && recovered.hardState.term === 0) {
    // A crash hit the very first write; nothing was promised on top of it yet.
    const raft = await logInitialMembers(wal, options.initialMembers);
    return ok({
      recovered: { checkpoint, raft },
      wal,
      notes: ['finished an interrupted first start'],
    });
  }
  const entries = entriesAfter(snapshot, recovered);
  const commit = Math.max(recovered.hardState.commit, snapshot.index);
  // A crash came between installing a received checkpoint and marking it in the log. Without
  // the mark the log would not go on from it, and entries it cannot place would be dropped.
  const isMarked = recovered.snapshots.some(
    (mark) => mark.index === snapshot.index && mark.term === snapshot.term,
  );
  if (snapshot.index > 0 && !isMarked) await wal.saveSnapshot(snapshot);
  const term = Math.max(recovered.hardState.term, snapshot.term);
  const hardState = { ...recovered.hardState, term, commit };
  const notes: string[] = [];
  if (recovered.repairedTornTailBytes > 0) {
    notes.push(`cut ${recovered.repairedTornTailBytes} bytes of a torn last write off the log`);
  }
  const raft = { hardState, snapshot, entries, applied: snapshot.index };
  return ok({ recovered: { checkpoint, raft }, wal, notes });
}

/** What was committed here must be there, and follow the checkpoint. */
function refuseGap(
  options: RecoverOptions,
  snapshot: SnapshotMeta,
  log: Omit<WalRecovered, 'metadata' | 'repairedTornTailBytes'>,
): RefusedDirectory | undefined {
  const entries = entriesAfter(snapshot, log);
  const firstIndex = entries[0]?.index ?? snapshot.index + 1;
  const lastIndex = entries.at(-1)?.index ?? snapshot.index;
  const commit = Math.max(log.hardState.commit, snapshot.index);
  if (commit <= lastIndex && firstIndex === snapshot.index + 1) return undefined;
  return `data-dir: ${options.walDirectory} ends at index ${lastIndex} but entries up to ${commit} were committed; entries are missing; restore it from a backup`;
}

/** A checkpoint that another program wrote and this one cannot take over without loss. */
function refuseForeign(checkpoint: Checkpoint): RefusedDirectory | undefined {
  if (checkpoint.unreadBuckets.length > 0) {
    return `data-dir: the checkpoint holds ${checkpoint.unreadBuckets.join(', ')}, which this version does not read; use an empty data-dir or the program that wrote it`;
  }
  if (checkpoint.confState.voters.length === 0) {
    return 'data-dir: the checkpoint does not say who the members are, as those of etcd 3.4 do not; use an empty data-dir or the program that wrote it';
  }
  return undefined;
}

function refuseStranger(
  options: RecoverOptions,
  found: { readonly memberId: MemberId; readonly clusterId: ClusterId },
): RefusedDirectory | undefined {
  if (found.clusterId !== options.clusterId) {
    return `data-dir: belongs to cluster ${formatId(found.clusterId)}, but initial-cluster and initial-cluster-token describe cluster ${formatId(options.clusterId)}; use another data-dir or the settings it was made with`;
  }
  if (found.memberId !== options.memberId) {
    return `data-dir: belongs to member ${formatId(found.memberId)}, but name and initial-cluster describe member ${formatId(options.memberId)}; use another data-dir or the name it was made with`;
  }
  return undefined;
}

/**
 * The log beyond the checkpoint. If the log holds another entry at the checkpoint's index,
 * the checkpoint came from a leader whose history replaced this one: all of it is superseded.
 */
function entriesAfter(
  snapshot: SnapshotMeta,
  log: {
    readonly entries: readonly Entry[];
    readonly snapshots: readonly { readonly index: number; readonly term: number }[];
  },
): readonly Entry[] {
  if (snapshot.index === 0) return log.entries;
  const known = log.snapshots.some((s) => s.index === snapshot.index && s.term === snapshot.term);
  const same = log.entries.some((e) => e.index === snapshot.index && e.term === snapshot.term);
  return known || same ? log.entries.filter((entry) => entry.index > snapshot.index) : [];
}

function metaOf(checkpoint: Checkpoint): SnapshotMeta {
  const { index, term, confState } = checkpoint;
  return { index, term, confState };
}

function describe(error: Exclude<WalError, { readonly kind: 'refused' }>): string {
  if (error.kind === 'missing') return 'no segment file';
  return `${error.kind} in ${error.file} at byte ${error.offsetBytes}: ${error.reason}`;
}

const EMPTY_SNAPSHOT: SnapshotMeta = {
  index: 0,
  term: 0,
  confState: { voters: [], learners: [] },
};
