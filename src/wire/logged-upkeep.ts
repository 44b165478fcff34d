import type { LeaseId } from '../lib/ids.ts';
import type {
  AlarmRequest,
  AlarmType,
  InternalRequest,
  LeaseCheckpoint,
} from './internal-request.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** Log entries about the store as a whole: compactions, leases and alarms. */

type Of<Type extends InternalRequest['type']> = Extract<InternalRequest, { type: Type }>;

export function writeCompaction(writer: ProtoWriter, request: Of<'compaction'>): void {
  writer.int64(1, request.revision);
  writer.bool(2, request.physical);
}

export function readCompaction(reader: ProtoReader): Of<'compaction'> {
  let revision = 0;
  let physical = false;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) revision = reader.int64();
    else if (field === 2) physical = reader.bool();
    else reader.skip();
  }
  return { type: 'compaction', revision, physical };
}

export function writeLeaseGrant(writer: ProtoWriter, request: Of<'leaseGrant'>): void {
  writer.int64(1, request.ttlS);
  writer.bits64(2, request.id);
}

export function readLeaseGrant(reader: ProtoReader): Of<'leaseGrant'> {
  let ttlS = 0;
  let id: LeaseId = 0n;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) ttlS = reader.int64();
    else if (field === 2) id = reader.int64Bits();
    else reader.skip();
  }
  return { type: 'leaseGrant', id, ttlS };
}

export function writeLeaseRevoke(writer: ProtoWriter, request: Of<'leaseRevoke'>): void {
  writer.bits64(1, request.id);
}

export function readLeaseRevoke(reader: ProtoReader): Of<'leaseRevoke'> {
  let id: LeaseId = 0n;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) id = reader.int64Bits();
    else reader.skip();
  }
  return { type: 'leaseRevoke', id };
}

export function writeLeaseCheckpoints(writer: ProtoWriter, request: Of<'leaseCheckpoint'>): void {
  for (const checkpoint of request.checkpoints) writer.message(1, checkpoint, writeCheckpoint);
}

export function readLeaseCheckpoints(reader: ProtoReader): Of<'leaseCheckpoint'> {
  const checkpoints: LeaseCheckpoint[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) checkpoints.push(reader.message(readCheckpoint));
    else reader.skip();
  }
  return { type: 'leaseCheckpoint', checkpoints };
}

function writeCheckpoint(writer: ProtoWriter, checkpoint: LeaseCheckpoint): void {
  writer.bits64(1, checkpoint.id);
  writer.int64(2, checkpoint.remainingTtlS);
}

function readCheckpoint(reader: ProtoReader): LeaseCheckpoint {
  let id: LeaseId = 0n;
  let remainingTtlS = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) id = reader.int64Bits();
    else if (field === 2) remainingTtlS = reader.int64();
    else reader.skip();
  }
  return { id, remainingTtlS };
}

/** Numbers are the enums'. */
const ALARM_ACTIONS: readonly AlarmRequest['action'][] = ['get', 'activate', 'deactivate'];
const ALARM_TYPES: readonly (AlarmType | undefined)[] = [undefined, 'NOSPACE', 'CORRUPT'];

export function writeAlarm(writer: ProtoWriter, { request }: Of<'alarm'>): void {
  writer.int64(1, ALARM_ACTIONS.indexOf(request.action));
  writer.bits64(2, request.memberId);
  writer.int64(3, ALARM_TYPES.indexOf(request.type));
}

/** etcd logs what clients send: numbers that mean nothing do nothing. */
export function readAlarm(reader: ProtoReader): Of<'alarm'> | Of<'nothing'> {
  let action = 0;
  let memberId = 0n;
  let type = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) action = reader.enumNumber();
    else if (field === 2) memberId = reader.uint64Bits();
    else if (field === 3) type = reader.enumNumber();
    else reader.skip();
  }
  const actionName = ALARM_ACTIONS[action];
  if (actionName === undefined || !(type in ALARM_TYPES)) return { type: 'nothing' };
  return { type: 'alarm', request: { action: actionName, memberId, type: ALARM_TYPES[type] } };
}
