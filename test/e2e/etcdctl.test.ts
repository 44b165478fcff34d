/** Stock etcdctl against each of three real members: it cannot tell them from etcd's. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { type Ended, Lab } from './lab.ts';
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

  test.each([
    ['watch', ['watch', 'k']],
    ['lease', ['lease', 'grant', '60']],
    ['compaction', ['compact', '1']],
    ['auth', ['auth', 'enable']],
    ['snapshots', ['snapshot', 'save', 'saved']],
  ])('%s is not there, and says so instead of hanging', async (_, args) => {
    for (const name of NAMES) {
      const { code, stdout, stderr } = await run(named(name).endpoint, args);
      expect(code, `${stdout}${stderr}`).toBeGreaterThan(0);
      expect(`${stdout}${stderr}`).toMatch(/[Uu]nimplemented|canceled|unknown (method|service)/);
    }
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
