/** A real etcd on the disk: its database is mapped, preallocated, defragmented and renamed. */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { killGroup } from '../../harness/cluster/process/process-table.ts';
import { type Launched, launchDisk, noDisk } from './launch.ts';

const hasEtcd = spawnSync('etcd', ['--version']).status === 0;
const whyNot = noDisk ?? (hasEtcd ? '' : '(no etcd on PATH)');

let running: Launched | undefined;
afterEach(async () => {
  if (running === undefined) return;
  await killGroup(running.child.pid!);
  rmSync(running.directory, { recursive: true });
});

test.skipIf(noDisk !== undefined || !hasEtcd)(
  `etcd survives kills and power failures on the disk, and not its lies ${whyNot}`,
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stormdisk-etcd-'));
    const [client, peer, control] = (await choosePorts(3, directory)) as [number, number, number];
    const url = `http://127.0.0.1:${client}`;
    const etcdctl = (...parameters: string[]): string => {
      const env = { ...process.env, ETCDCTL_API: '3' };
      const options = { encoding: 'utf8', timeout: 20_000, env } as const;
      const run = spawnSync('etcdctl', [`--endpoints=${url}`, ...parameters], options);
      if (run.status !== 0) throw new Error(`etcdctl ${parameters.join(' ')}: ${run.stderr}`);
      return run.stdout.trim();
    };
    const start = async (): Promise<void> => {
      const etcd = ['etcd', '--data-dir=MOUNT/etcd', '--log-level=error'];
      const urls = [`--listen-client-urls=${url}`, `--advertise-client-urls=${url}`];
      const peers = [`--listen-peer-urls=http://127.0.0.1:${peer}`];
      const options = [`--control=127.0.0.1:${control}`, '--state=STATE'];
      running = launchDisk([...etcd, ...urls, ...peers], options, directory);
      while (!(await fetch(`${url}/health`).catch(() => undefined))?.ok) await sleep(50);
    };
    const order = (method: string, path: string, body: object): Promise<unknown> =>
      fetch(`http://127.0.0.1:${control}${path}`, {
        method,
        body: JSON.stringify(body),
        headers: { connection: 'close' },
      });
    const die = async (): Promise<void> => killGroup(running!.child.pid!);

    await start();
    for (let i = 0; i < 20; i++) etcdctl('put', `k${i}`, `v${i}`);
    etcdctl('defrag');
    etcdctl('snapshot', 'save', join(directory, 'snapshot'));
    expect(existsSync(join(directory, 'snapshot'))).toBe(true);
    await die();
    await start();
    expect(etcdctl('get', 'k', '--prefix', '--keys-only').match(/^k/gm)).toHaveLength(20);

    etcdctl('put', 'last', 'acknowledged');
    await order('POST', '/power-failure', { keeps: 'nothing', seed: 1 });
    await die();
    await start();
    expect(etcdctl('get', 'last', '--print-value-only')).toBe('acknowledged');

    await order('PUT', '/fault', { type: 'lie' });
    etcdctl('put', 'last', 'lied about');
    await order('POST', '/power-failure', { keeps: 'nothing', seed: 1 });
    await die();
    await start();
    expect(etcdctl('get', 'last', '--print-value-only')).toBe('acknowledged');
  },
);
