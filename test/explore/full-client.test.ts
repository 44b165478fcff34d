/** The workloads' clients over a real etcd, if there is one: every call, and logging in. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { connectFully } from '../../harness/explore/full-client.ts';
import { RunAudit } from '../../harness/explore/run-audit.ts';
import { putRequest, rangeRequest } from '../../src/client/requests.ts';
import { EMPTY_BYTES } from '../../src/lib/bytes.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type { AuthChange } from '../../workloads/full-client.ts';
import { openApi } from '../api/api-fixture.ts';
import { expectErr, expectOk } from '../client/expect-result.ts';
import { isMissing, withEtcd } from '../support/stock-etcd.ts';

const SOON = { timeoutMs: 5_000 };
const bytes = utf8Encode;

async function onEtcd(use: (endpoint: string) => Promise<void>): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), 'explore-'));
  try {
    await withEtcd(join(directory, 'data'), use);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

test('keys, against our front end', async () => {
  await using fixture = await openApi();
  const client = connectFully(fixture.endpoint);
  expectOk(await client.put(putRequest({ key: 'a', value: '1' }), SOON));
  const read = expectOk(await client.range(rangeRequest({ key: 'a' }), SOON));
  expect(read.header.revision).toBe(2);
  expect(utf8Decode(read.result.kvs[0]!.value)).toBe('1');
  client.close();
});

describe.skipIf(isMissing('etcd'))('against etcd', () => {
  test('leases, locks, elections, upkeep and alarms', async () => {
    await onEtcd(async (endpoint) => {
      const client = connectFully(endpoint);
      const { id } = expectOk(await client.leaseGrant(60, SOON)).result;
      expect(expectOk(await client.leaseKeepAlive(id, SOON)).result.ttlS).toBe(60);
      const held = expectOk(await client.lock({ name: bytes('l'), lease: id }, SOON));
      const times = expectOk(await client.leaseTimeToLive(id, SOON));
      expect(times.result.keys.map(utf8Decode)).toEqual([utf8Decode(held.result.key)]);
      expectOk(await client.unlock(held.result.key, SOON));

      const name = bytes('e');
      const elected = expectOk(await client.campaign({ name, lease: id, value: bytes('v') }, SOON));
      const seen = expectOk(await client.observe(name, 1, SOON));
      expect(utf8Decode(seen.result[0]!.leader.value)).toBe('v');
      expectOk(await client.proclaim(elected.result.leader, bytes('w'), SOON));
      expect(utf8Decode(expectOk(await client.leader(name, SOON)).result.value)).toBe('w');
      expectOk(await client.resign(elected.result.leader, SOON));
      expectOk(await client.leaseRevoke(id, SOON));

      const { revision } = expectOk(await client.range(rangeRequest({ key: 'a' }), SOON)).header;
      expectOk(await client.hashKv(revision, SOON));
      expectOk(await client.compact({ revision, physical: true }, SOON));
      expect(expectOk(await client.snapshot(SOON)).result.sizeBytes).toBeGreaterThan(0);
      expectOk(await client.defragment(SOON));
      const alarms = await client.alarm({ action: 'list', memberId: 0n }, SOON);
      expect(expectOk(alarms).result.memberIds).toEqual([]);
      client.close();
    });
  });

  test('users log in by themselves, and what they may not do is refused', async () => {
    await onEtcd(async (endpoint) => {
      const client = new RunAudit(connectFully).connect(endpoint);
      const own = { key: bytes('own'), rangeEnd: EMPTY_BYTES };
      const changes: readonly AuthChange[] = [
        { type: 'userAdd', user: 'root' },
        { type: 'roleAdd', role: 'root' },
        { type: 'grantRole', user: 'root', role: 'root' },
        { type: 'userAdd', user: 'eve' },
        { type: 'roleAdd', role: 'some' },
        { type: 'grantRole', user: 'eve', role: 'some' },
        { type: 'grant', role: 'some', permission: 'readWrite', ...own },
        { type: 'enable' },
      ];
      for (const change of changes) expectOk(await client.changeAuth(change, SOON));
      // Root is asked for its name now.
      expectOk(await client.put(putRequest({ key: 'other', value: '1' }), SOON));
      const eve = client.as('eve');
      expectOk(await eve.put(putRequest({ key: 'own', value: '1' }), SOON));
      const refused = expectErr(await eve.range(rangeRequest({ key: 'other' }), SOON));
      expect(refused.message).toContain('permission denied');
      client.close();
    });
  });
});
