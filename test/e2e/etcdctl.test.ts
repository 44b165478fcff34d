/** Stock etcdctl against each of three real members: it cannot tell them from etcd's. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { type Ended, eventually, Lab } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';

const MISSING = isMissing('etcdctl');
const title = MISSING ? 'stock etcdctl (not run: it is not installed)' : 'stock etcdctl';
const NAMES = ['n1', 'n2', 'n3'] as const;
/** etcdctl gives up by itself long before: whoever needs this hangs. */
const HANGS_MS = 60_000;

describe.skipIf(MISSING)(title, () => {
  let lab: Lab;
  let members: readonly RealMember[];

  beforeAll(async () => {
    lab = new Lab();
    members = await realMembers(lab, NAMES.length);
    await startAll(members);
  });
  afterAll(() => lab[Symbol.asyncDispose]());

  const named = (name: string): RealMember => members.find((member) => member.name === name)!;

  const run = (endpoints: string, args: readonly string[], input?: string): Promise<Ended> =>
    lab.launch('etcdctl', ['--endpoints', endpoints, '--command-timeout', '20s', ...args], {
      environment: { ETCDCTL_API: '3' },
      timeoutMs: HANGS_MS,
      ...(input === undefined ? {} : { input }),
    }).ended;

  /** What it printed about a success. */
  const say = async (name: string, args: readonly string[], input?: string): Promise<string> => {
    const { code, stdout, stderr } = await run(named(name).endpoint, args, input);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout;
  };

  const revisionOf = async (name: string, key: string): Promise<number> =>
    JSON.parse(await say(name, ['get', key, '-w', 'json'])).kvs[0].mod_revision;

  test.each(NAMES)('put, get and del through %s', async (name) => {
    const etcdctl = (...args: string[]): Promise<string> => say(name, args);
    const key = (end: string): string => `${name}/${end}`;
    for (const end of ['a', 'b', 'c']) expect(await etcdctl('put', key(end), end)).toBe('OK\n');
    expect(await etcdctl('get', key('a'))).toBe(`${key('a')}\na\n`);
    const values = ['get', '--prefix', key(''), '--print-value-only'];
    expect(await etcdctl(...values)).toBe('a\nb\nc\n');
    expect(await etcdctl(...values, '--limit', '2')).toBe('a\nb\n');
    expect(await etcdctl(...values, '--order', 'DESCEND', '--sort-by', 'KEY')).toBe('c\nb\na\n');
    expect(await etcdctl('get', key('b'), key('z'), '--keys-only')).toBe(
      `${key('b')}\n\n${key('c')}\n\n`,
    );
    expect(await etcdctl('put', key('a'), 'again', '--prev-kv')).toBe(`OK\n${key('a')}\na\n`);
    const before = (await revisionOf(name, key('a'))) - 1;
    expect(await etcdctl('get', key('a'), '--rev', `${before}`)).toBe(`${key('a')}\na\n`);
    expect(await etcdctl('del', key('b'))).toBe('1\n');
    expect(await etcdctl('get', key('b'))).toBe('');
    expect(await etcdctl('del', '--prefix', key(''), '--prev-kv')).toContain('again');
    expect(await etcdctl('del', '--prefix', key(''))).toBe('0\n');
  });

  test.each(NAMES)('every compare of a transaction through %s', async (name) => {
    const key = `${name}/txn`;
    await say(name, ['put', key, 'first']);
    const created = await revisionOf(name, key);
    await say(name, ['put', key, 'second']);
    const compares = [
      `value("${key}") = "second"`,
      `version("${key}") = "2"`,
      `create("${key}") = "${created}"`,
      `mod("${key}") > "${created}"`,
      `mod("${name}/nothing") = "0"`,
    ];
    const branches = `\n\nput ${key}/won yes\nget ${key}\n\nget ${key}/lost\ndel ${key}/lost\n\n`;
    const won = `SUCCESS\n\nOK\n\n${key}\nsecond\n`;
    for (const compare of compares) {
      expect(await say(name, ['txn'], compare + branches)).toBe(won);
      const opposite = compare.includes('>')
        ? compare.replace('>', '<')
        : compare.replace('=', '!=');
      expect(await say(name, ['txn'], opposite + branches)).toBe('FAILURE\n\n\n0\n');
    }
    expect(await say(name, ['txn'], compares.join('\n') + branches)).toBe(won);
    expect(await say(name, ['get', `${key}/won`, '--print-value-only'])).toBe('yes\n');
  });

  test('what one member took, every other tells, and in the end also without asking', async () => {
    for (const name of NAMES) await say(name, ['put', `from/${name}`, name]);
    for (const name of NAMES) {
      const values = ['get', '--prefix', 'from/', '--print-value-only'];
      expect(await say(name, values)).toBe('n1\nn2\nn3\n');
      // The linearizable read above has brought this member up to date.
      expect(await say(name, [...values, '--consistency', 's'])).toBe('n1\nn2\nn3\n');
    }
  });

  test('endpoint status as JSON and as a table', async () => {
    const leader = await findLeader(members);
    const endpoints = members.map(({ endpoint }) => endpoint).join();
    const { stdout } = await run(endpoints, ['endpoint', 'status', '-w', 'json']);
    const statuses: readonly EndpointStatus[] = JSON.parse(
      // Ids have 64 bits, which numbers here have not.
      stdout.replaceAll(/:(\d{16,})/g, ':"$1"'),
    );
    expect(statuses.map(({ Endpoint }) => Endpoint)).toEqual(endpoints.split(','));
    const { leader: leaderId, raftTerm } = statuses[0]!.Status;
    const ids = statuses.map(({ Status }) => String(Status.header.member_id));
    expect(new Set(ids).size).toBe(3);
    expect(ids[members.indexOf(leader)]).toBe(String(leaderId));
    for (const { Status } of statuses) {
      expect(Status).toMatchObject({ leader: leaderId, raftTerm, version: expect.any(String) });
      expect(Status.raftAppliedIndex).toBeGreaterThan(0);
      expect(Status.dbSize).toBeGreaterThan(0);
    }
    const table = (await run(endpoints, ['endpoint', 'status', '-w', 'table'])).stdout;
    const rows = table.split('\n').filter((line) => line.includes('127.0.0.1'));
    const leads = rows.map((row) => row.split('|')[5]?.trim());
    expect(leads).toEqual(members.map((member) => String(member === leader)));
  });

  test('endpoint health', async () => {
    const endpoints = members.map(({ endpoint }) => endpoint).join();
    const { code, stdout, stderr } = await run(endpoints, ['endpoint', 'health']);
    expect(code).toBe(0);
    expect(`${stdout}${stderr}`.match(/is healthy/g)).toHaveLength(3);
  });

  test('member list is the same everywhere', async () => {
    const lists = await Promise.all(NAMES.map((name) => say(name, ['member', 'list'])));
    const names = lists[0]!
      .trim()
      .split('\n')
      .map((line) => line.split(', ')[2]);
    expect(names.sort()).toEqual([...NAMES]);
    for (const { endpoint } of members) expect(lists[0]).toContain(`http://${endpoint}`);
    expect(new Set(lists).size).toBe(1);
  });

  test.each(NAMES)('leases, with keys, through %s', async (name) => {
    const [, id] = /^lease (\S+) granted with TTL\(60s\)$/m.exec(
      await say(name, ['lease', 'grant', '60']),
    )!;
    await say(name, ['put', `${name}/leased`, 'v', '--lease', id!]);
    expect(await say(name, ['lease', 'timetolive', id!, '--keys'])).toContain(
      `attached keys([${name}/leased])`,
    );
    expect(await say(name, ['lease', 'keep-alive', '--once', id!])).toContain('keepalived');
    expect(await say(name, ['lease', 'list'])).toContain(id);
    expect(await say(name, ['lease', 'revoke', id!])).toBe(`lease ${id} revoked\n`);
    expect(await say(name, ['get', `${name}/leased`])).toBe('');
  });

  test.each(NAMES)('a watch through %s tells what was and what comes', async (name) => {
    const key = `${name}/watched`;
    await say(name, ['put', key, 'before']);
    const from = await revisionOf(name, key);
    const args = ['--endpoints', named(name).endpoint, 'watch', key, '--rev', `${from}`];
    const watch = lab.launch('etcdctl', args, {
      environment: { ETCDCTL_API: '3' },
      timeoutMs: HANGS_MS,
    });
    await eventually('the watch tells of the past', async () => watch.stdout.includes('before'));
    await say(name, ['put', key, 'after']);
    await say(name, ['del', key]);
    await eventually('the watch tells of the rest', async () => watch.stdout.includes('DELETE'));
    await watch.end('SIGTERM');
    expect(watch.stdout).toBe(`PUT\n${key}\nbefore\nPUT\n${key}\nafter\nDELETE\n${key}\n\n`);
  });

  test('compaction, hashes and a snapshot that the tool finds sound', async () => {
    await say('n1', ['put', 'compacted', '1']);
    const revision = await revisionOf('n1', 'compacted');
    await say('n2', ['put', 'compacted', '2']);
    expect(await say('n3', ['compact', `${revision}`])).toBe(`compacted revision ${revision}\n`);
    const past = await run(named('n1').endpoint, ['get', 'k', '--rev', `${revision - 1}`]);
    expect(past.stderr).toContain('etcdserver: mvcc: required revision has been compacted');
    const hashes = await Promise.all(
      NAMES.map(async (name) => {
        await say(name, ['get', 'compacted']);
        return (await say(name, ['endpoint', 'hashkv'])).split(', ')[1];
      }),
    );
    expect(new Set(hashes).size).toBe(1);
    const file = lab.path('saved.db');
    await run(named('n2').endpoint, ['snapshot', 'save', file]);
    const status = await run('', ['snapshot', 'status', file, '-w', 'json']);
    expect(JSON.parse(status.stdout).revision).toBeGreaterThan(revision);
  });

  test('users and what they may do', async () => {
    const asRoot = ['--user', 'root:secret'];
    await say('n1', ['role', 'add', 'reader']);
    await say('n1', ['role', 'grant-permission', 'reader', 'read', 'open/', 'open0']);
    await say('n1', ['user', 'add', 'root:secret']);
    await say('n1', ['user', 'grant-role', 'root', 'root']);
    await say('n1', ['user', 'add', 'ann:pass']);
    await say('n1', ['user', 'grant-role', 'ann', 'reader']);
    await say('n2', ['auth', 'enable']);
    for (const name of NAMES) {
      await say(name, [...asRoot, 'put', 'open/key', name]);
      expect(await say(name, ['--user', 'ann:pass', 'get', 'open/key'])).toContain(name);
      const { endpoint } = named(name);
      const denied = await run(endpoint, ['--user', 'ann:pass', 'put', 'open/key', 'x']);
      expect(denied.stderr).toContain('etcdserver: permission denied');
      const nobody = await run(endpoint, ['get', 'open/key']);
      expect(nobody.stderr).toContain('etcdserver: user name is empty');
    }
    await say('n3', [...asRoot, 'auth', 'disable']);
    expect(await say('n1', ['get', 'open/key', '--print-value-only'])).toBe('n3\n');
  });

  test("refusals are in etcd's words", async () => {
    const { endpoint } = named('n2');
    const future = await run(endpoint, ['get', 'k', '--rev', '1000000']);
    expect(future.stderr).toContain('etcdserver: mvcc: required revision is a future revision');
    const empty = await run(endpoint, ['put', '', 'v']);
    expect(empty.stderr).toContain('etcdserver: key is not provided');
    expect([future.code, empty.code]).not.toContain(0);
  });
});

interface EndpointStatus {
  readonly Endpoint: string;
  readonly Status: {
    readonly header: { readonly member_id: string | number };
    readonly leader: string | number;
    readonly raftTerm: number;
    readonly raftAppliedIndex: number;
    readonly dbSize: number;
  };
}
