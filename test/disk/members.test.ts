/** Disk faults of members that are processes, as a storm orders them. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { noDisk } from './launch.ts';

test.skipIf(noDisk !== undefined)(
  `disk faults of members are met, counted beyond their death, and healed ${noDisk ?? ''}`,
  async () => {
    const runDirectory = mkdtempSync(join(tmpdir(), 'disk-members-'));
    try {
      await using cluster = await openProcessCluster({
        runId: `disk-members-${process.pid}`,
        memberCount: 3,
        heartbeatMs: 100,
        electionMs: 1000,
        runDirectory,
        target: { kind: 'stormraft', root: resolve(import.meta.dirname, '../..') },
        serverFlags: [],
      });
      const put = async (node: number): Promise<boolean> => {
        const { clientUrl } = cluster.nodes[node]!;
        const body = JSON.stringify({ key: 'a2V5', value: 'dmFsdWU=' });
        const signal = AbortSignal.timeout(2_000);
        const options = { method: 'POST', body, signal };
        const answer = await fetch(`${clientUrl}/v3/kv/put`, options).catch(() => undefined);
        return answer?.ok === true;
      };
      const acknowledged = async (node: number): Promise<void> => {
        while (!(await put(node))) await sleep(100);
      };
      await acknowledged(0);

      await cluster.setDiskFault('n2', { type: 'read-only' });
      while (await cluster.isRunning('n2')) await put(0);
      expect((await cluster.diskFaultTally('n2')).refused).toBeGreaterThan(0);
      await cluster.setDiskFault('n2', { type: 'none' });
      await cluster.start('n2');
      await acknowledged(1);

      const loss = await cluster.failPower('n1', { keeps: 'nothing', seed: 1 });
      expect(loss.torn).toBe(0);
      expect(await cluster.isRunning('n1')).toBe(false);
      await cluster.start('n1');
      await acknowledged(0);

      await expect(cluster.damageDisk('n3', 'bit-rot')).rejects.toThrow('n3 runs');
      await cluster.kill('n3');
      expect(await cluster.damageDisk('n3', 'bit-rot')).toMatch(/^bit \d of byte \d+ of .*\.wal$/);
      expect(await cluster.damageDisk('n3', 'bit-rot')).toBeUndefined();
      const lie = cluster.setDiskFault('n1', { type: 'lie' });
      await expect(lie).rejects.toThrow('the copy of n1 cannot be spared');
    } finally {
      rmSync(runDirectory, { recursive: true });
    }
  },
);
