/** All that a store or a checkpoint holds, against the model. */
import { describe, expect, test } from 'vitest';
import { CheckpointAudit, checkpointIn } from '../../../harness/sim/checkpoint-audit.ts';
import type { SimNode } from '../../../harness/sim/node.ts';
import { Oracle } from '../../../harness/sim/oracle/oracle.ts';
import { deleteRangeRequest, putRequest } from '../../../src/client/requests.ts';
import type { StoredRevision } from '../../../src/mvcc/revision-record.ts';
import { Store } from '../../../src/mvcc/store.ts';
import type { CheckpointImage } from '../../../src/snap/checkpoint-image.ts';
import { writeCheckpoint } from '../../../src/snap/write-checkpoint.ts';
import { MemoryDisk } from '../../support/memory-disk.ts';
import { altered, applyTo, entryOf, type Write } from './committed.ts';

const put = (key: string, value: string): Write => ({
  type: 'put',
  request: putRequest({ key, value }),
});
const remove = (key: string): Write => ({
  type: 'deleteRange',
  request: deleteRangeRequest({ key }),
});

/** a at 2, 3 and 6; b at 4, gone at 5. */
const WRITES = [put('a', '1'), put('a', '2'), put('b', '3'), remove('b'), put('a', '4')];

function pair(compactRevision = 0): { readonly oracle: Oracle; readonly store: Store } {
  const oracle = new Oracle();
  const store = new Store();
  for (const [at, write] of WRITES.entries()) {
    oracle.commit(entryOf(at + 1, write));
    applyTo(store, write);
  }
  if (compactRevision > 0) {
    const request = { type: 'compaction', revision: compactRevision, physical: false } as const;
    oracle.commit(entryOf(oracle.committed + 1, request));
    store.compact(compactRevision);
    while (store.compactStep(1));
  }
  return { oracle, store };
}

type Change = (rows: readonly StoredRevision[]) => readonly StoredRevision[];

const WRONG: readonly (readonly [string, Change])[] = [
  ['lacks a row', (rows) => rows.slice(1)],
  ['lacks the last row', (rows) => rows.slice(0, -1)],
  [
    'has another value',
    ([first, ...rest]) => [
      { ...first!, keyValue: { ...first!.keyValue, value: Uint8Array.of(1) } },
      ...rest,
    ],
  ],
  [
    'counts versions otherwise',
    ([first, ...rest]) => [{ ...first!, keyValue: { ...first!.keyValue, version: 9 } }, ...rest],
  ],
];

describe('the rows of a store', () => {
  test.each([0, 2, 3, 4, 5, 6])('are those of the model, compacted at %i', (compactRevision) => {
    const { oracle, store } = pair(compactRevision);
    expect(oracle.compareRows(oracle.committed, store)).toBeUndefined();
  });

  test('are told that are missing: a deletion at the compacted revision too', () => {
    const { oracle, store } = pair(5);
    const without = altered(store, (rows) => rows.filter(({ tombstone }) => !tombstone));
    expect(oracle.compareRows(oracle.committed, without)).toContain('5/0 delete "b"');
  });

  test.each(WRONG)('are found wrong in one that %s', (_, change) => {
    const { oracle, store } = pair(3);
    expect(oracle.compareRows(oracle.committed, altered(store, change))).toContain('the model');
  });
});

describe('a checkpoint', () => {
  function imageOf(store: Store, index: number, change: Change = (rows) => rows): CheckpointImage {
    const image = store.image();
    const rows = change([...image.revisions()]);
    const { compactRevision } = image;
    image.release();
    return {
      index,
      term: 1,
      confState: {
        voters: [],
        learners: [],
        votersOutgoing: [],
        learnersNext: [],
        autoLeave: false,
      },
      compactRevision,
      members: [],
      removedMembers: [],
      leases: [],
      alarms: [],
      auth: { enabled: false, revision: 1, users: [], roles: [] },
      clusterVersion: '',
      downgradeTo: undefined,
      storageVersion: '3.6.0',
      revisions: () => rows,
    };
  }

  async function fileOf(image: CheckpointImage): Promise<Uint8Array> {
    const disk = new MemoryDisk();
    await disk.makeDirectory('/snap');
    await writeCheckpoint(disk, '/snap', image, { chunkBytes: 4_096 });
    return disk.read('/snap/db');
  }

  async function judge(oracle: Oracle, image: CheckpointImage): Promise<string | undefined> {
    const found = await checkpointIn(await fileOf(image));
    return typeof found === 'string' ? found : oracle.compareCheckpoint(found);
  }

  test('says what the log decided', async () => {
    const { oracle, store } = pair(4);
    expect(await judge(oracle, imageOf(store, oracle.committed))).toBeUndefined();
  });

  test.each(WRONG)('is found wrong if it %s', async (_, change) => {
    const { oracle, store } = pair(4);
    const image = imageOf(store, oracle.committed, change);
    expect(await judge(oracle, image)).toContain(`the checkpoint at index ${oracle.committed}`);
  });

  test('is found wrong in what is no key, in its index, and if it is none', async () => {
    const { oracle, store } = pair();
    oracle.commit(
      entryOf(6, {
        type: 'alarm',
        request: { action: 'activate', memberId: 1n, type: 'NOSPACE' },
      }),
    );
    const image = imageOf(store, 6);
    expect(await judge(oracle, image)).toContain('alarms: ; the model says 1 NOSPACE');
    const alarms = [{ memberId: 1n, type: 'NOSPACE' }] as const;
    expect(await judge(oracle, { ...image, alarms })).toBeUndefined();
    expect(await judge(oracle, { ...image, alarms, index: 7 })).toContain('6 are committed');
    expect(await judge(oracle, { ...image, alarms, compactRevision: 2 })).toContain(
      'compaction: 2',
    );
    expect(await checkpointIn(new Uint8Array(9_000))).toContain('cannot be read');
  });

  test('is looked into from time to time', async () => {
    const audit = new CheckpointAudit(pair().oracle);
    const node = {} as SimNode;
    let reads = 0;
    const read = (): Uint8Array => {
      reads += 1;
      return new Uint8Array(0);
    };
    for (let at = 0; at < 100; at++) await audit.written(node, read);
    expect(reads).toBeGreaterThan(10);
    expect(reads).toBeLessThanOrEqual(100);
  });
});
