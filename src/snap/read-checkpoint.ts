import { assert } from '../lib/assert.ts';
import { EMPTY_BYTES } from '../lib/bytes.ts';
import { err, ok, type Result } from '../lib/result.ts';
import { utf8Decode } from '../lib/utf8.ts';
import { type Disk, DiskError, type DiskFile } from '../ports/disk.ts';
import { CLUSTER_VERSION_KEY, DOWNGRADE_KEY } from './bucket-content.ts';
import { CHECKPOINT_NAME, type CheckpointError } from './checkpoint-error.ts';
import type { CheckpointMember, CheckpointState, RevisionRecord } from './checkpoint-image.ts';
import { type CheckpointMetaBucket, decodeMetaBucket } from './meta-bucket.ts';
import { readPageHeader } from './page.ts';
import { MemoryPages, readPieces } from './page-source.ts';
import { RowReader } from './row-reader.ts';
import { decodeAlarms, decodeAuth, decodeLeases } from './state-buckets.ts';
import { decodeMemberJson, parseHexId } from './stored-json.ts';
import { Bucket, chooseMeta, META_HEAD_BYTES, readBuckets } from './tree-reader.ts';

/**
 * A checkpoint read into memory and checked in full. Files of etcd 3.4 have no term and no
 * conf state: then `term` is 0 and `confState` empty, and the log's entries and snapshot
 * records up to `index` say what they are.
 */
export interface Checkpoint extends CheckpointState {
  /**
   * Ascending by (main, sub); keys and values are views into the file, which stays in memory.
   * None once they were taken.
   */
  revisions(): Iterable<RevisionRecord>;
  /** The same once, giving the file's memory back while they are read. */
  takeRevisions(): Iterable<RevisionRecord>;
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
  file: Pick<DiskFile, 'size' | 'readAt'>,
  path: string,
): Promise<Result<Checkpoint, CheckpointError>> {
  const sizeBytes = await file.size();
  if (sizeBytes > CHECKPOINT_BYTES_MAX) return corrupt(path, `${sizeBytes} bytes are too many`);
  const decoded = decodeDatabase(await readPieces(file, sizeBytes));
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

function decodeDatabase(pieces: readonly Uint8Array[]): Result<Checkpoint, string> {
  const meta = chooseMeta((pieces[0] ?? EMPTY_BYTES).subarray(0, META_HEAD_BYTES));
  if (meta === undefined) return err('neither meta page is intact');
  const read = readBuckets(new MemoryPages(pieces, meta), meta.root);
  if (!read.ok) return read;
  const buckets = new Map(read.value.map(({ name, bucket }) => [utf8Decode(name), bucket]));
  const get = (name: string): Bucket => buckets.get(name) ?? new Bucket([]);
  const state = decodeMetaBucket(get('meta'));
  if (!state.ok) return state;
  const members = decodeMembers(get('members'));
  const removedMembers = decodeRemoved(get('members_removed'));
  if (members === undefined) return err('a member is malformed');
  if (removedMembers === undefined) return err('a removed member is malformed');
  const leases = decodeLeases(get('lease').items());
  const alarms = decodeAlarms(get('alarm').items());
  if (leases === undefined) return err('a lease is malformed');
  if (alarms === undefined) return err('an alarm is malformed');
  const auth = decodeAuth({
    auth: get('auth').items(),
    users: get('authUsers').items(),
    roles: get('authRoles').items(),
  });
  if (!auth.ok) return auth;
  const revisions = get('key');
  const problem = checkRevisions(revisions, state.value);
  if (problem !== undefined) return err(problem);
  return ok({
    ...state.value,
    members,
    removedMembers,
    clusterVersion: utf8Decode(get('cluster').get(CLUSTER_VERSION_KEY) ?? new Uint8Array(0)),
    downgradeTo: decodeDowngrade(get('cluster').get(DOWNGRADE_KEY)),
    leases,
    alarms,
    auth: auth.value,
    sizeBytes: pieces.reduce((sum, { length }) => sum + length, 0),
    revisions: () => revisionsOf([...revisions.leaves]),
    takeRevisions: () => revisionsOf(revisions.takeLeaves()),
  });
}

/** Every row is read once here, so that {@link revisionsOf} cannot meet a bad one. */
function checkRevisions(bucket: Bucket, state: CheckpointMetaBucket): string | undefined {
  const row = new RowReader();
  for (const leaf of bucket.leaves) {
    const { count } = readPageHeader(leaf);
    for (let position = 0; position < count; position++) {
      const problem = row.read(leaf, position);
      if (problem !== undefined) return problem;
    }
  }
  if (row.main > 0 && state.index === 0) return 'revisions, but no entry applied';
  return undefined;
}

/** Keeps no leaf longer than needed: the array is used up. */
function* revisionsOf(leaves: Uint8Array[]): Generator<RevisionRecord> {
  const row = new RowReader();
  for (let at = 0; at < leaves.length; at++) {
    const leaf = leaves[at]!;
    const { count } = readPageHeader(leaf);
    for (let position = 0; position < count; position++) {
      const problem = row.read(leaf, position);
      assert(problem === undefined, 'revisions were checked');
      yield row.record();
    }
    leaves[at] = EMPTY_BYTES;
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

/** {"target-version":"3.5.0","enabled":true}; anything else is no downgrade. */
function decodeDowngrade(bytes: Uint8Array | undefined): string | undefined {
  const match = /"target-version":"([0-9.]+)"/.exec(utf8Decode(bytes ?? new Uint8Array(0)));
  const isEnabled = utf8Decode(bytes ?? new Uint8Array(0)).includes('"enabled":true');
  return isEnabled ? match?.[1] : undefined;
}

function corrupt(file: string, reason: string): Result<never, CheckpointError> {
  return err({ kind: 'corrupt', file, reason });
}

/** The largest database etcd recommends; the whole file is read into memory. */
const CHECKPOINT_BYTES_MAX = 8 * 1024 * 1024 * 1024;
