import type { MemberId } from '../lib/ids.ts';
import { utf8Decode, utf8Encode } from '../lib/utf8.ts';

/**
 * The context of a configuration change: etcd's JSON of the member. The id is a bare 64-bit
 * number there, which JSON.parse would round, so it is written by hand and read from the
 * change itself instead.
 */
export interface MemberContext {
  /** Empty for a member that has not started. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly isLearner?: boolean;
  /** A learner of this id becomes a voter; name and URLs say nothing. */
  readonly isPromote?: boolean;
}

export function encodeMemberContext(id: MemberId, context: MemberContext): Uint8Array {
  const name = context.name === '' ? '' : `,"name":${JSON.stringify(context.name)}`;
  const learner = context.isLearner === true ? ',"isLearner":true' : '';
  const promote = context.isPromote === true ? ',"isPromote":true' : '';
  const urls = JSON.stringify(context.peerUrls);
  return utf8Encode(`{"id":${id},"peerURLs":${urls}${name}${learner}${promote}}`);
}

/** A context without the fields, or no JSON at all, describes a member without name and URLs. */
export function decodeMemberContext(bytes: Uint8Array): Required<MemberContext> {
  const parsed = parse(utf8Decode(bytes));
  const peerUrls = Array.isArray(parsed.peerURLs) ? parsed.peerURLs : [];
  return {
    name: typeof parsed.name === 'string' ? parsed.name : '',
    peerUrls: peerUrls.filter((url) => typeof url === 'string'),
    isLearner: parsed.isLearner === true,
    isPromote: parsed.isPromote === true,
  };
}

function parse(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // The change itself (id and type) is still right; only the description is lost.
    return {};
  }
}
