import { formatId, type MemberId } from '../lib/ids.ts';
import { confStateFault } from '../raft/conf-state.ts';
import type { ConfState } from '../raft/message.ts';
import type { CheckpointMember } from './checkpoint-image.ts';

/**
 * The two things etcd keeps as JSON. Their ids are 64-bit numbers without quotes, which
 * JSON.parse would round, so they are written and read around it.
 */

/**
 * {"voters":[..],"learners":[..],"voters_outgoing":[..],"learners_next":[..],"auto_leave":false};
 * an empty list is left out.
 */
export function encodeConfStateJson(state: ConfState): string {
  const lists: readonly (readonly [string, readonly MemberId[]])[] = [
    ['voters', state.voters],
    ['learners', state.learners],
    ['voters_outgoing', state.votersOutgoing],
    ['learners_next', state.learnersNext],
  ];
  const fields = lists
    .filter(([, ids]) => ids.length > 0)
    .map(([name, ids]) => `"${name}":[${ids.join(',')}]`);
  return `{${[...fields, `"auto_leave":${state.autoLeave}`].join(',')}}`;
}

/** Undefined if it is none, or one that cannot be. */
export function decodeConfStateJson(text: string): ConfState | undefined {
  const parsed = parseKeepingIntegers(text);
  if (parsed === undefined) return undefined;
  const voters = idList(parsed.voters);
  const learners = idList(parsed.learners);
  const votersOutgoing = idList(parsed.voters_outgoing);
  const learnersNext = idList(parsed.learners_next);
  const autoLeave = parsed.auto_leave ?? false;
  if (voters === undefined || learners === undefined || typeof autoLeave !== 'boolean') {
    return undefined;
  }
  if (votersOutgoing === undefined || learnersNext === undefined) return undefined;
  const state = { voters, learners, votersOutgoing, learnersNext, autoLeave };
  return confStateFault(state) === undefined ? state : undefined;
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
