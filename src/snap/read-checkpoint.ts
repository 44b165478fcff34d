import { assert } from '../lib/assert.ts';
import type { Revision } from '../lib/ids.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode } from '../lib/utf8.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { decodeKeyValue } from '../wire/key-value.ts';
import { CLUSTER_VERSION_KEY, decodeRevisionKey } from './bucket-content.ts';
import { CHECKPOINT_NAME, type CheckpointError } from './checkpoint-error.ts';
import type { CheckpointMember, CheckpointState, RevisionRecord } from './checkpoint-image.ts';
import { type CheckpointMetaBucket, decodeMetaBucket } from './meta-bucket.ts';
import { MemoryPages } from './page-source.ts';
import { decodeMemberJson, parseHexId } from './stored-json.ts';
import { Bucket, chooseMeta, META_HEAD_BYTES, readBuckets } from './tree-reader.ts';

/**
 * A checkpoint read into memory and checked in full. Files of etcd 3.4 have no term and no
 * conf state: then `term` is 0 and `confState` empty, and the log's entries and snapshot
 * records up to `index` say what they are.
 */
export interface Checkpoint extends CheckpointState {
  /** Ascending by (main, sub); keys and values are views that keep the whole file in memory. */
  revisions(): Iterable<RevisionRecord>;
  /** Buckets with content that this program does not read: leases, alarms, auth. */
  readonly unreadBuckets: readonly string[];
  /** Of the file. */
  readonly sizeBytes: number;
}

/** The directory's checkpoint; undefined if there is none. Rejects with DiskError. */
export async function readCheckpoint(
  disk: Disk,
  directory: string,
): Promise<Result<Checkpoint | undefined, CheckpointError>> {
  const path = `${directory}/${CHECKPOINT_NAME}`;
  const file = await openIfThere(disk, path);
  if (file === undefined) return ok(undefined);
  try {
    return await readDatabase(file, path);
  } finally {
    await file.close();
  }
}

/** The checkpoint in an open file; `path` is for the error only. Rejects with DiskError. */
export async function readDatabase(
  file: DiskFile,
  path: string,
): Promise<Result<Checkpoint, CheckpointError>> {
  const sizeBytes = await file.size();
  if (sizeBytes > CHECKPOINT_BYTES_MAX) return corrupt(path, `${sizeBytes} bytes are too many`);
  const decoded = decodeDatabase(await file.readAt(0, sizeBytes));
  return decoded.ok ? decoded : corrupt(path, decoded.error);
}

/** Undefined if there is no such file. Rejects with DiskError. */
export async function openIfThere(disk: Disk, path: string): Promise<DiskFile | undefined> {
  try {
    return await disk.open(path, 'existing');
  } catch (error) {
    if (error instanceof DiskError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function decodeDatabase(bytes: Uint8Array): Result<Checkpoint, string> {
  const meta = chooseMeta(bytes.subarray(0, META_HEAD_BYTES));
  if (meta === undefined) return err('neither meta page is intact');
  const read = readBuckets(new MemoryPages(bytes, meta), meta.root);
  if (!read.ok) return read;
  const buckets = new Map(read.value.map(({ name, bucket }) => [utf8Decode(name), bucket]));
  const get = (name: string): Bucket => buckets.get(name) ?? new Bucket([]);
  const state = decodeMetaBucket(get('meta'));
  if (!state.ok) return state;
  const members = decodeMembers(get('members'));
  const removedMembers = decodeRemoved(get('members_removed'));
  if (members === undefined) return err('a member is malformed');
  if (removedMembers === undefined) return err('a removed member is malformed');
  const problem = checkRevisions(get('key'), state.value);
  if (problem !== undefined) return err(problem);
  return ok({
    ...state.value,
    members,
    removedMembers,
    clusterVersion: utf8Decode(get('cluster').get(CLUSTER_VERSION_KEY) ?? new Uint8Array(0)),
    unreadBuckets: UNREAD_BUCKETS.filter((name) => hasContent(name, get(name))),
    sizeBytes: bytes.length,
    revisions: () => revisionsOf(get('key')),
  });
}

/** Every record is decoded once here, so that {@link revisionsOf} cannot meet a bad one. */
function checkRevisions(bucket: Bucket, state: CheckpointMetaBucket): string | undefined {
  let last: Revision = 0;
  for (const { key, value } of bucket.items()) {
    const revision = decodeRevisionKey(key);
    if (revision === undefined) return 'a revision is malformed';
    const keyValue = decodeKeyValue(value);
    const at = `revision ${revision.main}_${revision.sub}`;
    if (!keyValue.ok) return `${at}: ${keyValue.error.reason}`;
    if (keyValue.value.key.length === 0) return `${at}: no key`;
    last = revision.main;
  }
  if (last > 0 && state.index === 0) return 'revisions, but no entry applied';
  return undefined;
}

function* revisionsOf(bucket: Bucket): Generator<RevisionRecord> {
  for (const { key, value } of bucket.items()) {
    const revision = decodeRevisionKey(key);
    const keyValue = decodeKeyValue(value);
    assert(revision !== undefined && keyValue.ok, 'revisions were checked');
    yield { ...revision, keyValue: keyValue.value };
  }
}

function decodeMembers(bucket: Bucket): CheckpointMember[] | undefined {
  const members: CheckpointMember[] = [];
  for (const { key, value } of bucket.items()) {
    const member = decodeMemberJson(utf8Decode(value));
    if (member === undefined || parseHexId(utf8Decode(key)) !== member.id) return undefined;
    members.push(member);
  }
  return members;
}

function decodeRemoved(bucket: Bucket): bigint[] | undefined {
  const removed: bigint[] = [];
  for (const { key } of bucket.items()) {
    const id = parseHexId(utf8Decode(key));
    if (id === undefined) return undefined;
    removed.push(id);
  }
  return removed;
}

function hasContent(name: string, bucket: Bucket): boolean {
  // Every etcd notes there whether auth is on, and the revision of its rules.
  if (name === 'auth') return bucket.get('authEnabled')?.[0] === 1;
  return !bucket.items().next().done;
}

function corrupt(file: string, reason: string): Result<never, CheckpointError> {
  return err({ kind: 'corrupt', file, reason });
}

const UNREAD_BUCKETS = ['lease', 'alarm', 'auth', 'authUsers', 'authRoles'] as const;
/** The largest database etcd recommends; the whole file is read into memory. */
const CHECKPOINT_BYTES_MAX = 8 * 1024 * 1024 * 1024;
