import { EMPTY_BYTES } from '../lib/bytes.ts';
import type { ClusterId, Index, MemberId, Term } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import type { ConfState, Entry, HardState } from '../raft/message.ts';
import { FieldReader, FieldWriter, varintSizeBytes } from './record-fields.ts';

/**
 * Raft's persistent records in etcd's protobuf encoding (field numbers beside each encoder),
 * so that the log is readable by etcd's tools. Fields that etcd's generated code always emits
 * are always emitted here too; unknown fields are skipped, as protobuf wants, unless said so.
 */

/** Why bytes are no record of the expected kind. */
export interface Malformed {
  readonly kind: 'malformed';
  readonly reason: string;
}

/** Who wrote the log; the first record of each segment after the checksum. */
export interface WalMetadata {
  readonly memberId: MemberId;
  readonly clusterId: ClusterId;
}

/** Marks that the state up to (index, term) is kept elsewhere; index 0: the start of the log. */
export interface SnapshotRecord {
  readonly index: Index;
  readonly term: Term;
  /** Absent in logs of etcd before 3.5. */
  readonly confState: ConfState | undefined;
}

export type ConfChangeType = 'addNode' | 'removeNode' | 'updateNode' | 'addLearnerNode';

/** One membership change, the data of a `confChange` entry. */
export interface ConfChange {
  /** Id of the request that waits for it. */
  readonly id: bigint;
  readonly type: ConfChangeType;
  readonly nodeId: MemberId;
  /** The member as JSON when it is added or updated. */
  readonly context: Uint8Array;
}

/** raftpb.Entry {Type 1, Term 2, Index 3, Data 4}. */
export function writeEntry(writer: FieldWriter, entry: Entry): void {
  writer.uint(1, ENTRY_TYPES.indexOf(entry.type));
  writer.uint(2, entry.term);
  writer.uint(3, entry.index);
  if (entry.data.length > 0) writer.bytes(4, entry.data);
}

/** Bytes that {@link writeEntry} adds. */
export function entrySizeBytes(entry: Entry): number {
  const dataBytes = entry.data.length;
  const dataFieldBytes = dataBytes === 0 ? 0 : 1 + varintSizeBytes(dataBytes) + dataBytes;
  return 4 + varintSizeBytes(entry.term) + varintSizeBytes(entry.index) + dataFieldBytes;
}

/** `data` is a view into `bytes`. */
export function decodeEntry(bytes: Uint8Array): Result<Entry, Malformed> {
  const reader = new FieldReader(bytes);
  let type = 0;
  let term = 0;
  let index = 0;
  let data = EMPTY_BYTES;
  while (reader.next()) {
    if (reader.field === 1) type = reader.uint();
    else if (reader.field === 2) term = reader.uint();
    else if (reader.field === 3) index = reader.uint();
    else if (reader.field === 4) data = reader.bytes();
  }
  if (reader.failure !== undefined) return malformed(`entry: ${reader.failure}`);
  const typeName = ENTRY_TYPES[type];
  if (typeName === undefined) return malformed(`entry: type ${type} is not known`);
  if (index === 0 || term === 0) return malformed('entry: index and term start at 1');
  return ok({ type: typeName, term, index, data });
}

/** raftpb.HardState {term 1, vote 2, commit 3}; vote 0 is nobody. */
export function encodeHardState(state: HardState): Uint8Array {
  const writer = new FieldWriter(32);
  writer.uint(1, state.term);
  writer.uint64(2, state.vote ?? 0n);
  writer.uint(3, state.commit);
  return writer.finish();
}

/** Strict: no checksum covers a record's type in the log, and an entry must not pass for this. */
export function decodeHardState(bytes: Uint8Array): Result<HardState, Malformed> {
  const reader = new FieldReader(bytes);
  let term = 0;
  let vote = 0n;
  let commit = 0;
  while (reader.next()) {
    if (reader.field === 1) term = reader.uint();
    else if (reader.field === 2) vote = reader.uint64();
    else if (reader.field === 3) commit = reader.uint();
    else return malformed(`hard state: field ${reader.field} is not known`);
  }
  if (reader.failure !== undefined) return malformed(`hard state: ${reader.failure}`);
  if (term === 0) return malformed('hard state: term 0 is never written');
  return ok({ term, vote: vote === 0n ? undefined : vote, commit });
}

/** etcdserverpb.Metadata {NodeID 1, ClusterID 2}. */
export function encodeWalMetadata(metadata: WalMetadata): Uint8Array {
  const writer = new FieldWriter(32);
  writer.uint64(1, metadata.memberId);
  writer.uint64(2, metadata.clusterId);
  return writer.finish();
}

export function decodeWalMetadata(bytes: Uint8Array): Result<WalMetadata, Malformed> {
  const reader = new FieldReader(bytes);
  let memberId = 0n;
  let clusterId = 0n;
  while (reader.next()) {
    if (reader.field === 1) memberId = reader.uint64();
    else if (reader.field === 2) clusterId = reader.uint64();
  }
  if (reader.failure !== undefined) return malformed(`metadata: ${reader.failure}`);
  return ok({ memberId, clusterId });
}

/** walpb.Snapshot {index 1, term 2, conf_state 3}. */
export function encodeSnapshotRecord(snapshot: SnapshotRecord): Uint8Array {
  const writer = new FieldWriter(64);
  writer.uint(1, snapshot.index);
  writer.uint(2, snapshot.term);
  if (snapshot.confState !== undefined) writer.bytes(3, encodeConfState(snapshot.confState));
  return writer.finish();
}

export function decodeSnapshotRecord(bytes: Uint8Array): Result<SnapshotRecord, Malformed> {
  const reader = new FieldReader(bytes);
  let index = 0;
  let term = 0;
  let confState: Result<ConfState, Malformed> | undefined;
  while (reader.next()) {
    if (reader.field === 1) index = reader.uint();
    else if (reader.field === 2) term = reader.uint();
    else if (reader.field === 3) confState = decodeConfState(reader.bytes());
  }
  if (reader.failure !== undefined) return malformed(`snapshot record: ${reader.failure}`);
  if (confState !== undefined && !confState.ok) return confState;
  return ok({ index, term, confState: confState?.value });
}

/** raftpb.ConfState {voters 1, learners 2, voters_outgoing 3, learners_next 4, auto_leave 5}. */
export function encodeConfState(state: ConfState): Uint8Array {
  const writer = new FieldWriter(64);
  for (const voter of state.voters) writer.uint64(1, voter);
  for (const learner of state.learners) writer.uint64(2, learner);
  for (const voter of state.votersOutgoing) writer.uint64(3, voter);
  for (const learner of state.learnersNext) writer.uint64(4, learner);
  writer.uint(5, state.autoLeave ? 1 : 0);
  return writer.finish();
}

export function decodeConfState(bytes: Uint8Array): Result<ConfState, Malformed> {
  const reader = new FieldReader(bytes);
  const voters: MemberId[] = [];
  const learners: MemberId[] = [];
  const votersOutgoing: MemberId[] = [];
  const learnersNext: MemberId[] = [];
  let autoLeave = false;
  while (reader.next()) {
    if (reader.field === 1) reader.repeatedUint64(voters);
    else if (reader.field === 2) reader.repeatedUint64(learners);
    else if (reader.field === 3) reader.repeatedUint64(votersOutgoing);
    else if (reader.field === 4) reader.repeatedUint64(learnersNext);
    else if (reader.field === 5) autoLeave = reader.uint() !== 0;
  }
  if (reader.failure !== undefined) return malformed(`conf state: ${reader.failure}`);
  return ok({ voters, learners, votersOutgoing, learnersNext, autoLeave });
}

/** raftpb.ConfChange {id 1, type 2, node_id 3, context 4}. */
export function encodeConfChange(change: ConfChange): Uint8Array {
  const writer = new FieldWriter(64 + change.context.length);
  writer.uint64(1, change.id);
  writer.uint(2, CONF_CHANGE_TYPES.indexOf(change.type));
  writer.uint64(3, change.nodeId);
  if (change.context.length > 0) writer.bytes(4, change.context);
  return writer.finish();
}

/** `context` is a view into `bytes`. */
export function decodeConfChange(bytes: Uint8Array): Result<ConfChange, Malformed> {
  const reader = new FieldReader(bytes);
  let id = 0n;
  let type = 0;
  let nodeId = 0n;
  let context = EMPTY_BYTES;
  while (reader.next()) {
    if (reader.field === 1) id = reader.uint64();
    else if (reader.field === 2) type = reader.uint();
    else if (reader.field === 3) nodeId = reader.uint64();
    else if (reader.field === 4) context = reader.bytes();
  }
  if (reader.failure !== undefined) return malformed(`conf change: ${reader.failure}`);
  const typeName = CONF_CHANGE_TYPES[type];
  if (typeName === undefined) return malformed(`conf change: type ${type} is not known`);
  return ok({ id, type: typeName, nodeId, context });
}

export function malformed(reason: string): Result<never, Malformed> {
  return err({ kind: 'malformed', reason });
}

/** Position is the protobuf enum's number. */
const ENTRY_TYPES = [
  'normal',
  'confChange',
  'confChangeV2',
] as const satisfies readonly Entry['type'][];
export const CONF_CHANGE_TYPES: readonly ConfChangeType[] = [
  'addNode',
  'removeNode',
  'updateNode',
  'addLearnerNode',
];
