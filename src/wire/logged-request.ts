import { assertNever } from '../lib/assert.ts';
import type { RequestId } from '../lib/ids.ts';
import type { Result } from '../lib/result.ts';
import { readDeleteRangeRequest, writeDeleteRangeRequest } from './delete-range-messages.ts';
import type { InternalRequest, LoggedRequest, MemberAttributes } from './internal-request.ts';
import { decodeMessage, type ProtoReader, type WireError } from './proto-reader.ts';
import { ProtoWriter } from './proto-writer.ts';
import { putRequestSizeHintBytes, readPutRequest, writePutRequest } from './put-messages.ts';
import { readTxnRequest, writeTxnRequest } from './txn-messages.ts';

/**
 * A log entry's data as etcd writes it, etcdserverpb.InternalRaftRequest: the request under its
 * variant's field number, its id in a header behind it.
 */

const OLD_ID = 1;
const PUT = 4;
const DELETE_RANGE = 5;
const TXN = 6;
const HEADER = 100;
const MEMBER_ATTRIBUTES = 1301;
const SIZE_HINT_BYTES = 192;

/** etcd's variants that this server neither logs nor applies, to name them in errors. */
const OTHER_VARIANTS: ReadonlyMap<number, string> = new Map([
  [2, 'v2'],
  [3, 'range'],
  [7, 'compaction'],
  [8, 'lease_grant'],
  [9, 'lease_revoke'],
  [10, 'alarm'],
  [11, 'lease_checkpoint'],
  [1000, 'auth_enable'],
  [1011, 'auth_disable'],
  [1012, 'authenticate'],
  [1013, 'auth_status'],
  [1100, 'auth_user_add'],
  [1101, 'auth_user_delete'],
  [1102, 'auth_user_get'],
  [1103, 'auth_user_change_password'],
  [1104, 'auth_user_grant_role'],
  [1105, 'auth_user_revoke_role'],
  [1106, 'auth_user_list'],
  [1107, 'auth_role_list'],
  [1200, 'auth_role_add'],
  [1201, 'auth_role_delete'],
  [1202, 'auth_role_get'],
  [1203, 'auth_role_grant_permission'],
  [1204, 'auth_role_revoke_permission'],
  [1300, 'cluster_version_set'],
  [1302, 'downgrade_info_set'],
]);

/** The bytes are the caller's own. */
export function encodeLoggedRequest(logged: LoggedRequest): Uint8Array {
  const { request } = logged;
  const sizeHintBytes =
    request.type === 'put' ? putRequestSizeHintBytes(request.request) + 24 : SIZE_HINT_BYTES;
  const writer = new ProtoWriter(sizeHintBytes);
  // Fields go in the order of their numbers, so that equal requests are equal bytes everywhere.
  if (request.type === 'memberAttributes') {
    writer.message(HEADER, logged.id, writeRequestHeader);
    writer.message(MEMBER_ATTRIBUTES, request.request, writeMemberAttributes);
  } else {
    writeKvVariant(writer, request);
    writer.message(HEADER, logged.id, writeRequestHeader);
  }
  return writer.finish();
}

function writeKvVariant(
  writer: ProtoWriter,
  request: Exclude<InternalRequest, { type: 'memberAttributes' }>,
): void {
  switch (request.type) {
    case 'put':
      writer.message(PUT, request.request, writePutRequest);
      break;
    case 'deleteRange':
      writer.message(DELETE_RANGE, request.request, writeDeleteRangeRequest);
      break;
    case 'txn':
      writer.message(TXN, request.request, writeTxnRequest);
      break;
    default:
      assertNever(request);
  }
}

/** Fails with `unknownVariant`, naming it, on entries that only other servers write. */
export function decodeLoggedRequest(bytes: Uint8Array): Result<LoggedRequest, WireError> {
  return decodeMessage(bytes, readLoggedRequest);
}

const NO_REQUEST: InternalRequest = {
  type: 'memberAttributes',
  request: { memberId: 0n, name: '', clientUrls: [] },
};

function readLoggedRequest(reader: ProtoReader): LoggedRequest {
  let oldId = 0n;
  let id = 0n;
  let request: InternalRequest | undefined;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === OLD_ID) oldId = reader.uint64Bits();
    else if (field === HEADER) id = reader.message(readRequestHeader);
    else if (field === PUT) request = { type: 'put', request: reader.message(readPutRequest) };
    else if (field === DELETE_RANGE) {
      request = { type: 'deleteRange', request: reader.message(readDeleteRangeRequest) };
    } else if (field === TXN) request = { type: 'txn', request: reader.message(readTxnRequest) };
    else if (field === MEMBER_ATTRIBUTES) {
      request = { type: 'memberAttributes', request: reader.message(readMemberAttributes) };
    } else {
      const name = OTHER_VARIANTS.get(field) ?? 'unnamed';
      reader.fail('unknownVariant', `log entry of unknown kind ${name} (field ${field})`);
    }
  }
  if (request === undefined) reader.fail('unknownVariant', 'log entry without a request');
  return { id: id === 0n ? oldId : id, request: request ?? NO_REQUEST };
}

function writeRequestHeader(writer: ProtoWriter, id: RequestId): void {
  writer.bits64(1, id);
}

function readRequestHeader(reader: ProtoReader): RequestId {
  let id = 0n;
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) id = reader.uint64Bits();
    else reader.skip();
  }
  return id;
}

function writeMemberAttributes(writer: ProtoWriter, request: MemberAttributes): void {
  writer.bits64(1, request.memberId);
  writer.message(2, request, writeAttributes);
}

function readMemberAttributes(reader: ProtoReader): MemberAttributes {
  let memberId = 0n;
  let attributes: Attributes = { name: '', clientUrls: [] };
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) memberId = reader.uint64Bits();
    else if (field === 2) attributes = reader.message(readAttributes);
    else reader.skip();
  }
  return { memberId, name: attributes.name, clientUrls: attributes.clientUrls };
}

type Attributes = Pick<MemberAttributes, 'name' | 'clientUrls'>;

function writeAttributes(writer: ProtoWriter, attributes: Attributes): void {
  writer.string(1, attributes.name);
  writer.strings(2, attributes.clientUrls);
}

function readAttributes(reader: ProtoReader): Attributes {
  let name = '';
  const clientUrls: string[] = [];
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) name = reader.string();
    else if (field === 2) clientUrls.push(reader.string());
    else reader.skip();
  }
  return { name, clientUrls };
}
