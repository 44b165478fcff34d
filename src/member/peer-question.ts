import type { LeaseId, MemberId, Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode, utf8Encode } from '../lib/utf8.ts';
import type { MemberError } from './failure.ts';

/**
 * What one member asks another outside of consensus, and gets one answer to or none: what etcd's
 * members ask over HTTP on their peer ports. As JSON; 64-bit ids are hexadecimal text, bytes are
 * arrays of numbers. Not trusted: an answer that does not parse is no answer.
 */
export type PeerQuestion =
  /** Of the leader: keep the lease alive. */
  | { readonly type: 'leaseRenew'; readonly id: LeaseId }
  /** Of the leader, who alone knows what remains. */
  | { readonly type: 'leaseTimeToLive'; readonly id: LeaseId }
  /** Of the leader, who alone knows how far the learner is. */
  | { readonly type: 'promote'; readonly member: MemberId }
  | { readonly type: 'hashKv'; readonly revision: Revision };

export type PeerAnswer =
  /** `ttlS` 0: no such lease. */
  | { readonly type: 'leaseRenewed'; readonly ttlS: number }
  /** `ttlS` -1: no such lease. */
  | { readonly type: 'leaseTimes'; readonly ttlS: number; readonly grantedTtlS: number }
  | { readonly type: 'promoted' }
  | {
      readonly type: 'hash';
      readonly hash: number;
      /** -1: never compacted. */
      readonly compactRevision: Revision;
      readonly hashRevision: Revision;
    }
  /** In the words of the service that refused; see service/errors.ts. */
  | { readonly type: 'refused'; readonly failure: string };

/** `noAnswer`: the peer is away, too slow, or does not understand. */
export type AskError = MemberError | 'noAnswer';

export function encodePeerValue(value: PeerQuestion | PeerAnswer): Uint8Array {
  return utf8Encode(
    JSON.stringify(value, (_, field: unknown) =>
      typeof field === 'bigint' ? `0x${field.toString(16)}` : field,
    ),
  );
}

export function decodePeerQuestion(bytes: Uint8Array): Result<PeerQuestion, 'malformed'> {
  const fields = parse(bytes);
  switch (fields.type) {
    case 'leaseRenew':
    case 'leaseTimeToLive':
      return isId(fields.id) ? ok({ type: fields.type, id: BigInt(fields.id) }) : MALFORMED;
    case 'promote':
      return isId(fields.member)
        ? ok({ type: 'promote', member: BigInt(fields.member) })
        : MALFORMED;
    case 'hashKv':
      return isCount(fields.revision)
        ? ok({ type: 'hashKv', revision: fields.revision })
        : MALFORMED;
    default:
      return MALFORMED;
  }
}

export function decodePeerAnswer(bytes: Uint8Array): Result<PeerAnswer, 'malformed'> {
  const fields = parse(bytes);
  const { type, ttlS, grantedTtlS, hash, compactRevision, hashRevision, failure } = fields;
  switch (type) {
    case 'leaseRenewed':
      return isNumber(ttlS) ? ok({ type, ttlS }) : MALFORMED;
    case 'leaseTimes':
      return isNumber(ttlS) && isNumber(grantedTtlS) ? ok({ type, ttlS, grantedTtlS }) : MALFORMED;
    case 'promoted':
      return ok({ type });
    case 'hash':
      return isCount(hash) && isNumber(compactRevision) && isCount(hashRevision)
        ? ok({ type, hash, compactRevision, hashRevision })
        : MALFORMED;
    case 'refused':
      return typeof failure === 'string' ? ok({ type, failure }) : MALFORMED;
    default:
      return MALFORMED;
  }
}

const MALFORMED = err('malformed' as const);

function parse(bytes: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(utf8Decode(bytes));
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    // Whoever sent it speaks another language; the caller answers or gives up.
    return {};
  }
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^0x[0-9a-f]{1,16}$/.test(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value);
}

function isCount(value: unknown): value is number {
  return isNumber(value) && value >= 0;
}
