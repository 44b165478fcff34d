import { describe, expect, test } from 'vitest';
import { utf8Decode, utf8Encode } from '../../src/lib/utf8.ts';
import type { StartedMember } from '../../src/member/started-member.ts';
import type { PutRequest, RangeRequest } from '../../src/mvcc/request.ts';
import { MemberCluster } from './member-cluster.ts';

const NONE = new Uint8Array(0);

function put(key: string, value: string): { type: 'put'; request: PutRequest } {
  const flags = { lease: 0n, prevKv: false, ignoreValue: false, ignoreLease: false };
  return { type: 'put', request: { key: utf8Encode(key), value: utf8Encode(value), ...flags } };
}

function rangeOf(key: string): RangeRequest {
  return {
    key: utf8Encode(key),
    rangeEnd: NONE,
    limit: 0,
    revision: 0,
    sortOrder: 'none',
    sortTarget: 'key',
    serializable: true,
    keysOnly: false,
    countOnly: false,
    minModRevision: 0,
    maxModRevision: 0,
    minCreateRevision: 0,
    maxCreateRevision: 0,
  };
}

function local(member: StartedMember, key: string): string | undefined {
  const read = member.range(rangeOf(key));
  const [kv] = read.ok ? read.value.kvs : [];
  return kv === undefined ? undefined : utf8Decode(kv.value);
}

async function mustPut(cluster: MemberCluster, id: bigint, key: string, value: string) {
  const outcome = await cluster.answer(cluster.member(id).propose(put(key, value)));
  expect(outcome).toMatchObject({ ok: true });
}

async function linearizable(cluster: MemberCluster, id: bigint, key: string) {
  const barrier = await cluster.answer(cluster.member(id).readBarrier());
  expect(barrier).toEqual({ ok: true, value: undefined });
  return local(cluster.member(id), key);
}

describe('members', () => {
  test('elect a leader, publish themselves, and every one takes writes and reads', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 1 });
    for (const id of cluster.ids) await mustPut(cluster, id, `k${id}`, `v${id}`);
    for (const id of cluster.ids) {
      for (const other of cluster.ids) {
        expect(await linearizable(cluster, id, `k${other}`)).toBe(`v${other}`);
      }
      await cluster.clock.pass(200);
      expect(
        cluster
          .member(id)
          .members()
          .map(({ name }) => name),
      ).toEqual(['n1', 'n2', 'n3']);
      expect(
        cluster
          .member(id)
          .members()
          .map(({ clientUrls }) => clientUrls.length),
      ).toEqual([1, 1, 1]);
    }
    expect(cluster.fatal).toEqual([]);
  });

  test('a write that nobody can decide times out as indefinite, and one never proposed as definite', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 2 });
    const leader = cluster.leader()!;
    cluster.cut.add(leader);
    const doubtful = await cluster.answer(cluster.member(leader).propose(put('k', 'v')));
    expect(doubtful).toEqual({ ok: false, error: 'timeoutLeaderFailed' });
    const refused = await cluster.answer(cluster.member(leader).propose(put('k', 'v')));
    expect(refused).toEqual({ ok: false, error: 'noLeader' });
  });

  test('an isolated old leader serves no linearizable read; after healing it follows', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 3 });
    const old = cluster.leader()!;
    await mustPut(cluster, old, 'k', 'before');
    cluster.cut.add(old);
    const next = await cluster.untilLed();
    expect(next).not.toBe(old);
    await mustPut(cluster, next, 'k', 'after');
    const read = cluster.member(old).readBarrier();
    await cluster.clock.pass(500);
    cluster.cut.clear();
    expect(await cluster.answer(read)).toEqual({ ok: true, value: undefined });
    expect(local(cluster.member(old), 'k')).toBe('after');
  });

  test('what was acknowledged survives kill -9 of all members at once, ten times', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 4 });
    for (let round = 0; round < 10; round++) {
      const leader = cluster.leader()!;
      for (const id of cluster.ids) await mustPut(cluster, id, `r${round}/${id}`, 'kept');
      const unacknowledged = cluster.member(leader).propose(put('lost?', `${round}`));
      await cluster.clock.settle();
      for (const id of cluster.ids) await cluster.kill(id);
      expect(await unacknowledged).toBeDefined();
      for (const id of cluster.ids) await cluster.start(id);
      await cluster.untilLed();
      for (const id of cluster.ids) {
        for (const other of cluster.ids) {
          expect(await linearizable(cluster, id, `r${round}/${other}`)).toBe('kept');
        }
      }
    }
    expect(cluster.fatal).toEqual([]);
  });

  test('a member far behind is brought up by a snapshot, and restarts from it', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 5, snapshotCount: 20 });
    const leader = cluster.leader()!;
    const late = cluster.ids.find((id) => id !== leader)!;
    await cluster.kill(late);
    for (let n = 0; n < 60; n++) await mustPut(cluster, leader, `k${n}`, `v${n}`);
    expect(cluster.log(leader)).toContain('saved checkpoint');
    await cluster.start(late);
    expect(await linearizable(cluster, late, 'k59')).toBe('v59');
    expect(local(cluster.member(late), 'k0')).toBe('v0');
    await mustPut(cluster, late, 'more', 'later');
    for (const id of cluster.ids) await cluster.kill(id);
    for (const id of cluster.ids) await cluster.start(id);
    await cluster.untilLed();
    for (const id of cluster.ids) {
      expect(await linearizable(cluster, id, 'k30')).toBe('v30');
      expect(await linearizable(cluster, id, 'more')).toBe('later');
      expect(cluster.member(id).status().revision).toBe(62);
    }
    expect(cluster.fatal).toEqual([]);
  });

  test('a log of few entries that take much memory becomes a checkpoint all the same', async () => {
    const cluster = await MemberCluster.start({ size: 1, seed: 9 });
    const value = 'x'.repeat(1_500_000);
    for (let n = 0; n < 40; n++) await mustPut(cluster, 1n, `k${n}`, value);
    expect(cluster.log(1n)).not.toContain('saved checkpoint');
    for (let n = 40; n < 50; n++) await mustPut(cluster, 1n, `k${n}`, value);
    expect(cluster.log(1n)).toContain('saved checkpoint');
    await cluster.kill(1n);
    await cluster.start(1n);
    await cluster.untilLed();
    expect(await linearizable(cluster, 1n, 'k0')).toBe(value);
    expect(await linearizable(cluster, 1n, 'k49')).toBe(value);
    expect(cluster.fatal).toEqual([]);
  });

  test('a checkpoint that cannot be written is tried again later, not at once', async () => {
    const cluster = await MemberCluster.start({ size: 1, seed: 8, snapshotCount: 20 });
    const disk = cluster.disks.get(1n)!;
    disk.failNth('rename', 1, 'ENOSPC');
    for (let n = 0; n < 25; n++) await mustPut(cluster, 1n, `k${n}`, 'v');
    await cluster.clock.pass(1_000);
    expect(cluster.log(1n).filter((line) => line.startsWith('checkpoint failed')).length).toBe(1);
    expect(cluster.log(1n)).not.toContain('saved checkpoint');
    await cluster.clock.pass(10_000);
    expect(cluster.log(1n)).toContain('saved checkpoint');
    expect(cluster.fatal).toEqual([]);
  });

  test('a leader that stops hands leadership over before it goes', async () => {
    const cluster = await MemberCluster.start({ size: 3, seed: 6 });
    const old = cluster.leader()!;
    const other = cluster.ids.find((id) => id !== old)!;
    const { term } = cluster.member(other).status();
    const stopping = cluster.member(old).stop();
    await cluster.clock.pass(300);
    await stopping;
    expect(cluster.member(other).status().leader).not.toBe(old);
    expect(cluster.member(other).status().term).toBe(term + 1);
    expect(await cluster.member(old).propose(put('k', 'v'))).toEqual({
      ok: false,
      error: 'stopped',
    });
  });

  test('a request too large is refused before it is proposed', async () => {
    const cluster = await MemberCluster.start({ size: 1, seed: 7 });
    const big = put('k', 'x'.repeat(1_600_000));
    const outcome = await cluster.answer(cluster.member(1n).propose(big));
    expect(outcome).toEqual({ ok: false, error: 'requestTooLarge' });
  });
});
