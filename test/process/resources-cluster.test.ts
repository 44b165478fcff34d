/** Processor, memory, clock and log of a member of ours that is a process. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Cluster } from '../../harness/cluster/cluster.ts';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { findFaketime } from '../../harness/cluster/process/resources.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

describe.runIf(process.platform === 'linux')('a member of ours', { timeout: 60_000 }, () => {
  const directory = mkdtempSync(join(tmpdir(), 'storm-resources-'));
  let cluster: Cluster;

  beforeAll(async () => {
    cluster = await openProcessCluster({
      runId: `resources-test-${process.pid}`,
      memberCount: 1,
      heartbeatMs: 100,
      electionMs: 1_000,
      runDirectory: directory,
      target: { kind: 'stormraft', root: ROOT },
      serverFlags: [],
      instruments: ['clock', 'log-relay'],
    });
  }, 60_000);

  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  test('has a log that can be stalled, and goes on', async () => {
    const resources = cluster.resources!;
    await resources.stallLog('n1');
    const stalled = await resources.logStall('n1');
    expect(stalled).toMatchObject({ isFull: true, blockedThreads: 0 });
    expect(stalled.waitingBytes).toBeGreaterThan(4_000);
    await resources.resumeLog('n1');
    expect((await resources.logStall('n1')).isFull).toBe(false);
  });

  test.runIf(findFaketime() !== undefined)('has a clock that jumps and goes back', async () => {
    await cluster.setClock('n1', { driftPercent: 0, jumpMs: -3_600_000 });
    expect(Math.abs((await cluster.clockOffsetMs('n1')) + 3_600_000)).toBeLessThan(5_000);
    await cluster.resources!.restoreClock('n1');
    expect(Math.abs(await cluster.clockOffsetMs('n1'))).toBeLessThan(5_000);
  });

  test('has a quota, which is lifted also when it has died', async () => {
    const resources = cluster.resources!;
    await resources.setCpuQuota('n1', 5);
    expect((await resources.cpuUsage('n1')).usedMs).toBeGreaterThan(0);
    await cluster.kill('n1');
    await resources.setCpuQuota('n1', undefined);
    await resources.liftMemoryLimit('n1');
    await resources.resumeLog('n1');
    await resources.restoreClock('n1');
    await cluster.start('n1');
    expect(await cluster.isRunning('n1')).toBe(true);
  });
});
