import { BlockList, isIP } from 'node:net';
import { dialAddressOf } from './urls.ts';

/** Addresses that other machines cannot answer to. */
const UNUSABLE = new BlockList();
UNUSABLE.addSubnet('127.0.0.0', 8, 'ipv4');
UNUSABLE.addAddress('0.0.0.0', 'ipv4');
UNUSABLE.addAddress('::1', 'ipv6');
UNUSABLE.addAddress('::', 'ipv6');

/**
 * Gate SetMemberLocalAddr: the address that connections to peers come from, so that their
 * certificates of clients fit. The first of this member's own peer URLs that names one, as in
 * etcd; undefined: none does, and the system chooses.
 */
export function localAddressOf(peerUrls: readonly string[]): string | undefined {
  return peerUrls
    .map((url) => dialAddressOf([url])?.host ?? '')
    .find((host) => {
      const family = isIP(host);
      return family !== 0 && !UNUSABLE.check(host, family === 4 ? 'ipv4' : 'ipv6');
    });
}
