import { assertNever } from '../lib/assert.ts';
import { formatId, type Revision } from '../lib/ids.ts';
import { utf8Encode } from '../lib/utf8.ts';
import { encodeKeyValue } from '../wire/key-value.ts';
import type { CheckpointImage, RevisionRecord } from './checkpoint-image.ts';
import { encodeBigEndian, getBigEndian, setBigEndian } from './number-keys.ts';
import { alarmItems, authItems, leaseItems, roleItems, userItems } from './state-buckets.ts';
import { encodeConfStateJson, encodeMemberJson } from './stored-json.ts';

/**
 * What etcd keeps in which bucket, in bytes (numbers in keys and values are big-endian, so that
 * they sort):
 *
 *     key              revision: {main u64, "_", sub u64, "t" if a tombstone} → mvccpb.KeyValue
 *     meta             consistent_index, term → u64; confState → JSON; storageVersion → text;
 *                      scheduledCompactRev, finishedCompactRev → revision
 *     members          id in hex → JSON; members_removed: id in hex → "removed"
 *     cluster          clusterVersion → text, downgrade → JSON
 *     lease alarm auth authUsers authRoles: see state-buckets.ts
 */
export const BUCKET_NAMES = [
  'alarm',
  'auth',
  'authRoles',
  'authUsers',
  'cluster',
  'key',
  'lease',
  'members',
  'members_removed',
  'meta',
] as const;

export type BucketName = (typeof BUCKET_NAMES)[number];
export type BucketItem = readonly [key: Uint8Array, value: Uint8Array];

export const META_KEY = {
  confState: 'confState',
  index: 'consistent_index',
  finishedCompaction: 'finishedCompactRev',
  scheduledCompaction: 'scheduledCompactRev',
  storageVersion: 'storageVersion',
  term: 'term',
} as const;
export const CLUSTER_VERSION_KEY = 'clusterVersion';
export const DOWNGRADE_KEY = 'downgrade';

/** The bucket's items in ascending order of their keys. */
export function bucketItems(name: BucketName, image: CheckpointImage): Iterable<BucketItem> {
  switch (name) {
    case 'key':
      return revisionItems(image.revisions());
    case 'meta':
      return metaItems(image);
    case 'members': {
      const members = image.members.map((member) => {
        return [formatId(member.id), utf8Encode(encodeMemberJson(member))] as const;
      });
      return inKeyOrder(members);
    }
    case 'members_removed':
      return inKeyOrder(image.removedMembers.map((id) => [formatId(id), utf8Encode('removed')]));
    case 'cluster':
      return inKeyOrder(clusterItems(image));
    case 'lease':
      return leaseItems(image.leases);
    case 'alarm':
      return alarmItems(image.alarms);
    case 'auth':
      return authItems(image.auth);
    case 'authUsers':
      return userItems(image.auth.users);
    case 'authRoles':
      return roleItems(image.auth.roles);
    default:
      return assertNever(name);
  }
}

/** Key of a revision in the `key` bucket; without the mark, also what compaction is noted as. */
export function encodeRevisionKey(main: Revision, sub: number, tombstone: boolean): Uint8Array {
  const key = new Uint8Array(tombstone ? REVISION_BYTES + 1 : REVISION_BYTES);
  setBigEndian(key, 0, main);
  key[8] = UNDERSCORE;
  setBigEndian(key, 9, sub);
  if (tombstone) key[REVISION_BYTES] = TOMBSTONE_MARK;
  return key;
}

/** Undefined if the bytes are no such key. */
export function decodeRevisionKey(
  key: Uint8Array,
): Pick<RevisionRecord, 'main' | 'sub' | 'tombstone'> | undefined {
  const tombstone = key.length === REVISION_BYTES + 1 && key[REVISION_BYTES] === TOMBSTONE_MARK;
  if ((key.length !== REVISION_BYTES && !tombstone) || key[8] !== UNDERSCORE) return undefined;
  const main = getBigEndian(key, 0);
  const sub = getBigEndian(key, 9);
  return Number.isSafeInteger(main) && Number.isSafeInteger(sub)
    ? { main, sub, tombstone }
    : undefined;
}

function* revisionItems(records: Iterable<RevisionRecord>): Generator<BucketItem> {
  for (const { main, sub, tombstone, keyValue } of records) {
    const kept = tombstone ? { ...TOMBSTONE, key: keyValue.key } : keyValue;
    yield [encodeRevisionKey(main, sub, tombstone), encodeKeyValue(kept)];
  }
}

function clusterItems({ clusterVersion, downgradeTo }: CheckpointImage): [string, Uint8Array][] {
  const items: [string, Uint8Array][] = [];
  if (clusterVersion !== '') items.push([CLUSTER_VERSION_KEY, utf8Encode(clusterVersion)]);
  if (downgradeTo !== undefined) {
    const json = JSON.stringify({ 'target-version': downgradeTo, enabled: true });
    items.push([DOWNGRADE_KEY, utf8Encode(json)]);
  }
  return items;
}

function metaItems(image: CheckpointImage): BucketItem[] {
  const items: [string, Uint8Array][] = [
    [META_KEY.confState, utf8Encode(encodeConfStateJson(image.confState))],
    [META_KEY.index, encodeBigEndian(image.index)],
    [META_KEY.storageVersion, utf8Encode(image.storageVersion)],
    [META_KEY.term, encodeBigEndian(image.term)],
  ];
  if (image.compactRevision > 0) {
    const compacted = encodeRevisionKey(image.compactRevision, 0, false);
    items.push([META_KEY.finishedCompaction, compacted]);
    items.push([META_KEY.scheduledCompaction, compacted]);
  }
  return inKeyOrder(items);
}

/** For keys in ASCII, whose order as text is that of their bytes. */
function inKeyOrder(items: readonly (readonly [string, Uint8Array])[]): BucketItem[] {
  return [...items]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => [utf8Encode(key), value]);
}

const REVISION_BYTES = 17;
const UNDERSCORE = 0x5f;
const TOMBSTONE_MARK = 0x74;
const TOMBSTONE = {
  createRevision: 0,
  modRevision: 0,
  version: 0,
  value: new Uint8Array(0),
  lease: 0n,
} as const;
