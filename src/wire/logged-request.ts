import type { AuthInfo, AuthRequest } from '../auth/request.ts';
import { assertNever } from '../lib/assert.ts';
import type { RequestId } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import { readDeleteRangeRequest, writeDeleteRangeRequest } from './delete-range-messages.ts';
import type { InternalRequest, LoggedRequest } from './internal-request.ts';
import { AUTH_CODECS } from './logged-auth.ts';
import {
  readClusterVersion,
  readDowngradeInfo,
  readMemberAttributes,
  writeClusterVersion,
  writeDowngradeInfo,
  writeMemberAttributes,
} from './logged-cluster.ts';
import {
  readAlarm,
  readCompaction,
  readLeaseCheckpoints,
  readLeaseGrant,
  readLeaseRevoke,
  writeAlarm,
  writeCompaction,
  writeLeaseCheckpoints,
  writeLeaseGrant,
  writeLeaseRevoke,
} from './logged-upkeep.ts';
import { readV2Request } from './logged-v2.ts';
import { decodeMessage, type ProtoReader, type WireError } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';
import { putRequestSizeHintBytes, readPutRequest, writePutRequest } from './put-messages.ts';
import { readTxnRequest, writeTxnRequest } from './txn-messages.ts';

/**
 * A log entry's data as etcd writes it, etcdserverpb.InternalRaftRequest: the request under its
 * variant's field number, and a header that says whose it is.
 */

const OLD_ID = 1;
const V2 = 2;
const PUT = 4;
const DELETE_RANGE = 5;
const TXN = 6;
const COMPACTION = 7;
const LEASE_GRANT = 8;
const LEASE_REVOKE = 9;
const ALARM = 10;
const LEASE_CHECKPOINT = 11;
const HEADER = 100;
const CLUSTER_VERSION = 1300;
const MEMBER_ATTRIBUTES = 1301;
const DOWNGRADE_INFO = 1302;
const SIZE_HINT_BYTES = 192;
/** Of the request's own header, and around an operation of a transaction. */
const HEADER_BYTES = 24;
const OPERATION_BYTES = 8;

/** Questions, some of which etcd logs too: range, auth_status, user and role get and list. */
const QUESTIONS: ReadonlySet<number> = new Set([3, 1013, 1102, 1106, 1107, 1202]);

/** Stands for what changes nothing: a question that fits in everywhere. */
const NOTHING = 1013;

const AUTH_BY_FIELD: ReadonlyMap<number, (reader: ProtoReader) => AuthRequest> = new Map(
  Object.values(AUTH_CODECS).map(({ field, read }) => [field, read]),
);

/** The bytes are the caller's own. */
export function encodeLoggedRequest(logged: LoggedRequest): Uint8Array {
  const { request } = logged;
  const writer = new ProtoWriter(sizeHintBytes(request));
  // Fields go in the order of their numbers, so that equal requests are equal bytes everywhere.
  switch (request.type) {
    case 'auth':
    case 'clusterVersion':
    case 'memberAttributes':
    case 'downgradeInfo':
    case 'nothing':
      writer.message(HEADER, logged, writeRequestHeader);
      writeHighVariant(writer, request);
      break;
    default:
      writeLowVariant(writer, request);
      writer.message(HEADER, logged, writeRequestHeader);
  }
  return writer.finish();
}

/** Entries stay in memory for long: room that was not needed would stay with them. */
function sizeHintBytes(request: InternalRequest): number {
  if (request.type === 'put') return putRequestSizeHintBytes(request.request) + HEADER_BYTES;
  if (request.type !== 'txn') return SIZE_HINT_BYTES;
  const { success, failure } = request.request;
  let sizeBytes = SIZE_HINT_BYTES;
  for (const operations of [success, failure]) {
    for (const operation of operations) {
      sizeBytes += OPERATION_BYTES;
      if (operation.type === 'put') sizeBytes += putRequestSizeHintBytes(operation.request);
    }
  }
  return sizeBytes;
}

type HighVariant = Extract<
  InternalRequest,
  { type: 'auth' | 'clusterVersion' | 'memberAttributes' | 'downgradeInfo' | 'nothing' }
>;

/** Those with numbers below the header's. */
function writeLowVariant(
  writer: ProtoWriter,
  request: Exclude<InternalRequest, HighVariant>,
): void {
  switch (request.type) {
    case 'put':
      return writer.message(PUT, request.request, writePutRequest);
    case 'deleteRange':
      return writer.message(DELETE_RANGE, request.request, writeDeleteRangeRequest);
    case 'txn':
      return writer.message(TXN, request.request, writeTxnRequest);
    case 'compaction':
      return writer.message(COMPACTION, request, writeCompaction);
    case 'leaseGrant':
      return writer.message(LEASE_GRANT, request, writeLeaseGrant);
    case 'leaseRevoke':
      return writer.message(LEASE_REVOKE, request, writeLeaseRevoke);
    case 'alarm':
      return writer.message(ALARM, request, writeAlarm);
    case 'leaseCheckpoint':
      return writer.message(LEASE_CHECKPOINT, request, writeLeaseCheckpoints);
    default:
      return assertNever(request);
  }
}

function writeHighVariant(writer: ProtoWriter, request: HighVariant): void {
  switch (request.type) {
    case 'auth':
      return writeAuthVariant(writer, request.request);
    case 'clusterVersion':
      return writer.message(CLUSTER_VERSION, request.version, writeClusterVersion);
    case 'memberAttributes':
      return writer.message(MEMBER_ATTRIBUTES, request.request, writeMemberAttributes);
    case 'downgradeInfo':
      return writer.message(DOWNGRADE_INFO, request, writeDowngradeInfo);
    case 'nothing':
      return writer.message(NOTHING, undefined, () => undefined);
    default:
      return assertNever(request);
  }
}

function writeAuthVariant<Type extends AuthRequest['type']>(
  writer: ProtoWriter,
  request: Extract<AuthRequest, { type: Type }>,
): void {
  const type: Type = request.type;
  const { field, write } = AUTH_CODECS[type];
  writer.message(field, request, write);
}

/** Fails with `unknownVariant` on entries that this server cannot apply. */
export function decodeLoggedRequest(bytes: Uint8Array): Result<LoggedRequest, WireError> {
  const logged = decodeMessage(bytes, readLoggedRequest);
  if (logged.ok || logged.error.code !== 'malformed') return logged;
  // Old servers log requests to the v2 store bare; as an InternalRaftRequest none of them parses.
  const old = decodeMessage(bytes, readV2Request);
  return old.ok ? old : logged;
}

const NO_REQUEST: InternalRequest = { type: 'nothing' };

function readLoggedRequest(reader: ProtoReader): LoggedRequest {
  let oldId = 0n;
  let header: RequestHeader = NO_HEADER;
  let request: InternalRequest | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === OLD_ID) oldId = reader.uint64Bits();
    else if (field === HEADER) header = reader.message(readRequestHeader);
    else if (field === PUT) request = { type: 'put', request: reader.message(readPutRequest) };
    else if (field === DELETE_RANGE) {
      request = { type: 'deleteRange', request: reader.message(readDeleteRangeRequest) };
    } else if (field === TXN) request = { type: 'txn', request: reader.message(readTxnRequest) };
    else if (field === V2) {
      const old = reader.message(readV2Request);
      oldId = old.id;
      request = old.request;
    } else request = readOtherVariant(reader, field);
  }
  if (request === undefined) reader.fail('unknownVariant', 'log entry without a request');
  const { id, auth } = header;
  return { id: id === 0n ? oldId : id, request: request ?? NO_REQUEST, auth };
}

function readOtherVariant(reader: ProtoReader, field: number): InternalRequest {
  switch (field) {
    case COMPACTION:
      return reader.message(readCompaction);
    case LEASE_GRANT:
      return reader.message(readLeaseGrant);
    case LEASE_REVOKE:
      return reader.message(readLeaseRevoke);
    case ALARM:
      return reader.message(readAlarm);
    case LEASE_CHECKPOINT:
      return reader.message(readLeaseCheckpoints);
    case CLUSTER_VERSION:
      return { type: 'clusterVersion', version: reader.message(readClusterVersion) };
    case MEMBER_ATTRIBUTES:
      return { type: 'memberAttributes', request: reader.message(readMemberAttributes) };
    case DOWNGRADE_INFO:
      return { type: 'downgradeInfo', ...reader.message(readDowngradeInfo) };
    default: {
      const readAuth = AUTH_BY_FIELD.get(field);
      if (readAuth !== undefined) return { type: 'auth', request: reader.message(readAuth) };
      if (QUESTIONS.has(field)) reader.skip();
      else reader.fail('unknownVariant', `log entry of unknown kind (field ${field})`);
      return NO_REQUEST;
    }
  }
}

interface RequestHeader {
  readonly id: RequestId;
  readonly auth: AuthInfo | undefined;
}

const NO_HEADER: RequestHeader = { id: 0n, auth: undefined };

function writeRequestHeader(writer: ProtoWriter, { id, auth }: LoggedRequest): void {
  writer.bits64(1, id);
  if (auth === undefined) return;
  writer.string(2, auth.username);
  writer.int64(3, auth.revision);
}

function readRequestHeader(reader: ProtoReader): RequestHeader {
  let id = 0n;
  let username = '';
  let revision = 0;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) id = reader.uint64Bits();
    else if (field === 2) username = reader.string();
    else if (field === 3) revision = reader.uint64();
    else reader.skip();
  }
  const isNobody = username === '' && revision === 0;
  return { id, auth: isNobody ? undefined : { username, revision } };
}
