import { formatId, type MemberId } from '../lib/ids.ts';
import type { ConfState } from '../raft/message.ts';
import type { CheckpointMember } from './checkpoint-image.ts';

/**
 * The two things etcd keeps as JSON. Their ids are 64-bit numbers without quotes, which
 * JSON.parse would round, so they are written and read around it.
 */

/** {"voters":[..],"learners":[..],"auto_leave":false}; an empty list is left out. */
export function encodeConfStateJson(state: ConfState): string {
  const fields: string[] = [];
  if (state.voters.length > 0) fields.push(`"voters":[${state.voters.join(',')}]`);
  if (state.learners.length > 0) fields.push(`"learners":[${state.learners.join(',')}]`);
  return `{${[...fields, '"auto_leave":false'].join(',')}}`;
}

/** Undefined if it is none, or a joint one, which this program never enters. */
export function decodeConfStateJson(text: string): ConfState | undefined {
  const parsed = parseKeepingIntegers(text);
  if (parsed === undefined) return undefined;
  const voters = idList(parsed.voters);
  const learners = idList(parsed.learners);
  const isJoint = [parsed.voters_outgoing, parsed.learners_next].some(
    (list) => idList(list)?.length !== 0,
  );
  return voters === undefined || learners === undefined || isJoint
    ? undefined
    : { voters, learners };
}

/** {"id":..,"peerURLs":[..],"isLearner":true,"name":"..","clientURLs":[..]}. */
export function encodeMemberJson(member: CheckpointMember): string {
  const fields = [`"id":${member.id}`, `"peerURLs":${JSON.stringify(member.peerUrls)}`];
  if (member.isLearner) fields.push('"isLearner":true');
  if (member.name !== '') fields.push(`"name":${JSON.stringify(member.name)}`);
  if (member.clientUrls.length > 0) {
    fields.push(`"clientURLs":${JSON.stringify(member.clientUrls)}`);
  }
  return `{${fields.join(',')}}`;
}

/** Undefined if it is none. */
export function decodeMemberJson(text: string): CheckpointMember | undefined {
  const parsed = parseKeepingIntegers(text);
  if (parsed === undefined) return undefined;
  const [id] = idList([parsed.id]) ?? [];
  const peerUrls = textList(parsed.peerURLs);
  const clientUrls = textList(parsed.clientURLs);
  const name = parsed.name ?? '';
  if (id === undefined || peerUrls === undefined || clientUrls === undefined) return undefined;
  if (typeof name !== 'string') return undefined;
  return { id, name, peerUrls, clientUrls, isLearner: parsed.isLearner === true };
}

/** Undefined unless it is lower-case hexadecimal, as {@link formatId} gives it. */
export function parseHexId(text: string): MemberId | undefined {
  if (!/^[0-9a-f]{1,16}$/.test(text)) return undefined;
  const id = BigInt(`0x${text}`);
  return formatId(id) === text ? id : undefined;
}

/** The object, with every integer in it as the text of its digits. */
function parseKeepingIntegers(text: string): Record<string, unknown> | undefined {
  // A string is matched whole, so that digits inside it are left alone.
  const quoted = text.replace(/"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*/g, (token) =>
    /^\d+$/.test(token) ? `"${token}"` : token,
  );
  try {
    const parsed: unknown = JSON.parse(quoted);
    return isObject(parsed) ? parsed : undefined;
  } catch {
    // Malformed text is an expected answer here, not a failure of this program.
    return undefined;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Go writes a missing list as null or not at all. */
function textList(value: unknown): string[] | undefined {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string') ? value : undefined;
}

function idList(value: unknown): bigint[] | undefined {
  const digits = textList(value);
  if (digits === undefined || !digits.every((item) => /^\d{1,20}$/.test(item))) return undefined;
  return digits.map((item) => BigInt.asUintN(64, BigInt(item)));
}
