/**
 * Membership changes as the log holds them, in both of etcd's encodings, and as raft takes them.
 * Which one to write: a single change as v1, which every reader of etcd logs knows; several at
 * once, or a joint configuration, as v2.
 */
import { assertNever } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import { ok, type Result } from '../lib/result.ts';
import {
  type ConfChange,
  type ConfChangeEntry,
  oneChange,
  type SingleChange,
} from '../raft/confchange.ts';
import {
  CONF_CHANGE_TYPES,
  type ConfChangeType,
  decodeConfChange,
  type Malformed,
  malformed,
} from './raft-records.ts';
import { FieldReader, FieldWriter } from './record-fields.ts';

/** What an entry of either membership type holds. */
export interface ConfChangeRecord {
  readonly change: ConfChange;
  /** Id of the request that waits for it; v2 has none: 0. */
  readonly id: bigint;
  /** The application's own: for etcd the member as JSON. */
  readonly context: Uint8Array;
}

/** The record of a `confChange` or `confChangeV2` entry. `context` is a view into `data`. */
export function decodeConfChangeEntry(entry: ConfChangeEntry): Result<ConfChangeRecord, Malformed> {
  switch (entry.type) {
    case 'confChange': {
      const decoded = decodeConfChange(entry.data);
      if (!decoded.ok) return decoded;
      const { id, type, nodeId, context } = decoded.value;
      return ok({ change: oneChange(SINGLE_TYPE[type], nodeId), id, context });
    }
    case 'confChangeV2': {
      const decoded = decodeConfChangeV2(entry.data);
      return decoded.ok ? ok({ ...decoded.value, id: 0n }) : decoded;
    }
    default:
      return assertNever(entry.type);
  }
}

/**
 * raftpb.ConfChangeV2 {transition 1, changes 2 {type 1, node_id 2}, context 3}. To leave a joint
 * configuration, without context, is no bytes at all, as the leader itself proposes it.
 */
export function encodeConfChangeV2(change: ConfChange, context: Uint8Array): Uint8Array {
  const { transition, changes } = change;
  if (transition === 'auto' && changes.length === 0 && context.length === 0) return EMPTY_BYTES;
  const writer = new FieldWriter(64 + context.length);
  writer.uint(1, TRANSITIONS.indexOf(transition));
  for (const { type, member } of changes) {
    const single = new FieldWriter(16);
    single.uint(1, CONF_CHANGE_TYPES.indexOf(RECORD_TYPE[type]));
    single.uint64(2, member);
    writer.bytes(2, single.view());
  }
  if (context.length > 0) writer.bytes(3, context);
  return writer.finish();
}

/** `context` is a view into `bytes`. */
export function decodeConfChangeV2(
  bytes: Uint8Array,
): Result<Pick<ConfChangeRecord, 'change' | 'context'>, Malformed> {
  const reader = new FieldReader(bytes);
  const changes: SingleChange[] = [];
  let transition = 0;
  let context = EMPTY_BYTES;
  while (reader.next()) {
    if (reader.field === 1) transition = reader.uint();
    else if (reader.field === 2) {
      const single = decodeSingle(reader.bytes());
      if (!single.ok) return single;
      changes.push(single.value);
    } else if (reader.field === 3) context = reader.bytes();
  }
  if (reader.failure !== undefined) return malformed(`conf change v2: ${reader.failure}`);
  const name = TRANSITIONS[transition];
  if (name === undefined) return malformed(`conf change v2: transition ${transition} is not known`);
  return ok({ change: { transition: name, changes }, context });
}

function decodeSingle(bytes: Uint8Array): Result<SingleChange, Malformed> {
  const reader = new FieldReader(bytes);
  let type = 0;
  let member = 0n;
  while (reader.next()) {
    if (reader.field === 1) type = reader.uint();
    else if (reader.field === 2) member = reader.uint64();
  }
  if (reader.failure !== undefined) return malformed(`conf change v2: ${reader.failure}`);
  const typeName = CONF_CHANGE_TYPES[type];
  if (typeName === undefined) return malformed(`conf change v2: type ${type} is not known`);
  return ok({ type: SINGLE_TYPE[typeName], member });
}

const SINGLE_TYPE: Readonly<Record<ConfChangeType, SingleChange['type']>> = {
  addNode: 'addVoter',
  removeNode: 'remove',
  updateNode: 'update',
  addLearnerNode: 'addLearner',
};
const RECORD_TYPE: Readonly<Record<SingleChange['type'], ConfChangeType>> = {
  addVoter: 'addNode',
  remove: 'removeNode',
  update: 'updateNode',
  addLearner: 'addLearnerNode',
};
/** Position is the protobuf enum's number. */
const TRANSITIONS = [
  'auto',
  'jointImplicit',
  'jointExplicit',
] as const satisfies readonly ConfChange['transition'][];
