/** A member whose disk goes back to an earlier day: what it answers, before and after it notices. */
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import type { MemberId } from '../../src/lib/ids.ts';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import { MemoryDisk } from '../support/memory-disk.ts';
import { MemberCluster } from './member-cluster.ts';

const DIRECTORIES = ['/member/wal', '/member/snap'];
const NOTICED = /lost entries/;

function copyOf(disk: MemoryDisk): MemoryDisk {
  const copy = new MemoryDisk();
  for (const directory of DIRECTORIES) {
    copy.device.makeDirectory(directory);
    for (const name of disk.names(directory)) {
      copy.poke(`${directory}/${name}`, disk.peek(`${directory}/${name}`));
    }
  }
  return copy;
}

async function write(cluster: MemberCluster, through: MemberId, value: number): Promise<void> {
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  const request = { key: utf8Encode('k'), value: utf8Encode(`${value}`), ...flags };
  const outcome = await cluster.answer(cluster.member(through).propose({ type: 'put', request }));
  expect(outcome).toMatchObject({ ok: true });
}

/** What is there locally; for after a read barrier. */
function local(cluster: MemberCluster, id: MemberId): number | undefined {
  const bounds = { limit: 0, revision: 0, minModRevision: 0, maxModRevision: 0 };
  const read = cluster.member(id).range({
    ...{ key: utf8Encode('k'), rangeEnd: new Uint8Array(0), ...bounds },
    ...{ sortOrder: 'none', sortTarget: 'key', serializable: true, keysOnly: false },
    ...{ countOnly: false, minCreateRevision: 0, maxCreateRevision: 0 },
  });
  const [kv] = read.ok ? read.value.kvs : [];
  return kv === undefined ? undefined : Number(utf8Decode(kv.value));
}

const notices = (cluster: MemberCluster, id: MemberId): boolean =>
  cluster.log(id).some((line) => NOTICED.test(line));

/** Leaves `victim` dead, on a copy of its disk from before `count` writes that it has. */
async function rollBack(cluster: MemberCluster, victim: MemberId, count: number): Promise<number> {
  const leader = cluster.leader()!;
  for (let value = 1; value <= 5; value++) await write(cluster, leader, value);
  await cluster.kill(victim);
  const aside = copyOf(cluster.disks.get(victim)!);
  await cluster.start(victim);
  for (let value = 6; value <= 5 + count; value++) await write(cluster, leader, value);
  await cluster.clock.pass(300);
  expect(local(cluster, victim)).toBe(5 + count);
  await cluster.kill(victim);
  cluster.disks.set(victim, aside);
  return 5 + count;
}

describe('a member that is rolled back', () => {
  test('under the leader that it acknowledged to: it answers no read, not even a waiting one', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 11 });
    const victim = cluster.ids.find((id) => id !== cluster.leader())!;
    await rollBack(cluster, victim, 20);
    await cluster.start(victim);
    expect(notices(cluster, victim)).toBe(false);
    const waiting = [1, 2, 3].map(() => cluster.member(victim).readBarrier());
    await cluster.clock.pass(1_000);
    expect(notices(cluster, victim)).toBe(true);
    const noLeader = { ok: false, error: 'noLeader' };
    expect(await Promise.all(waiting)).toEqual([noLeader, noLeader, noLeader]);
    expect(await cluster.answer(cluster.member(victim).readBarrier())).toEqual(noLeader);
  });

  test('under a later leader, which sends all of it again: it answers, and with the newest', async () => {
    const cluster = await MemberCluster.start({ size: 5, seed: 12 });
    const old = cluster.leader()!;
    const victim = cluster.ids.find((id) => id !== old)!;
    const newest = await rollBack(cluster, victim, 20);
    await cluster.kill(old);
    await cluster.untilLed();
    await cluster.start(victim);
    expect(await cluster.answer(cluster.member(victim).readBarrier())).toMatchObject({ ok: true });
    expect(local(cluster, victim)).toBe(newest);
    expect(notices(cluster, victim)).toBe(false);
  });

  test('whenever it starts and whoever leads: what it answers was never overwritten', async () => {
    const answered = new Set<boolean>();
    for (let seed = 100; seed < 115; seed++) {
      const random = seededRandom(seed);
      const cluster = await MemberCluster.start({ size: 5, seed, snapshotCount: 10 });
      const old = cluster.leader()!;
      const [victim, other] = cluster.ids.filter((id) => id !== old);
      let newest = await rollBack(cluster, victim!, 1 + random.below(40));
      const losesLeader = random.below(2) === 0;
      if (losesLeader) await cluster.kill(old);
      await cluster.clock.pass(random.below(3_000));
      await cluster.start(victim!);
      await cluster.clock.pass(random.below(60));
      for (let reads = 0; reads < 6; reads++) {
        const atLeast = newest;
        const read = cluster.member(victim!).readBarrier();
        if (!losesLeader && random.below(2) === 0) await write(cluster, other!, ++newest);
        const outcome = await cluster.answer(read);
        answered.add(outcome.ok);
        if (outcome.ok) expect(local(cluster, victim!)).toBeGreaterThanOrEqual(atLeast);
        await cluster.clock.pass(random.below(200));
      }
      expect(cluster.fatal).toEqual([]);
    }
    expect(answered).toEqual(new Set([true, false]));
  });
});
