/** Whether these can be a member's peer URLs, by etcd's rules: scheme, host, port, and no path. */
export function arePeerUrls(urls: readonly string[]): boolean {
  return urls.length > 0 && urls.length <= URLS_MAX && urls.every((url) => PEER_URL.test(url));
}

const PEER_URL = /^https?:\/\/(\[[0-9a-fA-F:.]+\]|[^\s:/?#@]+):\d{1,5}\/?$/;
const URLS_MAX = 100;
