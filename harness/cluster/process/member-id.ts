/** Member ids, as etcd derives them when a cluster is bootstrapped. */

import { createHash } from 'node:crypto';

/** SHA-1 of the peer URL and the cluster token, its first 8 bytes; hex without leading zeros. */
export function memberId(peerUrl: string, clusterToken: string): string {
  const digest = createHash('sha1').update(peerUrl).update(clusterToken).digest();
  return digest.readBigUInt64BE(0).toString(16);
}
