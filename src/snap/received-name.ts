import type { SnapshotMeta } from '../raft/message.ts';

/** File name, beside the checkpoint, of a snapshot on its way in; etcd's ends alike. */
export function receivedName({ index, term }: Pick<SnapshotMeta, 'index' | 'term'>): string {
  return `${index.toString(16).padStart(16, '0')}-${term.toString(16)}${RECEIVED_SUFFIX}`;
}

export const RECEIVED_SUFFIX = '.snap.db';
