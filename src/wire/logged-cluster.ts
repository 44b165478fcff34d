import type { MemberAttributes } from './internal-request.ts';
import type { ProtoReader } from './proto-reader.ts';
import type { ProtoWriter } from './proto-writer.ts';

/** Log entries about members and the cluster: membershippb's requests. */

export function writeClusterVersion(writer: ProtoWriter, version: string): void {
  writer.string(1, version);
}

export function readClusterVersion(reader: ProtoReader): string {
  let version = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) version = reader.string();
    else reader.skip();
  }
  return version;
}

export interface DowngradeInfo {
  readonly enabled: boolean;
  readonly version: string;
}

export function writeDowngradeInfo(writer: ProtoWriter, info: DowngradeInfo): void {
  writer.bool(1, info.enabled);
  writer.string(2, info.version);
}

export function readDowngradeInfo(reader: ProtoReader): DowngradeInfo {
  let enabled = false;
  let version = '';
  for (let field = reader.nextField(); field !== 0; field = reader.nextField()) {
    if (field === 1) enabled = reader.bool();
    else if (field === 2) version = reader.string();
    else reader.skip();
  }
  return { enabled, version };
}

export function writeMemberAttributes(writer: ProtoWriter, request: MemberAttributes): void {
  writer.bits64(1, request.memberId);
  writer.message(2, request, writeAttributes);
}

export function readMemberAttributes(reader: ProtoReader): MemberAttributes {
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
