/** From etcd to Stormraft and back by snapshots, with nothing but the stock tools. */
import { cpSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { eventually, Lab, type Launched } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';
import {
  choosePlaces,
  etcdctl,
  etcdServes,
  hashKvOf,
  listMembers,
  memberAt,
  type Place,
  placeFlags,
  startEtcd,
} from './stock-tools.ts';

const MISSING = isMissing('etcd') || isMissing('etcdctl');
const title = MISSING ? 'moving house (not run: etcd is not installed)' : 'moving house';
const ROOT_USER = ['--user', 'root:secret'];

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab[Symbol.asyncDispose]());

/** Keys, deletions, history, a compaction, leases, users and roles; auth is on at the end. */
async function furnish(endpoint: string): Promise<void> {
  const ctl = (...args: string[]): Promise<string> => etcdctl(lab, endpoint, args);
  for (let at = 0; at < 20; at++) await ctl('put', `key/${at % 7}`, `value ${at}`);
  await ctl('del', 'key/3');
  await etcdctl(lab, endpoint, ['txn'], '\nput txn/a 1\nput txn/b 2\ndel key/4\n\n\n');
  await ctl('compact', '9');
  const granted = await ctl('lease', 'grant', '3600');
  const lease = /lease ([0-9a-f]+) granted/.exec(granted)![1]!;
  await ctl('put', 'leased', 'kept', '--lease', lease);
  await ctl('put', 'big', 'x'.repeat(60_000));
  for (const user of ['root:secret', 'alice:wonder']) await ctl('user', 'add', user);
  await ctl('role', 'add', 'reader');
  await ctl('role', 'grant-permission', 'reader', '--prefix=true', 'read', 'key/');
  await ctl('user', 'grant-role', 'root', 'root');
  await ctl('user', 'grant-role', 'alice', 'reader');
  await ctl('auth', 'enable');
}

/** What {@link furnish} left is there; afterwards auth is off. */
async function expectFurnished(endpoint: string): Promise<void> {
  const root = (...args: string[]): Promise<string> =>
    etcdctl(lab, endpoint, [...ROOT_USER, ...args]);
  const alice = (...args: string[]): Promise<string> =>
    etcdctl(lab, endpoint, ['--user', 'alice:wonder', ...args]);
  const left = { 0: 14, 1: 15, 2: 16, 5: 19, 6: 13 };
  expect(await alice('get', '--prefix', 'key/')).toBe(
    Object.entries(left)
      .map(([key, value]) => `key/${key}\nvalue ${value}\n`)
      .join(''),
  );
  await expect(alice('put', 'key/1', 'x')).rejects.toThrow('permission denied');
  expect(await root('get', 'txn/b', '--print-value-only')).toBe('2\n');
  await expect(root('get', 'key/0', '--rev', '8')).rejects.toThrow('compacted');
  expect(await root('get', 'key/3', '--rev', '20', '--print-value-only')).toBe('value 17\n');
  const [lease] = /[0-9a-f]{8,}/.exec(await root('lease', 'list'))!;
  expect(await root('lease', 'timetolive', lease, '--keys')).toContain('attached keys([leased])');
  await root('auth', 'disable');
}

/** The revision and hash of what is there now. */
async function mark(
  endpoint: string,
): Promise<{ readonly revision: number; readonly hash: number }> {
  const status = JSON.parse(await etcdctl(lab, endpoint, ['endpoint', 'status', '-w', 'json']));
  const { revision } = status[0].Status.header;
  return { revision, hash: await hashKvOf(lab, endpoint, revision) };
}

async function saveSnapshot(endpoint: string): Promise<string> {
  const file = lab.path('saved.db');
  await etcdctl(lab, endpoint, [...ROOT_USER, 'snapshot', 'save', file]);
  const status = JSON.parse(
    await etcdctl(lab, endpoint, ['snapshot', 'status', file, '-w', 'json']),
  );
  expect(status).toMatchObject({ hash: expect.any(Number), revision: expect.any(Number) });
  return file;
}

const initialCluster = (places: readonly Place[]): string =>
  places.map(({ peerUrl }, at) => `n${at + 1}=${peerUrl}`).join();

/** By stock etcdctl, for each of the places. */
async function restore(file: string, places: readonly Place[]): Promise<void> {
  for (const [at, { peerUrl }] of places.entries()) {
    const name = `n${at + 1}`;
    const to = ['--name', name, '--data-dir', lab.path(name)];
    to.push('--initial-cluster', initialCluster(places), '--initial-advertise-peer-urls', peerUrl);
    await etcdctl(lab, '127.0.0.1:9', ['snapshot', 'restore', file, ...to]);
  }
}

function ourMembers(places: readonly Place[]): readonly RealMember[] {
  return places.map((place, at) =>
    memberAt(lab, `n${at + 1}`, place, ['--initial-cluster', initialCluster(places)]),
  );
}

/** Not by a read: those need a user as long as auth is on. */
async function answers(member: RealMember): Promise<void> {
  await eventually(`${member.name} knows a leader`, async () => {
    if (!member.running.isRunning) throw new Error(member.running.stderr);
    const health = await fetch(`http://${member.endpoint}/health`);
    return health.ok;
  });
}

/** It takes writes, and its own restart finds them. */
async function goesOn(members: readonly RealMember[]): Promise<void> {
  for (let at = 0; at < 20; at++) {
    expect(await members[at % members.length]!.put(`new/${at}`, 'x')).toBe(true);
  }
  const { endpoint: asked } = await findLeader(members);
  const before = await mark(asked);
  await Promise.all(members.map((member) => member.end('SIGKILL')));
  await startAll(members);
  for (const { endpoint } of members) {
    await eventually('the same after a restart', async () => {
      return (await hashKvOf(lab, endpoint, before.revision)) === before.hash;
    });
  }
  const listed = await listMembers(lab, members[0]!.endpoint);
  expect(listed.map(({ name }) => name).sort()).toEqual(members.map(({ name }) => name));
  expect(listed.map(({ status }) => status)).toEqual(members.map(() => 'started'));
}

describe.skipIf(MISSING)(title, () => {
  test.each([1, 3])("etcd's snapshot, restored for %i of ours", async (count) => {
    const [source, ...places] = (await choosePlaces(1 + count, lab.directory)) as [
      Place,
      ...Place[],
    ];
    const cluster = ['--initial-cluster', `old=${source.peerUrl}`];
    const etcd = await startEtcd(lab, 'old', source, [...cluster, '--data-dir', lab.path('old')]);
    await furnish(source.endpoint);
    // With auth on etcd 3.4 tells hashes only to root.
    const file = await saveSnapshot(source.endpoint);
    await etcdctl(lab, source.endpoint, [...ROOT_USER, 'auth', 'disable']);
    const known = await mark(source.endpoint);
    await etcd.end('SIGTERM');
    await restore(file, places);
    const members = ourMembers(places);
    for (const member of members) member.start();
    await Promise.all(members.map((member) => answers(member)));
    await etcdctl(lab, members[0]!.endpoint, [...ROOT_USER, 'auth', 'disable']);
    for (const { endpoint } of members) {
      await eventually(
        'equal',
        async () => (await hashKvOf(lab, endpoint, known.revision)) === known.hash,
      );
    }
    await etcdctl(lab, members[0]!.endpoint, ['auth', 'enable']);
    await expectFurnished(members[0]!.endpoint);
    await goesOn(members);
  });

  test('our snapshot, restored for real etcd, and for us', async () => {
    const [, , , ...more] = await choosePlaces(5, lab.directory);
    const members = await realMembers(lab, 3, ['--snapshot-count', '25']);
    await startAll(members);
    await furnish(members[0]!.endpoint);
    const file = await saveSnapshot(members[1]!.endpoint);
    await etcdctl(lab, members[1]!.endpoint, [...ROOT_USER, 'auth', 'disable']);
    const known = await mark(members[1]!.endpoint);
    await Promise.all(members.map((member) => member.end('SIGTERM')));

    const [forEtcd, forUs] = more as [Place, Place];
    for (const [name, { peerUrl }] of [
      ['etcd', forEtcd],
      ['ours', forUs],
    ] as const) {
      const to = ['--name', name, '--data-dir', lab.path(name)];
      to.push('--initial-cluster', `${name}=${peerUrl}`, '--initial-advertise-peer-urls', peerUrl);
      await etcdctl(lab, '127.0.0.1:9', ['snapshot', 'restore', file, ...to]);
    }
    const etcd: Launched = lab.launch('etcd', [
      ...placeFlags('etcd', forEtcd),
      ...['--data-dir', lab.path('etcd'), '--initial-cluster', `etcd=${forEtcd.peerUrl}`],
    ]);
    await etcdServes(forEtcd.endpoint, etcd);
    const ours = memberAt(lab, 'ours', forUs, ['--initial-cluster', `ours=${forUs.peerUrl}`]);
    ours.start();
    await answers(ours);
    for (const { endpoint } of [forEtcd, forUs]) {
      await etcdctl(lab, endpoint, [...ROOT_USER, 'auth', 'disable']);
      expect(await hashKvOf(lab, endpoint, known.revision)).toBe(known.hash);
      await etcdctl(lab, endpoint, ['auth', 'enable']);
      await expectFurnished(endpoint);
      await etcdctl(lab, endpoint, ['put', 'after', 'all']);
    }
    expect(await mark(forEtcd.endpoint)).toEqual(await mark(forUs.endpoint));
    await ours.end('SIGTERM');
    ours.start();
    await ours.serves();
    expect(await mark(forEtcd.endpoint)).toEqual(await mark(forUs.endpoint));
  });

  test('a cluster of one from one of three directories', async () => {
    const members = await realMembers(lab, 3, ['--snapshot-count', '25']);
    await startAll(members);
    for (let at = 0; at < 60; at++) await members[0]!.put(`key/${at}`, 'x');
    const known = await mark(members[0]!.endpoint);
    await Promise.all(members.map((member) => member.end('SIGKILL')));
    const [survivor] = members as [RealMember];
    cpSync(survivor.dataDir, lab.path('forced'), { recursive: true });
    const flags = survivor.flags.slice(0, survivor.flags.indexOf('--data-dir'));
    const args = [...flags, '--data-dir', lab.path('forced')];
    for (const extra of [['--force-new-cluster'], []]) {
      const forced = lab.launchOwn('src/main.ts', [...args, ...extra]);
      await eventually('the one serves', async () => (await survivor.client.get('any')).ok);
      expect(await hashKvOf(lab, survivor.endpoint, known.revision)).toBe(known.hash);
      expect(await listMembers(lab, survivor.endpoint)).toMatchObject([{ name: 'n1' }]);
      expect(await survivor.put('more', 'y')).toBe(true);
      await forced.end('SIGTERM');
    }
  });
});
