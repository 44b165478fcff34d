/** The process backend with a real etcd: every fault, its effect, and what is left afterwards. */

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Cluster, ClusterError } from '../../harness/cluster/cluster.ts';
import {
  openProcessCluster,
  sweepProcesses,
} from '../../harness/cluster/process/process-cluster.ts';

const found = spawnSync('sh', ['-c', 'command -v etcd'], { encoding: 'utf8' }).stdout.trim();
const skipped = found === '' && process.env.CI !== 'true';
const etcd = found || 'etcd';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** One call of etcd's JSON gateway; undefined when it fails or takes too long. */
async function call(url: string, path: string, body: unknown): Promise<unknown> {
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(1_000),
    });
    return response.ok ? await response.json() : undefined;
  } catch {
    return undefined;
  }
}

async function put(url: string, key: string, value: string): Promise<boolean> {
  return (await call(url, '/v3/kv/put', { key: base64(key), value: base64(value) })) !== undefined;
}

async function get(url: string, key: string): Promise<string | undefined> {
  const answer = await call(url, '/v3/kv/range', { key: base64(key) });
  const { kvs } = (answer ?? {}) as { kvs?: { value: string }[] };
  return kvs?.[0] && Buffer.from(kvs[0].value, 'base64').toString();
}

interface Status {
  readonly header: { readonly member_id: string };
  readonly leader?: string;
  readonly raftTerm: string;
}

async function statusOf(url: string): Promise<Status | undefined> {
  return (await call(url, '/v3/maintenance/status', {})) as Status | undefined;
}

/** Looks until there is something to see; the test's own limit ends the wait. */
async function until<Value>(look: () => Promise<Value | undefined | false>): Promise<Value> {
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen as Value;
    await sleep(30);
  }
}

/** Command lines and mounts on this machine that belong to the run. */
function leftovers(runId: string): string[] {
  const lines = readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry) && Number(entry) !== process.pid)
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    });
  const mounts = readFileSync('/proc/self/mounts', 'utf8').split('\n');
  return [...lines, ...mounts].filter((line) => line.includes(runId));
}

describe.skipIf(skipped)('three etcd members', () => {
  const runId = `process-test-${process.pid}`;
  const runDirectory = mkdtempSync(join(tmpdir(), `${runId}-`));
  const names = ['n1', 'n2', 'n3'];
  let cluster: Cluster;
  let disposed = false;

  const url = (node: string): string => cluster.nodes.find(({ name }) => name === node)!.clientUrl;

  /** The one member that calls itself leader, in the highest term seen among `nodes`. */
  const leaderAmong = (nodes: readonly string[]): Promise<string> =>
    until(async () => {
      const all = await Promise.all(nodes.map((node) => statusOf(url(node))));
      const leaders = nodes.filter((_, i) => all[i]?.leader === all[i]?.header.member_id);
      const known = all.every((status) => status?.leader === all[0]?.leader);
      return known && leaders.length === 1 && leaders[0];
    });

  const droppedOn = async (from: string, to: string): Promise<number> =>
    (await cluster.linkCounters()).find((link) => link.from === from && link.to === to)!.dropped;

  beforeAll(async () => {
    cluster = await openProcessCluster({
      runId,
      memberCount: 3,
      heartbeatMs: 50,
      electionMs: 500,
      runDirectory,
      target: { kind: 'etcd', path: etcd },
      serverFlags: ['--snapshot-count=2000'],
    });
  });

  afterAll(async () => {
    if (!disposed) await cluster?.[Symbol.asyncDispose]();
    rmSync(runDirectory, { recursive: true });
  });

  test('serve, and say what can be done to them', async () => {
    await leaderAmong(names);
    expect(await put(url('n1'), 'a', '1')).toBe(true);
    expect(await get(url('n3'), 'a')).toBe('1');
    const available = cluster.capabilities.filter(({ available }) => available);
    expect(available.map(({ capability }) => capability)).toEqual(
      expect.arrayContaining(['kill', 'pause', 'partition']),
    );
    expect(cluster.environment).toContainEqual({
      name: 'target',
      value: expect.stringContaining('etcd Version'),
    });
    expect((await cluster.linkCounters()).filter(({ dropped }) => dropped > 0)).toEqual([]);
  });

  test('kill and start: the data is still there', async () => {
    await cluster.kill('n2');
    await cluster.kill('n2');
    expect(await cluster.isRunning('n2')).toBe(false);
    expect(await statusOf(url('n2'))).toBe(undefined);
    await leaderAmong(['n1', 'n3']);
    expect(await put(url('n1'), 'b', 'while n2 was dead')).toBe(true);
    await cluster.start('n2');
    await cluster.start('n2');
    expect(await until(() => get(url('n2'), 'b'))).toBe('while n2 was dead');
    expect(await get(url('n2'), 'a')).toBe('1');
    await cluster.kill('n2');
    await cluster.kill('n1');
    await cluster.kill('n3');
    await Promise.all(names.map((node) => cluster.start(node)));
    expect(await until(() => get(url('n2'), 'b'))).toBe('while n2 was dead');
  });

  test('pause: no answer until resumed; a paused member can be killed', async () => {
    await leaderAmong(names);
    await cluster.pause('n1');
    expect(await cluster.isRunning('n1')).toBe(true);
    // Threads on other processors stop a little after the signal was sent.
    await until(async () => (await statusOf(url('n1'))) === undefined);
    expect(await statusOf(url('n1'))).toBe(undefined);
    await cluster.resume('n1');
    await until(() => statusOf(url('n1')));
    await cluster.pause('n1');
    await cluster.kill('n1');
    await expect(cluster.pause('n1')).rejects.toThrow(ClusterError);
    await cluster.start('n1');
    await until(() => statusOf(url('n1')));
  });

  test('an isolated leader loses the lead, and both ends of its links count', async () => {
    const leader = await leaderAmong(names);
    const others = names.filter((node) => node !== leader);
    const isolated = new Map<string, ReadonlySet<string>>(
      others.map((node) => [node, new Set([leader])]),
    );
    await cluster.setGrudge(isolated.set(leader, new Set(others)));
    const next = await leaderAmong(others);
    expect(next).not.toBe(leader);
    expect(await put(url(leader), 'c', 'to the minority')).toBe(false);
    expect(await put(url(next), 'c', 'to the majority')).toBe(true);
    for (const node of others) {
      await until(async () => (await droppedOn(leader, node)) > 0);
      await until(async () => (await droppedOn(node, leader)) > 0);
    }
    expect(await droppedOn(others[0]!, others[1]!)).toBe(0);
    await cluster.setGrudge(new Map());
    expect(await until(() => get(url(leader), 'c'))).toBe('to the majority');
    await leaderAmong(names);
  });

  test('a one-way cut: only what the leader sends is lost, and so is its lead', async () => {
    const leader = await leaderAmong(names);
    const others = names.filter((node) => node !== leader);
    const termBefore = Number((await statusOf(url(leader)))!.raftTerm);
    const before = await cluster.linkCounters();
    await cluster.setGrudge(new Map(others.map((node) => [node, new Set([leader])])));
    await until(async () => {
      const status = await statusOf(url(others[0]!));
      return status?.leader !== undefined && Number(status.raftTerm) > termBefore;
    });
    const grown = (await cluster.linkCounters()).filter(
      (link, i) => link.dropped > before[i]!.dropped,
    );
    expect(grown.map(({ from }) => from)).toEqual(grown.map(() => leader));
    expect(grown.length).toBeGreaterThan(0);
    await cluster.setGrudge(new Map());
    await leaderAmong(names);
  });

  test('cuts hold across a restart', async () => {
    await cluster.setGrudge(new Map([['n1', new Set(['n2', 'n3'])]]));
    await cluster.kill('n1');
    await cluster.start('n1');
    const before = await droppedOn('n2', 'n1');
    await until(async () => (await droppedOn('n2', 'n1')) > before);
    expect(await put(url('n1'), 'd', 'x')).toBe(false);
    await cluster.setGrudge(new Map());
    await until(() => put(url('n1'), 'd', 'healed'));
    await expect(cluster.setGrudge(new Map([['n9', new Set(['n1'])]]))).rejects.toThrow('n9');
  });

  test('a slow disk delays the fsyncs of its member, also after a restart', async (context) => {
    const disk = cluster.capabilities.find(({ capability }) => capability === 'slow-disk')!;
    if (!disk.available && process.env.CI !== 'true') return context.skip(disk.detail);
    await leaderAmong(names);
    expect(await cluster.diskCounter('n3')).toMatchObject({ delayedSyncs: 0 });
    await cluster.setFsyncDelay('n3', 25);
    await until(async () => {
      await put(url('n1'), 'e', 'slow');
      return (await cluster.diskCounter('n3')).delayedSyncs > 0;
    });
    expect((await cluster.diskCounter('n3')).delayedMeanMs).toBeGreaterThanOrEqual(25);
    await cluster.kill('n3');
    await expect(cluster.diskCounter('n3')).rejects.toThrow(ClusterError);
    await cluster.start('n3');
    await until(async () => (await cluster.diskCounter('n3')).delayedSyncs > 0);
    await cluster.pause('n3');
    await cluster.setFsyncDelay('n3', 0);
    await cluster.resume('n3');
    await until(() => put(url('n3'), 'e', 'fast'));
    const { delayedSyncs, syncs } = await cluster.diskCounter('n3');
    await until(async () => {
      await put(url('n3'), 'e', 'faster');
      return (await cluster.diskCounter('n3')).syncs > syncs + 10;
    });
    expect((await cluster.diskCounter('n3')).delayedSyncs - delayedSyncs).toBeLessThan(10);
  });

  test('leave their logs and nothing else', async () => {
    const logs = join(runDirectory, 'collected');
    mkdirSync(logs);
    await cluster.collectLogs(logs);
    expect(readdirSync(logs)).toEqual(['n1.log', 'n2.log', 'n3.log']);
    expect(readFileSync(join(logs, 'n1.log'), 'utf8')).toContain('etcd Version');
    await cluster.pause('n2');
    await cluster[Symbol.asyncDispose]();
    disposed = true;
    expect(leftovers(runId)).toEqual([]);
    expect(readdirSync(runDirectory).sort()).toEqual(
      ['collected', 'links.log', 'n1.log', 'n2.log', 'n3.log'].sort(),
    );
  });
});

describe.skipIf(skipped)('a harness', () => {
  test('that was killed leaves members to the next sweep, a live one keeps its own', async () => {
    const runId = `sweep-test-${process.pid}`;
    const runDirectory = mkdtempSync(join(tmpdir(), `${runId}-`));
    const owner = spawn(
      process.execPath,
      [join(import.meta.dirname, 'owner.ts'), runId, runDirectory, etcd],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    await opened(owner);
    await sweepProcesses();
    const member = (line: string): boolean => line.includes(`initial-cluster-token=${runId}`);
    expect(leftovers(runId).filter(member).length).toBeGreaterThan(0);
    const exited = new Promise((resolve) => owner.once('exit', resolve));
    owner.kill('SIGKILL');
    await exited;
    expect(leftovers(runId).filter(member).length).toBeGreaterThan(0);
    const swept = await sweepProcesses();
    expect(swept.processes).toBeGreaterThan(0);
    await until(async () => leftovers(runId).length === 0);
    expect(existsSync(join(runDirectory, 'data/n1'))).toBe(true);
    expect((await sweepProcesses()).processes).toBe(0);
    rmSync(runDirectory, { recursive: true });
  });

  test('whose members cannot start hears why, and leaves nothing', async () => {
    const runId = `bad-flag-test-${process.pid}`;
    const runDirectory = mkdtempSync(join(tmpdir(), `${runId}-`));
    const opening = openProcessCluster({
      runId,
      memberCount: 3,
      heartbeatMs: 100,
      electionMs: 1000,
      runDirectory,
      target: { kind: 'etcd', path: etcd },
      serverFlags: ['--no-such-flag'],
    });
    await expect(opening).rejects.toThrow(/no-such-flag/);
    expect(leftovers(runId)).toEqual([]);
    rmSync(runDirectory, { recursive: true });
  });
});

function opened(owner: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    owner.stdout!.once('data', () => resolve());
    owner.once('exit', (code) => reject(new Error(`the owner ended with ${code}`)));
  });
}
