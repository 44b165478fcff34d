/** How the server begins and ends: what it refuses, in which words, and what it leaves alone. */

import { cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { choosePorts } from '../../harness/cluster/process/ports.ts';
import { NodeDisk } from '../../src/host/node-disk.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { EXIT_CODE } from '../../src/server/exit-code.ts';
import { writeCheckpoint } from '../../src/snap/write-checkpoint.ts';
import { image, puts } from '../snap/checkpoint-fixture.ts';
import {
  appendUnknownRecord,
  checkpointPath,
  fingerprint,
  flipBit,
  segmentPath,
  tearLastWrite,
  writeCheckpointWithLease,
} from './data-directory.ts';
import { type Ended, eventually, Lab } from './lab.ts';
import { findLeader, occupy, type RealMember, realMembers, startAll } from './real-members.ts';

const SERVER = 'src/main.ts';
const KEYS = 60;
/** Whoever still runs then was not refused. */
const REFUSED_MS_MAX = 20_000;
const VALUE = 'v'.repeat(100);

let lab: Lab;
/** Ran once and was stopped: its directory holds a log and a checkpoint. */
let member: RealMember;

beforeAll(async () => {
  lab = new Lab();
  [member] = (await realMembers(lab, 1, ['--snapshot-count', '20'])) as [RealMember];
  await startAll([member]);
  for (let key = 0; key < KEYS; key++) expect(await member.put(`key/${key}`, VALUE)).toBe(true);
  await eventually('a checkpoint', async () =>
    member.log.some(({ msg }) => msg === 'saved checkpoint'),
  );
  expect((await member.end('SIGTERM')).code).toBe(EXIT_CODE.ok);
});

afterAll(() => lab[Symbol.asyncDispose]());

/** Besides the log, which is JSON, standard error has one line. */
function expectRefusal(ended: Ended, code: number, complaint: RegExp): void {
  const lines = ended.stderr.split('\n').filter((line) => line !== '' && !line.startsWith('{'));
  expect(lines).toEqual([expect.stringMatching(complaint)]);
  expect(lines[0]).toMatch(/^stormraft: /);
  expect(ended).toMatchObject({ code, stdout: '' });
}

async function refused(flags: readonly string[], code: number, complaint: RegExp): Promise<void> {
  const dataDir = flags[flags.lastIndexOf('--data-dir') + 1]!;
  const before = fingerprint(dataDir);
  const launched = lab.launchOwn(SERVER, flags, { timeoutMs: REFUSED_MS_MAX });
  expectRefusal(await launched.ended, code, complaint);
  expect(fingerprint(dataDir)).toBe(before);
}

/** A copy of the stopped member's directory. */
function copied(name: string): string {
  const copy = lab.path(name.replaceAll(/\W/g, '-'));
  cpSync(member.dataDir, copy, { recursive: true });
  return copy;
}

describe.concurrent('a setting that cannot be used is named, with the fix', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['unknown flag', ['--data-dri', 'x'], /--data-dri: is no flag; see --help/],
    ['no flag at all', ['start'], /start: is not a flag; flags start with --/],
    ['a flag without its value', ['--name'], /name: needs a value/],
    [
      'malformed URL',
      ['--listen-peer-urls', 'localhost'],
      /listen-peer-urls: "localhost" is not a URL; write http:\/\/HOST:PORT/,
    ],
    [
      'URL without a port',
      ['--listen-client-urls', 'http://127.0.0.1'],
      /listen-client-urls: "http:\/\/127.0.0.1" has no port; write/,
    ],
    [
      'TLS without a certificate',
      ['--listen-client-urls', 'https://127.0.0.1:1'],
      /cert-file: is required, as listen-client-urls has https:.*; give it with key-file, or auto-tls/,
    ],
    [
      'a certificate that is not there',
      [
        ...['--listen-client-urls', 'https://127.0.0.1:1'],
        ...['--cert-file', '/nonexistent/cert.pem', '--key-file', '/nonexistent/key.pem'],
      ],
      /cert-file: \/nonexistent\/cert.pem cannot be read \(ENOENT\)/,
    ],
    ['a configuration file that is not there', ['--config-file', '/nonexistent'], /config-file: /],
    ['malformed cluster', ['--initial-cluster', 'n1'], /initial-cluster: "n1" is not NAME=URL/],
    [
      'one URL for two members',
      ['--initial-cluster', 'n1=http://127.0.0.1:1,n2=http://127.0.0.1:1'],
      /initial-cluster: http:\/\/127.0.0.1:1 is given twice; give each/,
    ],
    [
      'not a member',
      ['--initial-cluster', 'n8=http://127.0.0.1:1'],
      /initial-cluster: does not contain .*"n1" \(it has n8\); add n1=URL or change --name/,
    ],
    [
      'another peer URL',
      ['--initial-advertise-peer-urls', 'http://127.0.0.1:1'],
      /initial-advertise-peer-urls: .*initial-cluster says .*; make them the same/,
    ],
    [
      'election too short',
      ['--election-timeout', '499'],
      /election-timeout: 499 ms is below 5 × heartbeat-interval \(100 ms\); .*at least 500/,
    ],
    [
      'no number',
      ['--heartbeat-interval', '1e2'],
      /heartbeat-interval: "1e2" is not a positive whole number/,
    ],
    ['unknown state', ['--initial-cluster-state', 'old'], /initial-cluster-state: .*new, existing/],
  ])('%s', async (_, flags, complaint) => {
    await refused([...member.flags, ...flags], EXIT_CODE.settings, complaint);
  });

  test('also from the environment', async () => {
    const environment = { ETCD_ELECTION_TIMEOUT: '100' };
    const before = fingerprint(member.dataDir);
    const options = { environment, timeoutMs: REFUSED_MS_MAX };
    const { ended } = lab.launchOwn(SERVER, member.flags, options);
    expectRefusal(await ended, EXIT_CODE.settings, /election-timeout: 100 ms is below/);
    expect(fingerprint(member.dataDir)).toBe(before);
  });
});

describe('a data directory that does not fit is refused and left as it is', () => {
  const stranger =
    /data-dir: belongs to member \w+ of cluster \w+, which has another name and other peer URLs; use/;

  /** A member that shares neither name nor peer URL with the one whose directory it is given. */
  async function strangerFlags(dataDir: string): Promise<readonly string[]> {
    const [port] = await choosePorts(1, 'stranger');
    const peerUrl = `http://127.0.0.1:${port}`;
    const place = ['--listen-peer-urls', peerUrl, '--initial-advertise-peer-urls', peerUrl];
    const who = ['--name', 'stranger', '--initial-cluster', `stranger=${peerUrl}`];
    return [...member.flags, ...place, ...who, '--data-dir', dataDir];
  }

  test('of another cluster', async () => {
    await refused(await strangerFlags(member.dataDir), EXIT_CODE.dataDir, stranger);
  });

  test('of another cluster, with the torn last write of a crash', async () => {
    const dataDir = copied('torn');
    tearLastWrite(dataDir);
    await refused(await strangerFlags(dataDir), EXIT_CODE.dataDir, stranger);
  });

  test('of another member', async () => {
    await using three = new Lab();
    const [n1, n2] = (await realMembers(three, 3)) as [RealMember, RealMember];
    n1.start();
    await eventually('n1 is ready', async () => n1.log.some(({ msg }) => msg.startsWith('ready')));
    await n1.end('SIGKILL');
    await refused([...n2.flags, '--data-dir', n1.dataDir], EXIT_CODE.dataDir, stranger);
  });

  test.each<[string, (dataDir: string) => unknown, RegExp]>([
    [
      'a log of a newer program',
      appendUnknownRecord,
      /data-dir: .*wal.*unknownRecord in \S+\.wal at byte \d+: record type 9 .*; restore it/,
    ],
    [
      'a log damaged in the middle',
      (dataDir) => flipBit(segmentPath(dataDir), (log) => log.indexOf(VALUE, log.length / 2)),
      /data-dir: .*wal.*corrupt in \S+\.wal at byte \d+: .*; restore it from a backup/,
    ],
    [
      'a checkpoint without a log',
      (dataDir) => rmSync(dirname(segmentPath(dataDir)), { recursive: true }),
      /data-dir: .*snap holds a checkpoint but .*wal holds no log; restore/,
    ],
    [
      'a damaged checkpoint',
      (dataDir) => truncateSync(checkpointPath(dataDir), 100),
      /data-dir: the checkpoint in .* is damaged \(.*\); restore/,
    ],
    [
      'a checkpoint with a lease that is none',
      (dataDir) => writeCheckpointWithLease(dataDir, image(puts(3))),
      /data-dir: the checkpoint in .* is damaged \(a lease is malformed\); restore/,
    ],
    [
      'a checkpoint of etcd 3.4',
      (dataDir) => {
        const foreign = image(puts(3), { confState: simpleConf([]) });
        return writeCheckpoint(new NodeDisk(), dirname(checkpointPath(dataDir)), foreign);
      },
      /data-dir: the checkpoint does not say who the members are, .*; use/,
    ],
  ])('%s', async (name, spoil, complaint) => {
    const dataDir = copied(name);
    await spoil(dataDir);
    await refused([...member.flags, '--data-dir', dataDir], EXIT_CODE.dataDir, complaint);
  });

  test('a file in its place', async () => {
    const file = lab.path('file');
    writeFileSync(file, 'not a directory');
    const flags = [...member.flags, '--data-dir', file];
    await refused(flags, EXIT_CODE.dataDir, /data-dir: .* cannot be used \(\w+\); check/);
  });

  test('an empty one, where a member of an existing cluster is asked for', async () => {
    const dataDir = lab.path('empty');
    mkdirSync(dataDir);
    const flags = [...member.flags, '--data-dir', dataDir, '--initial-cluster-state', 'existing'];
    const complaint = /initial-cluster: none of the other members answers .*; start them/;
    await refused(flags, EXIT_CODE.dataDir, complaint);
  });

  test('the copies themselves were sound; one that is in use is not given away', async () => {
    const dataDir = copied('sound');
    // The log says who it is, whatever the token would make of it now.
    const token = ['--initial-cluster-token', 'other'];
    const copy = lab.launchOwn(SERVER, [...member.flags, '--data-dir', dataDir, ...token]);
    await eventually('it serves', async () => (await member.client.get('any')).ok);
    if (process.platform === 'linux') {
      await using elsewhere = new Lab();
      const [other] = (await realMembers(elsewhere, 1)) as [RealMember];
      const options = { timeoutMs: REFUSED_MS_MAX };
      const second = lab.launchOwn(SERVER, [...other.flags, '--data-dir', dataDir], options);
      const complaint = /data-dir: another process uses .*; stop it or choose/;
      expectRefusal(await second.ended, EXIT_CODE.dataDir, complaint);
    }
    expect((await member.read('key/', 'linearizable'))?.size).toBe(KEYS);
    expect((await copy.end('SIGTERM')).code).toBe(EXIT_CODE.ok);
  });
});

describe('a port that cannot be had is named before anything is written', () => {
  const address = (flag: string): string => member.flags[member.flags.indexOf(flag) + 1]!;

  test.each([['listen-client-urls'], ['listen-peer-urls']])('%s in use', async (flag) => {
    await using _taken = await occupy(Number(new URL(address(`--${flag}`)).port));
    const complaint = new RegExp(
      `${flag}: cannot listen on http://127.0.0.1:\\d+ \\(EADDRINUSE\\); free the port or choose`,
    );
    await refused(member.flags, EXIT_CODE.port, complaint);
    const fresh = [...member.flags, '--data-dir', lab.path(`fresh-${flag}`)];
    await refused(fresh, EXIT_CODE.port, complaint);
  });

  test('one port for clients and peers', async () => {
    const clash = ['--listen-client-urls', address('--listen-peer-urls')];
    const flags = [...member.flags, ...clash, '--data-dir', lab.path('clash')];
    await refused(flags, EXIT_CODE.port, /listen-client-urls: cannot listen .*EADDRINUSE/);
  });

  test("an address that is not this machine's", async () => {
    const [port] = await choosePorts(1, 'elsewhere');
    const flags = [...member.flags, '--listen-client-urls', `http://192.0.2.1:${port}`];
    await refused(flags, EXIT_CODE.port, /listen-client-urls: cannot listen .*EADDRNOTAVAIL/);
  });
});

describe('a good start', () => {
  test.each([
    [
      '--version',
      /^etcd Version: \d+\.\d+\.\d+\n(?:G[\w/ ]+: none.*\n){3}Stormraft Version: \d+\.\d+\.\d+\n$/,
    ],
    ['--help', /^Usage: stormraft \[flags\]\n[\s\S]*--election-timeout MS/],
  ])('%s says so and ends', async (flag, output) => {
    const ended = await lab.launchOwn(SERVER, [flag]).ended;
    expect(ended).toEqual({
      code: EXIT_CODE.ok,
      stderr: '',
      stdout: expect.stringMatching(output),
    });
  });

  test('an unknown variable is a warning', async () => {
    const flags = [...member.flags, '--data-dir', lab.path('warned')];
    const environment = { ETCD_NO_SUCH_FLAG: '1' };
    const launched = lab.launchOwn(SERVER, flags, { environment });
    await eventually('it serves', async () => (await member.client.get('any')).ok);
    const { code, stderr } = await launched.end('SIGTERM');
    expect(code).toBe(EXIT_CODE.ok);
    expect(stderr).toMatch(/"level":"warn".*"ETCD_NO_SUCH_FLAG"/);
  });
});

describe('SIGTERM', () => {
  test('hands the leadership over: nobody waits for an election', async () => {
    await using three = new Lab();
    const members = await realMembers(three, 3, ['--election-timeout', '3000']);
    await startAll(members);
    const old = await findLeader(members);
    const others = members.filter((other) => other !== old);
    const countPreVotes = ({ log }: RealMember): number =>
      log.filter(({ msg }) => msg.startsWith('started pre-vote')).length;
    const preVotes = new Map(others.map((other) => [other, countPreVotes(other)]));
    const { code } = await old.end('SIGTERM');
    expect(code).toBe(EXIT_CODE.ok);
    const next = await findLeader(others);
    expect(await next.put('after', 'the handover')).toBe(true);
    const told = old.log.map(({ msg }) => msg);
    expect(told).toContain('stopping');
    expect(told.slice(told.indexOf('stopping'))).toContain('handing leadership over');
    const term = next.log.findLast(({ msg }) => msg === 'became leader')?.term;
    const campaign = next.log.slice(next.log.findIndex((line) => line.term === term));
    // Whoever has not heard from a leader asks for pre-votes first; who was told to lead does not.
    expect(campaign[0]?.msg).toBe('became candidate: asking for votes');
    expect(countPreVotes(next)).toBe(preVotes.get(next));
  });
});
