import { assertNever } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { MEMBERS_MAX } from '../raft/conf-state.ts';
import type { ConfState, Entry, EntryType, Message, SnapshotMeta } from '../raft/message.ts';
import { FixedReader, FixedWriter, TruncatedError } from './fixed-fields.ts';

/**
 * Raft messages between Stormraft members, as bytes. All numbers are little-endian.
 *
 *   message   = tag u8, from u64, to u64, term u64, body by tag
 *   entry     = type u8 (0 normal, 1 confChange, 2 confChangeV2), term u64, index u64, data
 *   data      = length u32, bytes
 *   snapshot  = index u64, term u64, voters, learners, votersOutgoing, learnersNext, autoLeave u8
 *   ids       = count u32, u64 each: each of the four lists
 *
 * The tags and bodies are in {@link TAG} and the two switches below, in the same order.
 * MsgStorageAppendResp never leaves its member and has no bytes.
 */

type PeerMessage = Exclude<Message, { type: 'MsgStorageAppendResp' }>;

const TAG = {
  MsgProp: 1,
  MsgApp: 2,
  MsgAppResp: 3,
  MsgVote: 4,
  MsgPreVote: 5,
  MsgVoteResp: 6,
  MsgPreVoteResp: 7,
  MsgHeartbeat: 8,
  MsgHeartbeatResp: 9,
  MsgSnap: 10,
  MsgReadIndex: 11,
  MsgReadIndexResp: 12,
  MsgTimeoutNow: 13,
  MsgTransferLeader: 14,
} as const satisfies Record<PeerMessage['type'], number>;

/** Position is the byte. */
const ENTRY_TYPES = [
  'normal',
  'confChange',
  'confChangeV2',
] as const satisfies readonly EntryType[];
/** Entries in one message; a count above it is a malformed frame, not a big one. */
const ENTRIES_MAX = 1_000_000;

export function encodePeerMessage(message: PeerMessage): Uint8Array {
  const writer = new FixedWriter(sizeBytes(message));
  writer.u8(TAG[message.type]);
  writer.u64(message.from);
  writer.u64(message.to);
  writer.safeInt(message.term);
  writeBody(writer, message);
  return writer.finish();
}

/** Everything that can arrive is checked; the error says what was wrong with the bytes. */
export function decodePeerMessage(bytes: Uint8Array): Result<PeerMessage, string> {
  const reader = new FixedReader(bytes);
  try {
    const tag = reader.u8();
    const envelope = { from: reader.u64(), to: reader.u64(), term: reader.safeInt() };
    const message = readBody(reader, tag, envelope);
    if (message === undefined) return err(`unknown message tag ${tag}`);
    if (!reader.done()) return err(`${message.type} is longer than its fields`);
    return ok(message);
  } catch (error) {
    if (error instanceof TruncatedError) return err(error.message);
    throw error;
  }
}

function writeBody(writer: FixedWriter, message: PeerMessage): void {
  switch (message.type) {
    case 'MsgProp':
      writer.u32(message.entries.length);
      for (const entry of message.entries) {
        writer.u8(ENTRY_TYPES.indexOf(entry.type));
        writer.bytes(entry.data);
      }
      return;
    case 'MsgApp':
      writer.safeInt(message.index);
      writer.safeInt(message.logTerm);
      writer.safeInt(message.commit);
      writeEntries(writer, message.entries);
      return;
    case 'MsgAppResp':
      writer.safeInt(message.index);
      writer.u8(message.reject ? 1 : 0);
      writer.safeInt(message.rejectHint);
      writer.safeInt(message.logTerm);
      return;
    case 'MsgVote':
    case 'MsgPreVote':
      writer.safeInt(message.index);
      writer.safeInt(message.logTerm);
      writer.u8(message.transfer ? 1 : 0);
      return;
    case 'MsgVoteResp':
    case 'MsgPreVoteResp':
      writer.u8(message.reject ? 1 : 0);
      writer.safeInt(message.commit);
      writer.safeInt(message.commitTerm);
      return;
    case 'MsgHeartbeat':
      writer.safeInt(message.commit);
      writer.safeInt(message.context);
      return;
    case 'MsgHeartbeatResp':
    case 'MsgReadIndex':
      writer.safeInt(message.context);
      return;
    case 'MsgSnap':
      writeSnapshot(writer, message.snapshot);
      return;
    case 'MsgReadIndexResp':
      writer.safeInt(message.context);
      writer.safeInt(message.index);
      return;
    case 'MsgTimeoutNow':
      return;
    case 'MsgTransferLeader':
      writer.u64(message.transferee);
      return;
    default:
      return assertNever(message);
  }
}

interface Envelope {
  readonly from: MemberId;
  readonly to: MemberId;
  readonly term: number;
}

function readBody(reader: FixedReader, tag: number, envelope: Envelope): PeerMessage | undefined {
  switch (tag) {
    case TAG.MsgProp:
      return { type: 'MsgProp', ...envelope, entries: readProposals(reader) };
    case TAG.MsgApp: {
      const [index, logTerm, commit] = [reader.safeInt(), reader.safeInt(), reader.safeInt()];
      return { type: 'MsgApp', ...envelope, index, logTerm, commit, entries: readEntries(reader) };
    }
    case TAG.MsgAppResp: {
      const [index, reject] = [reader.safeInt(), reader.flag()];
      const [rejectHint, logTerm] = [reader.safeInt(), reader.safeInt()];
      return { type: 'MsgAppResp', ...envelope, index, reject, rejectHint, logTerm };
    }
    case TAG.MsgVote:
    case TAG.MsgPreVote: {
      const type = tag === TAG.MsgVote ? 'MsgVote' : 'MsgPreVote';
      const [index, logTerm, transfer] = [reader.safeInt(), reader.safeInt(), reader.flag()];
      return { type, ...envelope, index, logTerm, transfer };
    }
    case TAG.MsgVoteResp:
    case TAG.MsgPreVoteResp: {
      const type = tag === TAG.MsgVoteResp ? 'MsgVoteResp' : 'MsgPreVoteResp';
      const [reject, commit, commitTerm] = [reader.flag(), reader.safeInt(), reader.safeInt()];
      return { type, ...envelope, reject, commit, commitTerm };
    }
    case TAG.MsgHeartbeat: {
      const [commit, context] = [reader.safeInt(), reader.safeInt()];
      return { type: 'MsgHeartbeat', ...envelope, commit, context };
    }
    case TAG.MsgHeartbeatResp:
      return { type: 'MsgHeartbeatResp', ...envelope, context: reader.safeInt() };
    case TAG.MsgSnap:
      return { type: 'MsgSnap', ...envelope, snapshot: readSnapshot(reader) };
    case TAG.MsgReadIndex:
      return { type: 'MsgReadIndex', ...envelope, context: reader.safeInt() };
    case TAG.MsgReadIndexResp: {
      const [context, index] = [reader.safeInt(), reader.safeInt()];
      return { type: 'MsgReadIndexResp', ...envelope, context, index };
    }
    case TAG.MsgTimeoutNow:
      return { type: 'MsgTimeoutNow', ...envelope };
    case TAG.MsgTransferLeader:
      return { type: 'MsgTransferLeader', ...envelope, transferee: reader.u64() };
    default:
      return undefined;
  }
}

function writeEntries(writer: FixedWriter, entries: readonly Entry[]): void {
  writer.u32(entries.length);
  for (const entry of entries) {
    writer.u8(ENTRY_TYPES.indexOf(entry.type));
    writer.safeInt(entry.term);
    writer.safeInt(entry.index);
    writer.bytes(entry.data);
  }
}

function readEntries(reader: FixedReader): Entry[] {
  const entries: Entry[] = [];
  const count = reader.count(ENTRIES_MAX);
  for (let i = 0; i < count; i++) {
    const [type, term, index] = [entryType(reader), reader.safeInt(), reader.safeInt()];
    entries.push({ type, term, index, data: reader.bytes() });
  }
  return entries;
}

function readProposals(reader: FixedReader): { type: EntryType; data: Uint8Array }[] {
  const entries: { type: EntryType; data: Uint8Array }[] = [];
  const count = reader.count(ENTRIES_MAX);
  for (let i = 0; i < count; i++) entries.push({ type: entryType(reader), data: reader.bytes() });
  return entries;
}

function entryType(reader: FixedReader): EntryType {
  const type = ENTRY_TYPES[reader.u8()];
  if (type === undefined) throw new TruncatedError('an entry of no known type');
  return type;
}

function writeSnapshot(writer: FixedWriter, snapshot: SnapshotMeta): void {
  writer.safeInt(snapshot.index);
  writer.safeInt(snapshot.term);
  const { voters, learners, votersOutgoing, learnersNext, autoLeave } = snapshot.confState;
  for (const ids of [voters, learners, votersOutgoing, learnersNext]) {
    writer.u32(ids.length);
    for (const id of ids) writer.u64(id);
  }
  writer.u8(autoLeave ? 1 : 0);
}

function readSnapshot(reader: FixedReader): SnapshotMeta {
  const [index, term] = [reader.safeInt(), reader.safeInt()];
  const confState: ConfState = {
    voters: readIds(reader),
    learners: readIds(reader),
    votersOutgoing: readIds(reader),
    learnersNext: readIds(reader),
    autoLeave: reader.flag(),
  };
  return { index, term, confState };
}

function readIds(reader: FixedReader): MemberId[] {
  const ids: MemberId[] = [];
  const count = reader.count(MEMBERS_MAX);
  for (let i = 0; i < count; i++) ids.push(reader.u64());
  return ids;
}

/** Upper bound of the encoding, so that one allocation is enough. */
function sizeBytes(message: PeerMessage): number {
  const FIXED_BYTES = 64;
  switch (message.type) {
    case 'MsgProp':
    case 'MsgApp':
      return message.entries.reduce((sum, entry) => sum + 21 + entry.data.length, FIXED_BYTES);
    case 'MsgSnap': {
      const { voters, learners, votersOutgoing, learnersNext } = message.snapshot.confState;
      const ids = voters.length + learners.length + votersOutgoing.length + learnersNext.length;
      return FIXED_BYTES + 8 * ids;
    }
    default:
      return FIXED_BYTES;
  }
}
