import { createHash } from 'node:crypto';
import type { ClusterId, MemberId } from '../lib/ids.ts';

/**
 * Ids as etcd derives them: the first eight bytes, big-endian, of a SHA-1. A member's is over
 * its sorted peer URLs and the cluster token, a cluster's over its sorted member ids.
 */
export function memberIdOf(peerUrls: readonly string[], clusterToken: string): MemberId {
  const hash = createHash('sha1');
  for (const url of [...peerUrls].sort()) hash.update(url);
  return hash.update(clusterToken).digest().readBigUInt64BE(0);
}

export function clusterIdOf(memberIds: readonly MemberId[]): ClusterId {
  const hash = createHash('sha1');
  for (const id of [...memberIds].sort((a, b) => (a < b ? -1 : 1))) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64BE(id);
    hash.update(bytes);
  }
  return hash.digest().readBigUInt64BE(0);
}
