import { utf8Encode } from '../../src/lib/utf8.ts';
import type { KeyValue } from '../../src/mvcc/request.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { CheckpointImage, RevisionRecord } from '../../src/snap/checkpoint-image.ts';

/** What the tests of checkpoints share. */
export const DIRECTORY = 'data/member/snap';

/** Above 2^53, where a rounded number would show. */
export const MEMBER_ID = 0xf000_0000_0000_0001n;

export function image(
  records: readonly RevisionRecord[],
  changes: Partial<CheckpointImage> = {},
): CheckpointImage {
  return {
    index: 77,
    term: 3,
    confState: simpleConf([0x2e12_59d4_15f2_a040n, MEMBER_ID], [5n]),
    compactRevision: 0,
    members: [
      {
        id: 5n,
        name: '',
        peerUrls: ['http://127.0.0.1:2'],
        clientUrls: [],
        isLearner: true,
      },
      {
        id: MEMBER_ID,
        name: 'one "quoted" 18446744073709551615',
        peerUrls: ['http://127.0.0.1:1', 'http://[::1]:1'],
        clientUrls: ['http://127.0.0.1:3'],
        isLearner: false,
      },
    ],
    removedMembers: [9n, 0xffff_ffff_ffff_fff7n],
    leases: [],
    alarms: [],
    auth: { enabled: false, revision: 0, users: [], roles: [] },
    clusterVersion: '3.6.0',
    downgradeTo: undefined,
    storageVersion: '3.6.0',
    revisions: () => records,
    ...changes,
  };
}

export function put(
  main: number,
  key: string,
  value: string | Uint8Array,
  sub = 0,
): RevisionRecord {
  const keyValue: KeyValue = {
    key: utf8Encode(key),
    createRevision: main,
    modRevision: main,
    version: 1,
    value: typeof value === 'string' ? utf8Encode(value) : value,
    lease: 0n,
  };
  return { main, sub, tombstone: false, keyValue };
}

export function tombstone(main: number, key: string, sub = 0): RevisionRecord {
  const nothing = {
    createRevision: 0,
    modRevision: 0,
    version: 0,
    value: new Uint8Array(0),
    lease: 0n,
  };
  return { main, sub, tombstone: true, keyValue: { key: utf8Encode(key), ...nothing } };
}

export function puts(count: number, valueBytes = 20): RevisionRecord[] {
  const value = 'v'.repeat(valueBytes);
  return Array.from({ length: count }, (_, i) => put(i + 2, `key/${i}`, value));
}
