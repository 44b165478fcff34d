/** Processor, memory, clock and log of a member of ours in a container. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../harness/cluster/cluster.ts';
import { connectDaemon } from '../../harness/cluster/docker/daemon.ts';
import { openDockerCluster } from '../../harness/cluster/docker/docker-cluster.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');
const isThere = await connectDaemon().then(
  () => true,
  () => process.env.CI === 'true',
);

describe.runIf(isThere)('a member of ours in a container', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-resources-'));
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await openDockerCluster({
      runId: `resources-test-${process.pid}`,
      memberCount: 1,
      heartbeatMs: 100,
      electionMs: 1_000,
      runDirectory: directory,
      target: { kind: 'stormraft', root: ROOT },
      serverFlags: [],
      instruments: ['clock', 'log-relay'],
    });
  }, 120_000);

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('has a clock that jumps, a log that stalls, a quota', async () => {
    const resources = cluster.resources!;
    await cluster.setClock('n1', { driftPercent: 0, jumpMs: 3_600_000 });
    expect(Math.abs((await cluster.clockOffsetMs('n1')) - 3_600_000)).toBeLessThan(5_000);
    await resources.stallLog('n1');
    expect((await resources.logStall('n1')).isFull).toBe(true);
    await resources.setCpuQuota('n1', 50);
    expect((await resources.cpuUsage('n1')).usedMs).toBeGreaterThan(0);
  });

  test('runs out of memory, and starts again', async () => {
    const resources = cluster.resources!;
    await resources.setCpuQuota('n1', undefined);
    await resources.exhaustMemory('n1');
    await expect.poll(() => resources.memoryDeath('n1'), { timeout: 10_000 }).toContain('OOM');
    // The same heals as after any other death.
    await resources.resumeLog('n1');
    await resources.restoreClock('n1');
    await resources.liftMemoryLimit('n1');
    await cluster.start('n1');
    expect(await cluster.isRunning('n1')).toBe(true);
    expect(Math.abs(await cluster.clockOffsetMs('n1'))).toBeLessThan(5_000);
  });
});
