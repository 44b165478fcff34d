/** Who is dialling: read from the first bytes of a peer connection. */

import type { PeerProtocol } from './messages.ts';

export type Identity =
  /** More bytes may tell. */
  | { readonly kind: 'incomplete' }
  | { readonly kind: 'member'; readonly id: string }
  /** These bytes do not say. */
  | { readonly kind: 'anonymous' };

export type Identify = (opening: Buffer) => Identity;

/** Openings longer than this are not waited for: anonymous. */
const OPENING_BYTES_MAX = 8192;
const HANDSHAKE_BYTES_MAX = 128;
const HANDSHAKE_START = 'STORMRAFT/1 ';

export function identifierOf(protocol: PeerProtocol): Identify {
  if (protocol === 'tls') return () => ({ kind: 'anonymous' });
  return protocol === 'etcd' ? identifyEtcd : identifyStormraft;
}

/**
 * etcd's peers speak HTTP/1.1. Raft streams and posts carry `X-Server-From: <member id>`; probes
 * and version requests do not, and share connections with posts.
 */
export function identifyEtcd(opening: Buffer): Identity {
  const text = opening.toString('latin1');
  const end = text.indexOf('\r\n\r\n');
  if (end === -1 && opening.length < OPENING_BYTES_MAX) return { kind: 'incomplete' };
  const [, id] = /^x-server-from:[ \t]*([0-9a-f]{1,16})[ \t]*\r?$/im.exec(text.slice(0, end)) ?? [];
  return id === undefined ? { kind: 'anonymous' } : { kind: 'member', id: normaliseId(id) };
}

/** Ours start with one line: `STORMRAFT/1 <cluster id> <from id> <to id> <lane>`. */
export function identifyStormraft(opening: Buffer): Identity {
  const text = opening.subarray(0, HANDSHAKE_BYTES_MAX).toString('latin1');
  const end = text.indexOf('\n');
  if (end === -1) {
    const start = HANDSHAKE_START.slice(0, text.length);
    const more = text.startsWith(start) && text.length < HANDSHAKE_BYTES_MAX;
    return { kind: more ? 'incomplete' : 'anonymous' };
  }
  const [, id] = /^STORMRAFT\/1 [0-9a-f]+ ([0-9a-f]{1,16}) /i.exec(text.slice(0, end)) ?? [];
  return id === undefined ? { kind: 'anonymous' } : { kind: 'member', id: normaliseId(id) };
}

function normaliseId(hex: string): string {
  return BigInt(`0x${hex}`).toString(16);
}
