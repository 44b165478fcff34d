/** Members that die and come back, with checkpoints often: what was acknowledged is there. */
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { checkpointPath } from './data-directory.ts';
import { eventually, Lab } from './lab.ts';
import { findLeader, type RealMember, realMembers, startAll } from './real-members.ts';

const SNAPSHOT_COUNT = 50;
/** Puts under way at once. */
const AT_ONCE = 10;

let lab: Lab;
let members: readonly RealMember[];
/** Everything that was acknowledged. */
let written: Map<string, string>;

beforeEach(async () => {
  lab = new Lab();
  written = new Map();
  members = await realMembers(lab, 3, ['--snapshot-count', `${SNAPSHOT_COUNT}`]);
  await startAll(members);
});

afterEach(() => lab[Symbol.asyncDispose]());

/** Writes new keys; each must be acknowledged by one of `through`. */
async function write(count: number, through: readonly RealMember[]): Promise<void> {
  const first = written.size;
  let next = first;
  const writeOn = async (): Promise<void> => {
    while (next < first + count) {
      const at = next++;
      const [key, value] = [`key/${String(at).padStart(5, '0')}`, `value ${at}`];
      await eventually(`${key} is acknowledged`, () =>
        through[at % through.length]!.put(key, value),
      );
      written.set(key, value);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, writeOn));
}

async function expectEverythingOn(member: RealMember): Promise<void> {
  const found = await eventually(`${member.name} reads`, () => member.read('key/', 'linearizable'));
  expect([...found].sort()).toEqual([...written].sort());
}

/** By its own disk and the log it was sent, without asking the leader. */
async function catchesUp(member: RealMember): Promise<void> {
  await eventually(`${member.name} catches up`, async () => {
    return (await member.read('key/', 'serializable'))?.size === written.size;
  });
  const found = await member.read('key/', 'serializable');
  expect([...found!].sort()).toEqual([...written].sort());
}

async function revisionOf(member: RealMember): Promise<number> {
  const answer = await eventually(`${member.name} serves`, async () => {
    const read = await member.client.get('key/00000');
    return read.ok && read.value;
  });
  return answer.header.revision;
}

function othersThan(member: RealMember): readonly RealMember[] {
  return members.filter((other) => other !== member);
}

const hasCheckpoint = ({ log }: RealMember): boolean =>
  log.some(({ msg }) => msg === 'saved checkpoint');

describe('kill -9 and restart', () => {
  test('of one: it catches up, by a snapshot where the log has been compacted', async () => {
    await write(300, members);
    const [victim] = othersThan(await findLeader(members)) as [RealMember];
    await victim.end('SIGKILL');
    await write(200, othersThan(victim));
    victim.start();
    await catchesUp(victim);
    await expectEverythingOn(victim);
    expect(await revisionOf(victim)).toBe(await revisionOf(othersThan(victim)[0]!));
  });

  test('of the leader, and then of each other in turn', async () => {
    await write(100, members);
    for (const victim of [await findLeader(members), ...members]) {
      await victim.end('SIGKILL');
      await write(30, othersThan(victim));
      victim.start();
      await victim.serves();
    }
    for (const member of members) await expectEverythingOn(member);
  });

  test('of all at once: every key and the revision are there', async () => {
    await write(300, members);
    const revision = await revisionOf(members[0]!);
    expect(members.every(hasCheckpoint)).toBe(true);
    await Promise.all(members.map((member) => member.end('SIGKILL')));
    await startAll(members);
    for (const member of members) {
      await expectEverythingOn(member);
      expect(await revisionOf(member)).toBe(revision);
    }
    await write(20, members);
    expect(await revisionOf(members[0]!)).toBe(revision + 20);
  });

  test('between a received checkpoint and its mark in the log', async () => {
    const [victim] = othersThan(await findLeader(members)) as [RealMember];
    await victim.end('SIGKILL');
    await write(300, othersThan(victim));
    const donor = othersThan(victim)[0]!;
    await eventually('a checkpoint', async () => hasCheckpoint(donor));
    // What is on disk when the kill comes right after the checkpoint was renamed into place.
    mkdirSync(dirname(checkpointPath(victim.dataDir)), { recursive: true });
    copyFileSync(checkpointPath(donor.dataDir), checkpointPath(victim.dataDir));
    for (let life = 1; life <= 2; life++) {
      victim.start();
      await victim.serves();
      await write(60, members);
      await catchesUp(victim);
      expect(victim.running.isRunning, victim.running.stderr).toBe(true);
      await victim.end('SIGKILL');
    }
  });
});

describe('a member that lost its disk and is started as if it were new', () => {
  test('catches up or says what is wrong, and never tells what was not written', async () => {
    await write(200, members);
    const [victim] = othersThan(await findLeader(members)) as [RealMember];
    const others = othersThan(victim);
    await victim.end('SIGKILL');
    rmSync(victim.dataDir, { recursive: true });
    await write(50, others);
    victim.start();
    const explains = (): boolean =>
      victim.log.some(({ level, reason }) => level === 'error' && reason !== undefined);
    await eventually('it has made up its mind', async () => {
      const read = await victim.read('key/', 'serializable');
      return read?.size === written.size || explains() || !victim.running.isRunning;
    });
    // It may end with an explanation, but not by a signal or for a reason that it did not see.
    const { isRunning, stderr } = victim.running;
    if (!isRunning) expect(stderr).toMatch(/data|log/);
    await write(20, others);
    const asked = await victim.read('key/', 'linearizable');
    if (asked !== undefined) expect([...asked].sort()).toEqual([...written].sort());
    // Old is allowed, wrong is not.
    for (const [key, value] of (await victim.read('key/', 'serializable')) ?? []) {
      expect(written.get(key)).toBe(value);
    }
    for (const other of others) await expectEverythingOn(other);
  });
});
