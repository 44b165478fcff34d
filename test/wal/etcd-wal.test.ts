import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { NodeDisk } from '../../src/host/node-disk.ts';
import { utf8Decode } from '../../src/lib/utf8.ts';
import { decodeConfChange } from '../../src/wire/raft-records.ts';
import { etcdctl, isMissing, withEtcd } from '../support/stock-etcd.ts';
import { openWal } from './wal-fixture.ts';

describe.skipIf(isMissing('etcd') || isMissing('etcdctl'))('a log that real etcd wrote', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'etcd-wal-'));
    await withEtcd(path.join(directory, 'live'), async (endpoint) => {
      for (let i = 1; i <= 3; i++) await etcdctl('--endpoints', endpoint, 'put', `key${i}`, 'abc');
      const snapshot = path.join(directory, 'snapshot');
      await etcdctl('--endpoints', endpoint, 'snapshot', 'save', snapshot);
    });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  test('opens, goes on with our entries, and etcd takes it again', async () => {
    const options = { directory: path.join(directory, 'live/member/wal') };
    const { wal, recovered } = await openWal(new NodeDisk(), options);
    const { entries, hardState, metadata } = recovered;
    expect(recovered.repairedTornTailBytes).toBe(0);
    expect(entries.map((entry) => entry.index)).toEqual(entries.map((_, i) => i + 1));
    expect(hardState.commit).toBeLessThanOrEqual(entries.length);
    expect(hardState.vote).toBe(metadata.memberId);
    const change = decodeConfChange(entries[0]!.data);
    expect(change).toMatchObject({
      ok: true,
      value: { type: 'addNode', nodeId: metadata.memberId },
    });
    const text = entries.map((entry) => utf8Decode(entry.data)).join();
    for (let i = 1; i <= 3; i++) expect(text).toContain(`key${i}`);

    const next = { ...entries.at(-1)!, index: entries.length + 1, term: hardState.term };
    await wal.append({ entries: [next], hardState: undefined });
    await wal.close();
    const again = await openWal(new NodeDisk(), options);
    expect(again.recovered.entries).toEqual([...entries, next]);
    await again.wal.close();

    await withEtcd(path.join(directory, 'live'), async (endpoint) => {
      const value = await etcdctl('--endpoints', endpoint, 'get', '--print-value-only', 'key2');
      expect(value).toBe('abc');
    });
  });

  test('of a restored snapshot opens', async () => {
    const restored = path.join(directory, 'restored');
    const snapshot = path.join(directory, 'snapshot');
    await etcdctl('snapshot', 'restore', snapshot, '--data-dir', restored);
    const options = { directory: path.join(restored, 'member/wal') };
    const { wal, recovered } = await openWal(new NodeDisk(), options);
    expect(recovered.hardState).toEqual({ term: 1, vote: recovered.metadata.memberId, commit: 1 });
    expect(recovered.entries.map(({ type, index, term }) => [type, index, term])).toEqual([
      ['confChange', 1, 1],
    ]);
    expect(recovered.snapshots).toEqual([{ index: 1, term: 1, confState: undefined }]);
    await wal.close();
  });
});
