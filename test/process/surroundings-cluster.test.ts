/** Members over TLS whose certificates change, and members on disks in memory: real processes. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Cluster, ClusterConfig } from '../../harness/cluster/cluster.ts';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { openClient, openMemberProbe } from '../../harness/etcd-members.ts';
import { parseFsyncHistogram } from '../../harness/fsync-histogram.ts';
import { surroundingsOf } from '../../harness/surroundings.ts';
import type { EtcdClient } from '../../src/client/etcd-client.ts';
import { noDisk } from '../disk/launch.ts';

async function withCluster(
  more: Partial<ClusterConfig>,
  use: (cluster: Cluster, client: EtcdClient, runDirectory: string) => Promise<void>,
): Promise<void> {
  const runDirectory = mkdtempSync(join(tmpdir(), 'storm-surroundings-'));
  try {
    await using cluster = await openProcessCluster({
      runId: `surroundings-${process.pid}-${Object.keys(more).join('-')}`,
      memberCount: 1,
      heartbeatMs: 100,
      electionMs: 1000,
      runDirectory,
      target: { kind: 'stormraft', root: resolve(import.meta.dirname, '../..') },
      serverFlags: [],
      ...more,
    });
    const client = openClient(cluster.nodes[0]!);
    try {
      await until(async () => (await client.put({ key: 'a', value: '0' })).ok);
      await use(cluster, client, runDirectory);
    } finally {
      client.close();
    }
  } finally {
    rmSync(runDirectory, { recursive: true });
  }
}

/** The test's own limit ends the wait. */
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(100);
}

test('over TLS, a replaced certificate is shown, and cuts still find who dials', async () => {
  await withCluster(
    { tls: true, memberCount: 3, heartbeatMs: 200, electionMs: 2000 },
    async (cluster, client, runDirectory) => {
      const { tls } = cluster;
      expect(cluster.nodes.every(({ clientUrl }) => clientUrl.startsWith('https://'))).toBe(true);
      const before = await tls!.shownSerial('n2', 2_000);
      expect(before).toMatch(/^[0-9A-F]+$/);
      const serial = await tls!.renewCertificate('n2');
      await tls!.changeBundle();
      expect(serial).not.toBe(before);
      await until(async () => (await tls!.shownSerial('n2', 2_000)) === serial);

      await cluster.setGrudge(new Map([['n1', new Set(['n2', 'n3'])]]));
      await until(async () => (await cluster.linkCounters()).some(({ dropped }) => dropped > 0));
      const cut = (await cluster.linkCounters()).filter(({ dropped }) => dropped > 0);
      expect(cut.every(({ from, to }) => to === 'n1' && from !== 'n1')).toBe(true);
      await cluster.setGrudge(new Map());
      await until(async () => (await client.put({ key: 'a', value: '1' })).ok);
      expect(existsSync(join(runDirectory, 'tls'))).toBe(true);
      await cluster[Symbol.asyncDispose]();
      expect(existsSync(join(runDirectory, 'tls'))).toBe(false);
    },
  );
});

test.skipIf(noDisk !== undefined)(
  `a synthetic disk is as slow as its profile, by the member's own account ${noDisk ?? ''}`,
  async () => {
    const surroundings = surroundingsOf({ disk: 'network-disk', seed: 1 });
    await withCluster(surroundings, async (cluster, client, runDirectory) => {
      for (let at = 0; at < 20; at++) await client.put({ key: 'a', value: `${at}` });
      const probe = openMemberProbe();
      const text = await probe.metricsText(cluster.nodes[0]!, 2_000);
      probe.close();
      const histogram = parseFsyncHistogram(text!);
      // 10 to 60 ms, evenly spread: the mean of 20 is at least 25 but for one time in thousands.
      expect((1000 * histogram!.sumSeconds) / histogram!.count).toBeGreaterThan(20);
      expect((await cluster.diskCounter('n1')).delayedSyncs).toBeGreaterThan(20);
      expect(existsSync(join(runDirectory, 'data', 'n1'))).toBe(false);
    });
  },
);
