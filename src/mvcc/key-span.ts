import { nameOf } from '../lib/key-name.ts';

/** What a request selects. `end` is exclusive; undefined means no upper bound. */
export type KeySpan =
  | { readonly type: 'point'; readonly name: string }
  | { readonly type: 'interval'; readonly from: string; readonly end: string | undefined };

/** etcd's range convention: empty end = the single key, one zero byte = every key from `key` on. */
export function spanOf(key: Uint8Array, rangeEnd: Uint8Array): KeySpan {
  const name = nameOf(key);
  if (rangeEnd.length === 0) return { type: 'point', name };
  const isOpen = rangeEnd.length === 1 && rangeEnd[0] === 0;
  return { type: 'interval', from: name, end: isOpen ? undefined : nameOf(rangeEnd) };
}
