/** Requests of every method of the API, by their descriptors, and which of them to withhold. */
import {
  create,
  type DescField,
  type DescMessage,
  type DescMethod,
  fromBinary,
  type Message,
  ScalarType,
  toBinary,
} from '@bufbuild/protobuf';
import { JsonCodec } from '../../src/api/gateway/json-message.ts';
import { file_etcdserverpb_rpc } from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';
import { file_grpc_health_v1_health } from '../../src/wire/gen/grpc/health/v1/health_pb.ts';
import { file_v3electionpb_v3election } from '../../src/wire/gen/v3electionpb/v3election_pb.ts';
import { file_v3lockpb_v3lock } from '../../src/wire/gen/v3lockpb/v3lock_pb.ts';
import type { Chance } from './chance.ts';

export const METHODS: readonly DescMethod[] = [
  file_etcdserverpb_rpc,
  file_v3lockpb_v3lock,
  file_v3electionpb_v3election,
  file_grpc_health_v1_health,
].flatMap((file) => file.services.flatMap((service) => service.methods));

export function pathOf(method: DescMethod): string {
  return `/${method.parent.typeName}/${method.name}`;
}

/** Where the fuzzer's keys are; whoever behaves stays away from them. */
export const FUZZ_PREFIX = 'f/';
const FUZZ_END = 'f0';
const KEYS = 64;
const DEPTH_MAX = 3;
const LEASE_TTL_S_MAX = 20n;

type Fields = Record<string, unknown>;

/** A request as a client could send it. */
export function validRequest(chance: Chance, desc: DescMessage, depth = 0): Message {
  const message = create(desc);
  const fields = message as unknown as Fields;
  for (const member of desc.members) {
    if (chance.oneIn(3)) continue;
    if (member.kind === 'oneof') {
      const field = chance.pick(member.fields);
      fields[member.localName] = { case: field.localName, value: one(chance, field, depth) };
    } else if (member.fieldKind === 'list') {
      const count = depth >= DEPTH_MAX ? 0 : chance.below(3);
      fields[member.localName] = Array.from({ length: count }, () => one(chance, member, depth));
    } else if (member.fieldKind !== 'map') fields[member.localName] = one(chance, member, depth);
  }
  return message;
}

function one(chance: Chance, field: DescField, depth: number): unknown {
  if (field.message !== undefined) {
    return depth >= DEPTH_MAX
      ? create(field.message)
      : validRequest(chance, field.message, depth + 1);
  }
  if (field.enum !== undefined) {
    return chance.oneIn(8) ? chance.below(2 ** 31) : chance.pick(field.enum.values).number;
  }
  return scalar(chance, field);
}

function scalar(chance: Chance, field: DescField): unknown {
  const key = `${FUZZ_PREFIX}${chance.below(KEYS)}`;
  switch (field.scalar) {
    case ScalarType.BYTES:
      if (field.name === 'range_end') return Buffer.from(chance.oneIn(2) ? FUZZ_END : '');
      if (field.name === 'value')
        return chance.bytes(chance.oneIn(200) ? 60_000 : chance.below(99));
      return Buffer.from(key);
    case ScalarType.STRING:
      return chance.oneIn(9) ? chance.bytes(chance.below(20)).toString('latin1') : key;
    case ScalarType.BOOL:
      return chance.oneIn(2);
    case ScalarType.INT64:
      return BigInt.asIntN(64, long(chance));
    case ScalarType.UINT64:
      return BigInt.asUintN(64, long(chance));
    case ScalarType.INT32:
      return chance.below(chance.oneIn(5) ? 2 ** 31 : 20) - (chance.oneIn(5) ? 2 ** 31 : 0);
    default:
      return chance.below(chance.oneIn(5) ? 2 ** 31 : 20);
  }
}

function long(chance: Chance): bigint {
  if (!chance.oneIn(5)) return BigInt(chance.below(20));
  return BigInt.asIntN(64, chance.bigint()) >> BigInt(chance.below(60));
}

export function encode(method: DescMethod, message: Message): Buffer {
  return Buffer.from(toBinary(method.input, message));
}

/** What these bytes ask for, as the server reads them; undefined: nothing that it understands. */
function decoded(method: DescMethod, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(method.input, bytes, { readUnknownFields: false });
  } catch {
    return undefined;
  }
}

/** Orders that a member rightly obeys, and that would spoil what the run looks at. */
export function isHarmful(
  method: DescMethod,
  bytes: Uint8Array,
  members: ReadonlySet<bigint>,
): boolean {
  const message = decoded(method, bytes);
  return message !== undefined && isHarmfulMessage(message, members);
}

/** The same for the gateway's requests. */
export function isHarmfulJson(
  method: DescMethod,
  text: string,
  members: ReadonlySet<bigint>,
): boolean {
  const bytes = new JsonCodec(method).decode(text);
  return bytes.ok && isHarmful(method, bytes.value, members);
}

function isHarmfulMessage(message: Message, members: ReadonlySet<bigint>): boolean {
  const fields = message as unknown as Fields;
  const text = (name: string): string =>
    Buffer.from((fields[name] ?? '') as Buffer).toString('latin1');
  switch (message.$typeName) {
    case 'etcdserverpb.DeleteRangeRequest':
      return !isOurs(text('key')) || (text('rangeEnd') !== '' && !isEnd(text('rangeEnd')));
    case 'etcdserverpb.PutRequest':
      return !isOurs(text('key'));
    case 'etcdserverpb.LeaseGrantRequest':
      return (fields.TTL as bigint) > LEASE_TTL_S_MAX;
    case 'etcdserverpb.AlarmRequest':
      return fields.action === 1;
    case 'etcdserverpb.MemberAddRequest':
      return (fields.peerURLs as string[]).some((url) => URL.canParse(url));
    case 'etcdserverpb.MemberRemoveRequest':
    case 'etcdserverpb.MemberUpdateRequest':
    case 'etcdserverpb.MemberPromoteRequest':
      return members.has(fields.ID as bigint);
    case 'etcdserverpb.MoveLeaderRequest':
      return members.has(fields.targetID as bigint);
    case 'etcdserverpb.AuthUserAddRequest':
    case 'etcdserverpb.AuthRoleAddRequest':
      // Not root, and not any number of them.
      return !isOurs(String(fields.name));
    case 'v3lockpb.LockRequest':
    case 'v3electionpb.CampaignRequest':
    case 'v3electionpb.ProclaimRequest':
      return !isOurs(text('name')) && text('name') !== '';
    default:
      return Object.values(fields).some((value) => holdsHarmful(value, members));
  }
}

function holdsHarmful(value: unknown, members: ReadonlySet<bigint>): boolean {
  if (Array.isArray(value)) return value.some((each) => holdsHarmful(each, members));
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return false;
  if ('$typeName' in value) return isHarmfulMessage(value as Message, members);
  return 'value' in value && holdsHarmful(value.value, members);
}

function isOurs(key: string): boolean {
  return key.startsWith(FUZZ_PREFIX);
}

function isEnd(end: string): boolean {
  return isOurs(end) || end === FUZZ_END;
}
