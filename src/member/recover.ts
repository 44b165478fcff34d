import { type ClusterId, formatId, type MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { Clock } from '../ports/clock.ts';
import { type Disk, DiskError } from '../ports/disk.ts';
import type { Failpoints } from '../ports/failpoints.ts';
import { simpleConf } from '../raft/conf-state.ts';
import type { Entry, SnapshotMeta } from '../raft/message.ts';
import type { RaftRestore } from '../raft/raw-node.ts';
import { type Checkpoint, readCheckpoint } from '../snap/read-checkpoint.ts';
import { writeCheckpoint } from '../snap/write-checkpoint.ts';
import { Wal, type WalOptions, type Recovered as WalRecovered } from '../wal/wal.ts';
import type { WalError } from '../wal/wal-error.ts';
import { allocateBytes } from '../wire/byte-arena.ts';
import { encodeConfChange } from '../wire/raft-records.ts';
import { adoptRestored, type KnownMembers, membersOf } from './adopt-restored.ts';
import { forceNewCluster } from './force-new-cluster.ts';
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
  /** See {@link WalOptions}. */
  readonly segmentsKept?: number;
  /** Of this member as configured; a log that is there already says what they really are. */
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
  /** The configured members; they become the first log entries of a new cluster. */
  readonly initialMembers: readonly MemberInfo[];
  /** What an empty directory becomes; `refuse`: nothing. */
  readonly fresh: 'newCluster' | 'joinsCluster' | 'refuse';
  /** etcd's --force-new-cluster. */
  readonly forceNewCluster?: boolean;
  /** An earlier life found out that the directory had lost what it promised. */
  readonly hasLostEntries?: boolean;
  readonly onSync: (latencyNs: number) => void;
  readonly failpoints?: Failpoints | undefined;
}

export interface RecoveredMember {
  readonly recovered: Recovered;
  /** As logged: they stay what they were when the member came to be. */
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
  /** Everybody, as far as the directory knows. */
  readonly members: readonly MemberInfo[];
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
    segmentsKept: options.segmentsKept,
    onSync: options.onSync,
    failpoints: options.failpoints,
  };
  const checkpoint = await readCheckpoint(options.disk, options.snapDirectory);
  if (!checkpoint.ok) {
    return err(
      `data-dir: the checkpoint in ${options.snapDirectory} is damaged (${checkpoint.error.reason}); restore it from a backup`,
    );
  }
  if (!(await hasLog(options))) {
    if (checkpoint.value === undefined) {
      if (options.fresh !== 'refuse') return ok(await begin(options, walOptions));
      return err(
        `data-dir: ${options.walDirectory} holds no member of a cluster; use the data-dir of a member, or join one with --initial-cluster-state existing`,
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

/**
 * A fresh log. In a new cluster its first entries add the initial members, equal on all of them;
 * whoever joins a cluster begins with nothing and is sent the rest.
 */
async function begin(options: RecoverOptions, walOptions: WalOptions): Promise<RecoveredMember> {
  const { memberId, clusterId, initialMembers } = options;
  await options.disk.makeDirectory(options.snapDirectory);
  const wal = await Wal.create(walOptions, { memberId, clusterId });
  const raft =
    options.fresh === 'joinsCluster'
      ? NOTHING_YET
      : await logInitialMembers(wal, options.initialMembers);
  const recovered = { checkpoint: undefined, raft };
  return { recovered, memberId, clusterId, members: initialMembers, wal, notes: [] };
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
  found: Checkpoint | undefined,
): Promise<Result<RecoveredMember, RefusedDirectory>> {
  // A process that died right after putting the checkpoint in place had not synced its name.
  if (found !== undefined) await options.disk.syncDirectory(options.snapDirectory);
  let checkpoint = found;
  const refuse = (log: WalRecovered): RefusedDirectory | undefined => {
    checkpoint = found === undefined ? undefined : adoptRestored(found, log.entries);
    const foreign = checkpoint === undefined ? undefined : refuseForeign(checkpoint);
    return (
      refuseRemoved(log, checkpoint) ??
      foreign ??
      refuseGap(options, snapshotOf(checkpoint), log) ??
      refuseStranger(options, log, checkpoint)
    );
  };
  const opened = await Wal.open(walOptions, refuse, found?.index);
  if (!opened.ok) {
    const { error } = opened;
    if (error.kind === 'refused') return err(error.reason);
    return err(
      `data-dir: the log in ${options.walDirectory} is damaged (${describe(error)}); restore it from a backup`,
    );
  }
  const { wal, recovered } = opened.value;
  const { memberId, clusterId } = recovered.metadata;
  // The file is what a member that lags behind is sent: from now on it names the right members.
  if (checkpoint !== undefined && found?.term !== checkpoint.term) {
    await writeCheckpoint(options.disk, options.snapDirectory, checkpoint);
  }
  const snapshot = snapshotOf(checkpoint);
  const isUnwritten = checkpoint === undefined && recovered.hardState.term === 0;
  if (isUnwritten && options.fresh === 'newCluster') {
    // A crash hit the very first write; nothing was promised on top of it yet.
    const raft = await logInitialMembers(wal, options.initialMembers);
    const notes = ['finished an interrupted first start'];
    const { initialMembers: members } = options;
    return ok({ recovered: { checkpoint, raft }, memberId, clusterId, members, wal, notes });
  }
  // A crash came between installing a received checkpoint and marking it in the log. Without
  // the mark the log would not go on from it, and entries it cannot place would be dropped.
  const isMarked = recovered.snapshots.some(
    (mark) => mark.index === snapshot.index && mark.term === snapshot.term,
  );
  if (snapshot.index > 0 && !isMarked) await wal.saveSnapshot(snapshot);
  const notes: string[] = [];
  if (recovered.repairedTornTailBytes > 0) {
    notes.push(`cut ${recovered.repairedTornTailBytes} bytes of a torn last write off the log`);
  }
  const raft = await raftOf(options, { wal, log: recovered, checkpoint, notes });
  const { members } = membersOf(raft.entries, knownOf(checkpoint));
  return ok({ recovered: { checkpoint, raft }, memberId, clusterId, members, wal, notes });
}

/** Where consensus goes on from. */
async function raftOf(
  options: RecoverOptions,
  found: {
    readonly wal: Wal;
    readonly log: WalRecovered;
    readonly checkpoint: Checkpoint | undefined;
    readonly notes: string[];
  },
): Promise<RaftRestore> {
  const { wal, log, checkpoint, notes } = found;
  const snapshot = snapshotOf(checkpoint);
  const entries = entriesAfter(snapshot, log).map(copied);
  const commit = Math.max(log.hardState.commit, snapshot.index);
  const term = Math.max(log.hardState.term, snapshot.term);
  const hardState = { ...log.hardState, term, commit };
  const raft: RaftRestore = { hardState, snapshot, entries, applied: snapshot.index };
  if (options.forceNewCluster !== true) {
    return { ...raft, hasLostEntries: options.hasLostEntries ?? false };
  }
  const { memberId: id } = log.metadata;
  const configured = options.initialMembers.find((member) => member.id === options.memberId);
  const { name = '', peerUrls = [] } = configured ?? {};
  const self = { id, name, peerUrls, clientUrls: [], isLearner: false };
  const forced = forceNewCluster(raft, knownOf(checkpoint), self);
  await wal.append({ entries: forced.entries, hardState: forced.hardState });
  notes.push('forced a new cluster of this member alone; the others were removed');
  return forced;
}

function knownOf(checkpoint: Checkpoint | undefined): KnownMembers {
  const { confState } = snapshotOf(checkpoint);
  return {
    members: checkpoint?.members ?? [],
    removed: checkpoint?.removedMembers ?? [],
    confState,
  };
}

/** What was committed here must be there, and follow the checkpoint. */
function refuseGap(
  options: RecoverOptions,
  snapshot: SnapshotMeta,
  log: Pick<WalRecovered, 'entries' | 'hardState' | 'snapshots'>,
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
  if (checkpoint.confState.voters.length === 0) {
    return 'data-dir: the checkpoint does not say who the members are, as those of etcd 3.4 do not; use an empty data-dir or the program that wrote it';
  }
  return undefined;
}

/**
 * The ids that were logged count, whatever the settings would make of them: members that were
 * added, restored or moved have others. But it must be this member: known by its name or URLs.
 */
function refuseStranger(
  options: RecoverOptions,
  log: Omit<WalRecovered, 'repairedTornTailBytes'>,
  checkpoint: Checkpoint | undefined,
): RefusedDirectory | undefined {
  const { memberId, clusterId } = log.metadata;
  if (memberId === options.memberId && clusterId === options.clusterId) return undefined;
  const { members } = membersOf(log.entries, knownOf(checkpoint));
  const logged = members.find(({ id }) => id === memberId);
  const configured = options.initialMembers.find(({ id }) => id === options.memberId);
  // Nothing about members has come yet: it joined, and was stopped at once.
  if (logged === undefined || configured === undefined) {
    return members.length === 0 ? undefined : strangerText(memberId, clusterId);
  }
  const isSameName = logged.name !== '' && logged.name === configured.name;
  const isSamePlace = logged.peerUrls.some((url) => configured.peerUrls.includes(url));
  return isSameName || isSamePlace ? undefined : strangerText(memberId, clusterId);
}

/** It must not come back under the same id; the others would not listen to it. */
function refuseRemoved(
  log: Pick<WalRecovered, 'metadata' | 'entries' | 'hardState'>,
  checkpoint: Checkpoint | undefined,
): RefusedDirectory | undefined {
  const known = membersOf(log.entries, knownOf(checkpoint), log.hardState.commit);
  if (!known.removed.includes(log.metadata.memberId)) return undefined;
  return `data-dir: belongs to member ${formatId(log.metadata.memberId)}, which was removed from its cluster for good; delete the directory, and add the member anew with 'etcdctl member add'`;
}

function strangerText(memberId: MemberId, clusterId: ClusterId): RefusedDirectory {
  return `data-dir: belongs to member ${formatId(memberId)} of cluster ${formatId(clusterId)}, which has another name and other peer URLs; use another data-dir or the settings it was made with`;
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

/** Of its own: what was read from the log keeps a whole segment in memory. */
function copied(entry: Entry): Entry {
  const data = allocateBytes(entry.data.length);
  data.set(entry.data);
  return { ...entry, data };
}

function snapshotOf(checkpoint: Checkpoint | undefined): SnapshotMeta {
  if (checkpoint === undefined) return EMPTY_SNAPSHOT;
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
  confState: simpleConf([]),
};

const NOTHING_YET: RaftRestore = {
  hardState: { term: 0, vote: undefined, commit: 0 },
  snapshot: EMPTY_SNAPSHOT,
  entries: [],
  applied: 0,
};
