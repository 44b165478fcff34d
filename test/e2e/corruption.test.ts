/** A member whose data was changed behind its back is found out by the others. */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isMissing } from '../support/stock-etcd.ts';
import { checkpointPath } from './data-directory.ts';
import { eventually, Lab } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';
import { etcdctl, idOf, runEtcdctl } from './stock-tools.ts';

const MISSING = isMissing('etcdctl');
const title = MISSING ? 'corruption (not run: etcdctl is not installed)' : 'corruption';
const [HONEST, TAMPERED] = ['the value as written', 'the value as changed'];

let lab: Lab;
beforeEach(() => {
  lab = new Lab();
});
afterEach(() => lab[Symbol.asyncDispose]());

async function start(...flags: string[]): Promise<readonly RealMember[]> {
  const members = await realMembers(lab, 3, ['--snapshot-count', '20', ...flags]);
  await startAll(members);
  await members[0]!.put('victim', HONEST);
  for (let at = 0; at < 40; at++) await members[0]!.put(`key/${at % 5}`, `${at}`);
  return members;
}

/** Stops a follower and changes one value in its checkpoint, which has no checksum for that. */
async function tamper(members: readonly RealMember[]): Promise<readonly [RealMember, RealMember]> {
  const leader = await findLeader(members);
  const victim = members.find((member) => member !== leader)!;
  await eventually('a checkpoint', async () =>
    victim.log.some(({ msg }) => msg === 'saved checkpoint'),
  );
  await victim.end('SIGTERM');
  const path = checkpointPath(victim.dataDir);
  const bytes = readFileSync(path);
  const at = bytes.indexOf(HONEST);
  expect(at).toBeGreaterThan(0);
  bytes.write(TAMPERED, at);
  writeFileSync(path, bytes);
  return [leader, victim];
}

async function expectAlarm(leader: RealMember, victim: RealMember): Promise<void> {
  const id = await idOf(lab, leader.endpoint, victim.name);
  const alarms = await eventually('an alarm', async () => {
    const listed = await etcdctl(lab, leader.endpoint, ['alarm', 'list']);
    return listed !== '' && listed;
  });
  expect(alarms).toBe(`memberID:${BigInt(`0x${id}`)} alarm:CORRUPT \n`);
  const put = await runEtcdctl(lab, leader.endpoint, ['put', 'a', 'b']);
  expect(put.stderr).toContain('etcdserver: corrupt cluster');
  expect((await fetch(`http://${leader.endpoint}/health`)).status).toBe(503);
}

describe.skipIf(MISSING)(title, () => {
  test('is found at the next compaction, and nowhere before there is any', async () => {
    const members = await start('--compact-hash-check-time', '500ms');
    await etcdctl(lab, members[0]!.endpoint, ['compact', '10']);
    const [leader, victim] = await tamper(members);
    expect(await etcdctl(lab, leader.endpoint, ['alarm', 'list'])).toBe('');
    victim.start();
    await victim.serves();
    await etcdctl(lab, leader.endpoint, ['compact', '20']);
    await expectAlarm(leader, victim);
  });

  test('is found by the periodic check', async () => {
    const members = await start('--experimental-corrupt-check-time', '500ms');
    const [leader, victim] = await tamper(members);
    expect(await etcdctl(lab, leader.endpoint, ['alarm', 'list'])).toBe('');
    victim.start();
    await expectAlarm(leader, victim);
  });

  test('is found before the member serves, where that is asked for', async () => {
    const members = await start('--experimental-initial-corrupt-check');
    const [leader, victim] = await tamper(members);
    victim.start();
    const { code, stderr } = await victim.running.ended;
    expect(code).toBe(4);
    const refusal = stderr.split('\n').filter((line) => line.startsWith('stormraft:'));
    expect(refusal).toHaveLength(1);
    expect(refusal[0]).toMatch(/data at revision \d+ differs from that of .*etcdctl member remove/);
    const honest = members.find((member) => member !== leader && member !== victim)!;
    await honest.end('SIGTERM');
    honest.start();
    await honest.serves();
  });
});
