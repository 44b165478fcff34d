/** A member whose data directory is put back to an earlier day: it says so and does no harm. */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { eventually, Lab } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';
import { etcdctl, hashKvOf, memberAt, runEtcdctl } from './stock-tools.ts';

const MISSING = isMissing('etcdctl');
const title = MISSING ? 'went back (not run: etcdctl is not installed)' : 'went back';
/** Longer than any election. */
const ELECTIONS_MS = 5_000;

let lab: Lab;
let members: readonly RealMember[];
let written: number;

beforeEach(async () => {
  lab = new Lab();
  written = 0;
  members = await realMembers(lab, 3, ['--snapshot-count', '50']);
  await startAll(members);
});
afterEach(() => lab[Symbol.asyncDispose]());

async function write(count: number, through: RealMember): Promise<void> {
  for (const end = written + count; written < end; ) {
    const key = `key/${written}`;
    if (await eventually(key, () => through.put(key, key))) written++;
  }
}

async function expectEverythingOn(member: RealMember): Promise<void> {
  const found = await eventually('a read', () => member.read('key/', 'linearizable'));
  expect(found.size).toBe(written);
}

/** Lines that say what happened and what to do; the sentence is the message. */
const sentences = (member: RealMember): readonly string[] =>
  member.log.map(({ msg }) => msg).filter((msg) => msg.includes('went back in time'));

const isElected = (member: RealMember): boolean =>
  member.log.some(({ msg }) => msg === 'became leader' || msg.startsWith('became candidate'));

/** Stops a follower, sets `part` of its directory aside, and puts it back after `count` writes. */
async function putBack(part: string, count: number): Promise<readonly [RealMember, RealMember]> {
  const leader = await findLeader(members);
  const victim = members.find((member) => member !== leader)!;
  await write(20, leader);
  await victim.end('SIGKILL');
  cpSync(join(victim.dataDir, part), lab.path('aside'), { recursive: true });
  victim.start();
  await victim.serves();
  // On a slow machine a quiet moment is a checkpoint of all there is; a few more are none again.
  for (const more of [count, 5]) {
    await write(more, leader);
    await eventually('it has all of it', async () => {
      return (await victim.read('key/', 'serializable'))?.size === written;
    });
  }
  await victim.end('SIGKILL');
  rmSync(join(victim.dataDir, part), { recursive: true });
  cpSync(lab.path('aside'), join(victim.dataDir, part), { recursive: true });
  return [leader, victim];
}

/** It runs, says what to do once, serves nobody, and stands for no election. */
async function refusesToTakePart(victim: RealMember): Promise<void> {
  await eventually('it says what is wrong', async () => sentences(victim).length > 0);
  await eventually('its client port is open', async () => {
    return (await fetch(`http://${victim.endpoint}/version`)).ok;
  });
  const answer = await runEtcdctl(lab, victim.endpoint, ['put', 'a', 'b']);
  expect(answer.code).not.toBe(0);
  expect(answer.stderr).toContain('etcdserver: no leader');
  const health = await runEtcdctl(lab, victim.endpoint, ['endpoint', 'health']);
  expect(health.code).not.toBe(0);
  const ready = await fetch(`http://${victim.endpoint}/readyz`);
  expect(ready.status).toBe(503);
  expect(sentences(victim)).toHaveLength(1);
  expect(victim.running.isRunning).toBe(true);
}

describe.skipIf(MISSING)(title, () => {
  test('a follower: nothing is lost, nobody is disturbed, and its sentence brings it back', async () => {
    const [leader, victim] = await putBack('.', 100);
    const other = members.find((member) => member !== leader && member !== victim)!;
    victim.start();
    await refusesToTakePart(victim);
    await write(20, other);
    expect(await leader.leads()).toBe(true);

    // A supervisor that starts it again and again changes nothing.
    for (let life = 1; life <= 3; life++) {
      await victim.end(life % 2 === 0 ? 'SIGTERM' : 'SIGKILL');
      victim.start();
      await refusesToTakePart(victim);
    }
    await write(10, other);
    await expectEverythingOn(leader);
  });

  test('its vote is not to be had by a member that lacks what it acknowledged', async () => {
    const [leader, victim] = await putBack('.', 100);
    const other = members.find((member) => member !== leader && member !== victim)!;
    victim.start();
    await refusesToTakePart(victim);
    await leader.end('SIGKILL');
    await sleep(ELECTIONS_MS);
    expect(isElected(victim)).toBe(false);
    expect(await other.leads()).toBe(false);
    expect(other.log.some(({ msg }) => msg === 'became leader')).toBe(false);
    leader.start();
    await leader.serves();
    await expectEverythingOn(other);
    await expectEverythingOn(leader);

    // As the sentence says.
    const [, remove, add] = /run '(.*?)' and '(.*?)', delete/.exec(sentences(victim)[0]!)!;
    for (const command of [remove!, add!]) {
      await eventually(command, async () => {
        const args = command.split(' ').slice(1);
        return (await runEtcdctl(lab, other.endpoint, args)).code === 0;
      });
    }
    await victim.end('SIGTERM');
    rmSync(victim.dataDir, { recursive: true });
    const flags = victim.flags.slice(0, victim.flags.indexOf('--data-dir'));
    const place = {
      endpoint: victim.endpoint,
      peerUrl: flags[flags.indexOf('--listen-peer-urls') + 1]!,
    };
    const cluster = flags[flags.indexOf('--initial-cluster') + 1]!;
    const anew = memberAt(lab, victim.name, place, [
      ...['--initial-cluster', cluster, '--initial-cluster-state', 'existing'],
    ]);
    anew.start();
    await anew.serves();
    await expectEverythingOn(anew);
    const { revision } = JSON.parse(
      await etcdctl(lab, anew.endpoint, ['put', 'x', 'y', '-w', 'json']),
    ).header;
    expect(await hashKvOf(lab, anew.endpoint, revision)).toBe(
      await hashKvOf(lab, leader.endpoint, revision),
    );
  });

  test('only its log: a checkpoint that is newer does not hide it', async () => {
    const [leader, victim] = await putBack('member/wal', 175);
    victim.start();
    await eventually('it says what is wrong, or refuses', async () => {
      return sentences(victim).length > 0 || !victim.running.isRunning;
    });
    if (victim.running.isRunning) await refusesToTakePart(victim);
    else expect((await victim.running.ended).stderr).toMatch(/^stormraft: data-dir: .*\n$/);
    await write(10, leader);
    await expectEverythingOn(leader);
  });
});
