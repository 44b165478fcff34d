import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode } from '../lib/utf8.ts';
import { simpleConf } from '../raft/conf-state.ts';
import type { ConfState } from '../raft/message.ts';
import { decodeRevisionKey, META_KEY } from './bucket-content.ts';
import type { CheckpointState } from './checkpoint-image.ts';
import { decodeBigEndian } from './number-keys.ts';
import { decodeConfStateJson } from './stored-json.ts';
import type { Bucket } from './tree-reader.ts';

/** What the `meta` bucket says of a checkpoint. */
export type CheckpointMetaBucket = Pick<
  CheckpointState,
  'index' | 'term' | 'confState' | 'compactRevision' | 'storageVersion'
>;

/** A missing field is zero or empty, as etcd takes it; a malformed one is a sentence. */
export function decodeMetaBucket(bucket: Bucket): Result<CheckpointMetaBucket, string> {
  const index = decodeNumber(bucket, META_KEY.index);
  const term = decodeNumber(bucket, META_KEY.term);
  const confState = decodeConfState(bucket);
  // Scheduled and not finished: reads are refused from then on, the rest is a clean-up.
  const finished = decodeRevision(bucket, META_KEY.finishedCompaction);
  const scheduled = decodeRevision(bucket, META_KEY.scheduledCompaction);
  if (index === undefined) return err('consistent_index is malformed');
  if (term === undefined) return err('term is malformed');
  if (confState === undefined) return err('confState is malformed');
  if (finished === undefined || scheduled === undefined) return err('a compaction is malformed');
  const storageVersion = utf8Decode(bucket.get(META_KEY.storageVersion) ?? new Uint8Array(0));
  const compactRevision = Math.max(finished, scheduled);
  return ok({ index, term, confState, compactRevision, storageVersion });
}

function decodeNumber(bucket: Bucket, key: string): number | undefined {
  const bytes = bucket.get(key);
  return bytes === undefined ? 0 : decodeBigEndian(bytes);
}

function decodeConfState(bucket: Bucket): ConfState | undefined {
  const bytes = bucket.get(META_KEY.confState);
  if (bytes === undefined) return simpleConf([]);
  return decodeConfStateJson(utf8Decode(bytes));
}

function decodeRevision(bucket: Bucket, key: string): Revision | undefined {
  const bytes = bucket.get(key);
  return bytes === undefined ? 0 : decodeRevisionKey(bytes)?.main;
}
