import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeDisk } from '../../src/host/node-disk.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import { readCheckpoint } from '../../src/snap/read-checkpoint.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { etcdctl, isMissing, withEtcd } from '../support/stock-etcd.ts';
import { image, put, puts, tombstone } from './checkpoint-fixture.ts';

const MISSING = isMissing('etcd') || isMissing('etcdctl');

describe.skipIf(MISSING)('our checkpoint, in the hands of the stock tools', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'our-checkpoint-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test.each([
    ['empty', []],
    ['small', [put(2, 'a', 'x'), put(3, 'b', 'y'), tombstone(4, 'a')]],
    ['large', [...puts(10_000), put(20_000, 'big', 'x'.repeat(100_000))]],
  ])('passes `snapshot status`: %s', async (name, records) => {
    const target = path.join(directory, `status-${name}`);
    await mkdir(target);
    const { sizeBytes } = await writeCheckpoint(new NodeDisk(), target, image(records));
    const status: unknown = JSON.parse(
      await etcdctl('snapshot', 'status', path.join(target, 'db'), '-w', 'json'),
    );
    // The count takes in every bucket: meta 4, members 2, removed 2, cluster 1, auth 2.
    expect(status).toMatchObject({
      revision: records.at(-1)?.main ?? 0,
      totalKey: records.length + 11,
      totalSize: sizeBytes,
    });
  });

  test('is restored, and etcd serves, compacts and defragments it', async () => {
    const target = path.join(directory, 'restore');
    await mkdir(target);
    const records = [...puts(3000), tombstone(3002, 'key/7'), put(3003, 'big', 'x'.repeat(50_000))];
    await writeCheckpoint(new NodeDisk(), target, image(records, { compactRevision: 100 }));
    const data = path.join(directory, 'restored');
    const restore = ['snapshot', 'restore', path.join(target, 'db'), '--data-dir', data];
    await etcdctl(...restore, '--skip-hash-check=true');
    const serve = async (endpoint: string): Promise<void> => {
      const ask = (...args: string[]): Promise<string> => etcdctl('--endpoints', endpoint, ...args);
      const get = (...args: string[]): Promise<string> => ask('get', '--print-value-only', ...args);
      expect(await get('key/2999')).toBe('v'.repeat(20));
      expect(await get('key/7')).toBe('');
      expect(await get('key/7', '--rev', '3001')).toBe('v'.repeat(20));
      expect((await get('big')).length).toBe(50_000);
      await expect(get('key/7', '--rev', '99')).rejects.toThrow('compacted');
      await ask('compact', '3000', '--physical');
      await ask('defrag');
      expect(await get('key/0')).toBe('v'.repeat(20));
    };
    await withEtcd(data, serve, { isRestored: true });
  });
});

describe.skipIf(MISSING)("etcd's database", () => {
  test('is read: its keys, deletions, compaction and members', async () => {
    const directory = await mkdtemp(path.join(tmpdir(), 'etcd-database-'));
    try {
      await withEtcd(path.join(directory, 'live'), async (endpoint) => {
        const ask = (...args: string[]): Promise<string> =>
          etcdctl('--endpoints', endpoint, ...args);
        for (const key of ['a', 'b', 'c', 'd']) await ask('put', key, `value of ${key}`);
        await ask('del', 'b');
        await ask('compact', '3');
        await ask('snapshot', 'save', path.join(directory, 'saved'));
      });
      await rename(path.join(directory, 'saved'), path.join(directory, 'db'));
      const read = await readCheckpoint(new NodeDisk(), directory);
      if (!read.ok || read.value === undefined) throw new Error('the snapshot was not read');
      expect(read.value).toMatchObject({ compactRevision: 3, leases: [], alarms: [] });
      expect(read.value.index).toBeGreaterThan(5);
      expect(read.value.members).toMatchObject([{ name: 'default', isLearner: false }]);
      const kept = [...read.value.revisions()].map(({ main, tombstone: isDeleted, keyValue }) => [
        main,
        isDeleted,
        utf8Decode(keyValue.key),
        utf8Decode(keyValue.value),
      ]);
      expect(kept.slice(-3)).toEqual([
        [4, false, 'c', 'value of c'],
        [5, false, 'd', 'value of d'],
        [6, true, 'b', ''],
      ]);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  });
});
