/**
 * The leader's side of log replication (thesis 3.5, 10.2.1).
 *
 * Sending is level-triggered: events only change what is known of a follower, and
 * `sendAppends`, once per turn, sends each follower what it lacks. So all proposals of a turn
 * share one MsgApp, and a leader that steps down within the turn sends nothing.
 */
import { assert, assertNever } from '../lib/assert.ts';
import type { Index, MemberId } from '../lib/ids.ts';
import type { RaftCore } from './core.ts';
import { entriesSizeBytes } from './log.ts';
import type { Entry, EntryType, MsgAppResp } from './message.ts';
import {
  acknowledge,
  becomeProbe,
  becomeReplicate,
  becomeSnapshot,
  type Progress,
  reject,
} from './progress.ts';
import { jointQuorumValue } from './quorum.ts';
import type { LeaderRole } from './role.ts';

/** Appends in the leader's term. Limits are the caller's business: the no-op has none. */
export function appendAsLeader(
  core: RaftCore,
  leader: LeaderRole,
  entries: readonly { readonly type: EntryType; readonly data: Uint8Array }[],
): void {
  assert(core.role === leader, 'replication: appended without leading');
  assert(entries.length > 0, 'replication: nothing to append');
  for (const { type, data } of entries) {
    const index = core.log.lastIndex + 1;
    core.log.append({ type, term: core.term, index, data });
    if (type !== 'normal') leader.pendingConfIndex = index;
  }
  leader.uncommittedBytes += entriesSizeBytes(entries);
}

/**
 * Commits what a majority holds durably, if it is of this term; earlier terms' entries follow
 * along (thesis 3.6.2, figure 3.7). True if commit moved.
 */
export function maybeCommit(core: RaftCore, leader: LeaderRole): boolean {
  const { log } = core;
  const before = log.commit;
  const held = jointQuorumValue(core.conf, (id) => matchOf(core, leader, id));
  const index = Math.min(held, log.lastIndex);
  assert(core.conf.voters.length > 0, 'replication: a leader without voters');
  if (index < leader.firstIndexOfTerm || !log.commitTo(index)) return false;
  const committed = log.slice(before + 1, index, Number.POSITIVE_INFINITY);
  leader.uncommittedBytes -= entriesSizeBytes(committed);
  assert(leader.uncommittedBytes >= 0, 'replication: negative uncommitted size');
  return true;
}

/** Unknown members match nothing. The leader's own log counts only as far as it is durable. */
export function matchOf(core: RaftCore, leader: LeaderRole, id: MemberId): Index {
  if (id === core.id) return core.log.stable;
  return leader.progress.get(id)?.match ?? 0;
}

/**
 * Sends every follower what it lacks, as far as its state allows. A new commit index alone is
 * worth a message if `commitAlone`, or if somebody there waits for it, or it brings a change of
 * the membership: a member that is removed by it is told nothing any more.
 */
export function sendAppends(
  core: RaftCore,
  leader: LeaderRole,
  options: { readonly commitAlone: boolean },
): void {
  assert(core.role === leader, 'replication: sent without leading');
  const urgent = Math.max(leader.urgentCommit, leader.pendingConfIndex);
  const tellsThrough = options.commitAlone ? core.log.commit : Math.min(urgent, core.log.commit);
  for (const [to, progress] of leader.progress) {
    while (sendAppend(core, to, progress, tellsThrough)) {
      assert(progress.match < progress.next, 'replication: match must stay below next');
    }
  }
}

/** One message, if one is due. Each lowers what is due, so the caller's loop ends. */
function sendAppend(
  core: RaftCore,
  to: MemberId,
  progress: Progress,
  tellsThrough: Index,
): boolean {
  const { state } = progress;
  switch (state.type) {
    case 'probe': {
      if (state.paused) return false;
      const entries = entriesFor(core, progress);
      if (entries === undefined) return sendSnapshot(core, to, progress);
      state.paused = true;
      return sendEntries(core, to, progress, entries);
    }
    case 'replicate': {
      const full = state.inflights.full();
      const behind = progress.next <= core.log.lastIndex || progress.sentCommit < tellsThrough;
      if (!state.recheck && (full || !behind)) return false;
      const available = entriesFor(core, progress);
      if (available === undefined) return sendSnapshot(core, to, progress);
      const entries = full ? [] : available;
      state.recheck = false;
      if (entries.length > 0) state.inflights.add(entries.at(-1)!.index, entriesSizeBytes(entries));
      const sent = sendEntries(core, to, progress, entries);
      progress.next += entries.length;
      return sent;
    }
    case 'snapshot':
      return false;
    default:
      return assertNever(state);
  }
}

/** Undefined: the entry before `next`, or `next` itself, has been compacted. */
function entriesFor(core: RaftCore, progress: Progress): readonly Entry[] | undefined {
  const { log, config } = core;
  if (progress.next <= log.base) return undefined;
  assert(progress.next <= log.lastIndex + 1, 'replication: next lies beyond the log');
  return log.slice(progress.next, log.lastIndex, config.maxMessageBytes);
}

function sendEntries(
  core: RaftCore,
  to: MemberId,
  progress: Progress,
  entries: readonly Entry[],
): boolean {
  const index = progress.next - 1;
  const logTerm = core.log.termAt(index);
  assert(logTerm !== undefined, 'replication: no term before the entries');
  assert(entries.length === 0 || entries[0]!.index === index + 1, 'replication: gap in a MsgApp');
  const { id: from, term } = core;
  const { commit } = core.log;
  core.send({ type: 'MsgApp', from, to, term, index, logTerm, entries, commit });
  progress.sentCommit = commit;
  return true;
}

/** Only to a follower that has been heard from: the transfer is costly and would be lost. */
function sendSnapshot(core: RaftCore, to: MemberId, progress: Progress): boolean {
  if (!progress.recentActive) return false;
  const { snapshot, term } = core;
  assert(snapshot.index >= core.log.base, 'replication: compacted beyond the newest snapshot');
  core.send({ type: 'MsgSnap', from: core.id, to, term, snapshot });
  becomeSnapshot(progress, snapshot.index);
  return true;
}

/**
 * A follower's answer to MsgApp or MsgSnap. `'ignored'`: it is not a member any more, or the
 * message is malformed; `'advanced'`: its match moved, commit may follow.
 */
export function handleAppResp(
  core: RaftCore,
  leader: LeaderRole,
  message: MsgAppResp,
): 'ignored' | 'unchanged' | 'advanced' {
  const { log, config } = core;
  const progress = leader.progress.get(message.from);
  if (progress === undefined || message.index > log.lastIndex) return 'ignored';
  assert(message.term === core.term, 'replication: answer to another term');
  progress.recentActive = true;
  if (message.reject) {
    reject(progress, message.index, probeHint(core, message));
    return 'unchanged';
  }
  const advanced = acknowledge(progress, message.index);
  const { state } = progress;
  if (state.type === 'probe' && progress.match === message.index) becomeReplicate(progress, config);
  // The snapshot has arrived, or entries sent before it fill the gap to this log.
  if (state.type === 'snapshot' && progress.match >= log.base) becomeReplicate(progress, config);
  assert(progress.match <= log.lastIndex, 'replication: match lies beyond the log');
  return advanced ? 'advanced' : 'unchanged';
}

/** Where to probe next: the last entry here whose term the follower's log could still hold. */
function probeHint(core: RaftCore, message: MsgAppResp): Index {
  const { log } = core;
  if (message.logTerm === 0 || message.rejectHint < log.base) return message.rejectHint;
  return log.findConflictByTerm(message.rejectHint, message.logTerm, log.base);
}

/**
 * An answered heartbeat shows that messages get through: probe again; and where nothing was
 * acknowledged since the one before, check that no MsgApp was lost.
 */
export function resumeAfterHeartbeat(core: RaftCore, progress: Progress): void {
  const { state, match } = progress;
  assert(match <= core.log.lastIndex, 'replication: match lies beyond the log');
  progress.recentActive = true;
  if (state.type === 'probe') state.paused = false;
  if (state.type !== 'replicate') return;
  if (match < core.log.lastIndex && match === state.matchAtHeartbeat) state.recheck = true;
  state.matchAtHeartbeat = match;
}

/** The network lost a message to this follower: feed it one at a time, when it answers again. */
export function followerUnreachable(progress: Progress): void {
  if (progress.state.type !== 'snapshot') becomeProbe(progress, { paused: true });
}

/**
 * A snapshot transfer has ended. Delivered: continue after it once the follower answers (it
 * still has to install it). Not: start again, when a heartbeat is answered.
 */
export function snapshotReported(progress: Progress, delivered: boolean): void {
  const { state } = progress;
  if (state.type !== 'snapshot') return;
  const next = delivered ? state.pendingSnapshot + 1 : progress.match + 1;
  becomeProbe(progress, { paused: true, next });
}
