/**
 * What disk faults really do here: asked against measured, what the disk costs when it does
 * nothing, and how long faults take to inject and to heal. A few minutes; prints a table.
 *
 *   node test/disk/measure-disk.ts
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Cluster, DiskFault } from '../../harness/cluster/cluster.ts';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { openProcessCluster } from '../../harness/cluster/process/process-cluster.ts';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { medianMs } from '../../harness/disk/latency.ts';
import { LATENCY_PROFILES, latencyProfile } from '../../harness/disk/latency-profiles.ts';
import { launchDisk, noDisk } from './launch.ts';
import { compareSyncs, timeSyncs } from './time-syncs.ts';

const SYNCS = 150;
const SLOW_SYNCS = 30;
const PUT_SECONDS = 5;
const CLIENTS = 8;

const say = (...cells: (string | number)[]): void => {
  const texts = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(2) : cell));
  process.stdout.write(`| ${texts.join(' | ')} |\n`);
};

if (process.argv[2] === '--inside') await inside(process.argv.slice(3));
else if (noDisk !== undefined) process.stderr.write(`no disk can be mounted: ${noDisk}\n`);
else await outside();

async function outside(): Promise<void> {
  const [port] = await choosePorts(1, 'measure-disk');
  const command = [process.execPath, import.meta.filename, '--inside', 'MOUNT', 'OTHER'];
  for (const medium of [tmpdir(), '/dev/shm']) {
    const directory = mkdtempSync(join(medium, 'measure-disk-'));
    const disk = launchDisk(
      [...command, String(port), medium],
      [`--control=127.0.0.1:${port}`, '--state=STATE'],
      directory,
    );
    disk.child.stdout?.on('data', (text: Buffer) => process.stdout.write(text));
    await disk.ended;
    await killGroup(disk.child.pid!);
    rmSync(directory, { recursive: true });
  }
  await measureClusters();
}

/** On the disk: syncs of 2 KiB, native and through it, sound and slow. */
async function inside([mount, plain, port, medium]: readonly string[]): Promise<void> {
  const order = async (fault: DiskFault): Promise<void> => {
    const body = JSON.stringify(fault);
    const options = { method: 'PUT', body, headers: { connection: 'close' } };
    for (let i = 0; i < 200; i++) {
      try {
        await fetch(`http://127.0.0.1:${port}/fault`, options);
        return;
      } catch {
        // It does not listen yet.
      }
    }
  };
  await order({ type: 'none' });
  say('medium', 'fault', 'asked, median ms', 'measured p50', 'p99', 'mean');
  say('---', '---', '---', '---', '---', '---');
  const { nativeP50Ms, mountedP50Ms, ratio } = compareSyncs(plain!, mount!, SYNCS);
  const words = `p50 ${nativeP50Ms.toFixed(2)} ms native, ${mountedP50Ms.toFixed(2)} ms with it`;
  process.stdout.write(`idle cost on ${medium}: fsync throughput ${ratio.toFixed(2)}: ${words}\n`);
  for (const ms of [1, 10, 50]) {
    await order({ type: 'latency', seed: 1, sync: { type: 'constant', ms } });
    row(medium!, `constant ${ms}`, ms, timeSyncs(mount!, SLOW_SYNCS));
  }
  for (const profile of LATENCY_PROFILES) {
    const latency = latencyProfile(profile)!;
    await order({ type: 'latency', seed: 1, ...latency });
    row(medium!, profile, medianMs(latency.sync!), timeSyncs(mount!, SLOW_SYNCS));
  }
  await order({ type: 'none' });
}

function row(medium: string, fault: string, asked: number, took: readonly number[]): void {
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))]!;
  say(medium, fault, asked, at(0.5), at(0.99), mean(took));
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

async function measureClusters(): Promise<void> {
  const puts: Record<string, number> = {};
  for (const kind of ['plain', 'disk', 'plain again', 'disk again']) {
    const path = process.env.PATH;
    // Without unshare(1) the backend has no disk.
    if (kind.startsWith('plain')) process.env.PATH = '/nonexistent';
    puts[kind] = await withCluster(putsPerSecond).finally(() => {
      process.env.PATH = path;
    });
  }
  const [disk, plain] = ['disk', 'plain'].map((kind) => puts[kind]! + puts[`${kind} again`]!);
  say('3 members', 'puts/s');
  say('---', '---');
  for (const [kind, perSecond] of Object.entries(puts)) say(kind, perSecond);
  process.stdout.write(`put throughput with the disk: ${(disk! / plain!).toFixed(2)} of without\n`);
  await withCluster(measureOrders);
}

async function withCluster<Value>(use: (cluster: Cluster) => Promise<Value>): Promise<Value> {
  const runDirectory = mkdtempSync(join(tmpdir(), 'measure-cluster-'));
  const config = {
    runId: `measure-${process.pid}-${performance.now().toFixed(0)}`,
    memberCount: 3,
    heartbeatMs: 100,
    electionMs: 1000,
    runDirectory,
    target: { kind: 'stormraft', root: resolve(import.meta.dirname, '../..') } as const,
    serverFlags: [],
  };
  try {
    await using cluster = await openProcessCluster(config);
    return await use(cluster);
  } finally {
    rmSync(runDirectory, { recursive: true });
  }
}

/** Over HTTP and JSON, which costs the same with and without. */
async function putsPerSecond(cluster: Cluster): Promise<number> {
  const [{ clientUrl }] = cluster.nodes as [Cluster['nodes'][number]];
  const put = async (): Promise<boolean> => {
    const body = JSON.stringify({ key: 'a2V5', value: 'dmFsdWU=' });
    const response = await fetch(`${clientUrl}/v3/kv/put`, { method: 'POST', body });
    await response.text();
    return response.ok;
  };
  while (!(await put().catch(() => false)));
  let done = 0;
  const endMs = performance.now() + PUT_SECONDS * 1000;
  const client = async (): Promise<void> => {
    while (performance.now() < endMs) if (await put()) done++;
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return done / PUT_SECONDS;
}

async function measureOrders(cluster: Cluster): Promise<void> {
  say('fault', 'inject ms', 'heal ms');
  say('---', '---', '---');
  const time = async (act: () => Promise<unknown>): Promise<number> => {
    const startMs = performance.now();
    await act();
    return performance.now() - startMs;
  };
  const faults: readonly DiskFault[] = [
    { type: 'stall' },
    { type: 'error', operation: 'sync', code: 'EIO' },
    { type: 'lie' },
    { type: 'read-only' },
    { type: 'rot', everyBytes: 4096, seed: 1 },
    { type: 'latency', seed: 1, sync: { type: 'constant', ms: 50 } },
  ];
  await putsPerSecond(cluster);
  for (const fault of faults) {
    const injectMs = await time(() => cluster.setDiskFault('n3', fault));
    say(fault.type, injectMs, await time(() => cluster.setDiskFault('n3', { type: 'none' })));
    if (!(await cluster.isRunning('n3'))) await cluster.start('n3');
  }
  for (const keeps of ['nothing', 'some', 'torn'] as const) {
    const injectMs = await time(() => cluster.failPower('n3', { keeps, seed: 1 }));
    say(`power failure, keeps ${keeps}`, injectMs, await time(() => cluster.start('n3')));
  }
  await cluster.kill('n3');
  say('bit rot at rest', await time(() => cluster.damageDisk('n3', 'bit-rot')), '-');
}
