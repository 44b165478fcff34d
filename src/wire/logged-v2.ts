import type { RequestId } from '../lib/ids.ts';
import type { InternalRequest, LoggedRequest, MemberAttributes } from './internal-request.ts';
import type { ProtoReader } from './proto-reader.ts';

/**
 * Requests to etcd's old v2 store. Up to 3.5 a server logs its name and URLs, and the cluster's
 * version, as writes of that store's keys below /0; the rest of the store is nothing of ours.
 */

const CLUSTER_VERSION_PATH = '/0/version';
const ATTRIBUTES_PATH = /^\/0\/members\/([0-9a-fA-F]{1,16})\/attributes$/;
const METHODS: ReadonlySet<string> = new Set([
  'DELETE',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'QGET',
  'SYNC',
]);

export function readV2Request(reader: ProtoReader): LoggedRequest {
  let id: RequestId = 0n;
  let method = '';
  let path = '';
  let value = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) id = reader.uint64Bits();
    else if (field === 2) method = reader.string();
    else if (field === 3) path = reader.string();
    else if (field === 4) value = reader.string();
    else reader.skip();
  }
  if (!METHODS.has(method)) reader.fail('malformed', 'v2 request without a known method');
  return { id, request: method === 'PUT' ? putRequest(reader, path, value) : { type: 'nothing' } };
}

function putRequest(reader: ProtoReader, path: string, value: string): InternalRequest {
  if (path === CLUSTER_VERSION_PATH) return { type: 'clusterVersion', version: value };
  const hexId = ATTRIBUTES_PATH.exec(path)?.[1];
  if (hexId === undefined) return { type: 'nothing' };
  return {
    type: 'memberAttributes',
    request: { memberId: BigInt(`0x${hexId}`), ...readAttributes(reader, value) },
  };
}

const NO_ATTRIBUTES = { name: '', clientUrls: [] };

function readAttributes(
  reader: ProtoReader,
  json: string,
): Pick<MemberAttributes, 'name' | 'clientUrls'> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    value = undefined;
  }
  if (typeof value !== 'object' || value === null) {
    reader.fail('malformed', 'member attributes of a v2 request are no JSON object');
    return NO_ATTRIBUTES;
  }
  const name = 'name' in value ? value.name : '';
  const clientUrls = 'clientURLs' in value ? value.clientURLs : [];
  if (typeof name !== 'string' || !isStringArray(clientUrls)) {
    reader.fail('malformed', 'member attributes of a v2 request have other types');
    return NO_ATTRIBUTES;
  }
  return { name, clientUrls };
}

function isStringArray(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
