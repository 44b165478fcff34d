/** Who is told to be corrupt, and who is not. */
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { ok } from '../../src/lib/result.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { PeerAnswer } from '../../src/member/peer-question.ts';
import {
  CorruptionMonitor,
  corruptAmong,
  findInitialCorruption,
} from '../../src/service/corruption.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { FakeNode, MEMBER } from './fake-node.ts';

const PEER = { ...MEMBER, id: 0xdefn, name: 's2', peerUrls: ['http://127.0.0.1:2'] };
const pause = (): Promise<void> => Promise.resolve();

let node: FakeNode;
let monitor: CorruptionMonitor;

beforeEach(async () => {
  node = new FakeNode();
  node.memberList = [MEMBER, PEER];
  const parts = { clock: new ManualClock(), pause, askTimeoutMs: 1 };
  monitor = new CorruptionMonitor(node, { checkMs: 0, compactHashCheckMs: 0 }, parts);
  for (const key of ['a', 'b', 'a']) {
    const request = { key: utf8Encode(key), value: utf8Encode('v'), lease: 0n };
    const flags = { prevKv: false, ignoreValue: false, ignoreLease: false };
    await node.propose({ type: 'put', request: { ...request, ...flags } });
  }
  node.proposed.length = 0;
});

/** What an honest peer says; each change makes it somebody else. */
function peerSays(revision: number, changed: { hashBy?: number; compactBy?: number } = {}): void {
  const steps = node.store.hashKvSteps(revision);
  if (!steps.ok) throw new Error(steps.error);
  const { hash, compactRevision, hashRevision } = steps.value.step(1_000)!;
  const { hashBy = 0, compactBy = 0 } = changed;
  const answer: PeerAnswer = {
    type: 'hash',
    hash: hash + hashBy,
    compactRevision: compactRevision + compactBy,
    hashRevision,
  };
  node.peerAnswer = ok(answer);
}

const raised = (): readonly unknown[] =>
  node.proposed.map((request) => (request.type === 'alarm' ? request.request : request));
const ALARM = { action: 'activate', memberId: PEER.id, type: 'CORRUPT' };

describe('the newest data', () => {
  test('of equal members raises nothing', async () => {
    peerSays(4);
    await monitor.checkNewest();
    expect(node.asked).toMatchObject([{ question: { type: 'hashKv', revision: 4 } }]);
    expect(raised()).toEqual([]);
  });

  test('that differs raises the alarm for the peer, once', async () => {
    peerSays(4, { hashBy: 1 });
    await monitor.checkNewest();
    await monitor.checkNewest();
    expect(raised()).toEqual([ALARM]);
  });

  test.each<[string, () => void]>([
    ['the peer compacted meanwhile', () => peerSays(4, { hashBy: 1, compactBy: 1 })],
    ['it is behind', () => (node.peerAnswer = ok({ type: 'refused', failure: 'future' }))],
    ['it is away', () => undefined],
  ])('proves nothing if %s', async (_, prepare) => {
    prepare();
    await monitor.checkNewest();
    expect(raised()).toEqual([]);
  });

  test('is the business of the leader', async () => {
    peerSays(4, { hashBy: 1 });
    node.leader = PEER.id;
    await monitor.checkNewest();
    expect(node.asked).toEqual([]);
  });
});

describe('a compaction', () => {
  const compact = (revision: number): Promise<unknown> =>
    node.propose({ type: 'compaction', revision, physical: false });

  test('is compared until everybody was', async () => {
    await monitor.checkCompacted();
    expect(node.asked).toEqual([]);
    await compact(3);
    await monitor.checkCompacted();
    peerSays(3);
    await monitor.checkCompacted();
    expect(node.asked).toHaveLength(2);
    await monitor.checkCompacted();
    expect(node.asked).toHaveLength(2);
    await compact(4);
    node.proposed.length = 0;
    peerSays(4, { hashBy: 1 });
    await monitor.checkCompacted();
    expect(raised()).toEqual([ALARM]);
  });
});

describe('before a member serves', () => {
  test('it learns who differs from it', async () => {
    const parts = { pause, askTimeoutMs: 1 };
    expect(await findInitialCorruption(node, parts)).toBeUndefined();
    peerSays(4);
    expect(await findInitialCorruption(node, parts)).toBeUndefined();
    peerSays(4, { hashBy: 1 });
    expect(await findInitialCorruption(node, parts)).toContain('differs from that of def');
  });
});

describe('who is corrupt', () => {
  test('is the minority, whoever leads; without a majority whoever differs from the leader', () => {
    const hashes = (...all: number[]): Map<bigint, number> =>
      new Map(all.map((hash, at) => [BigInt(at + 1), hash]));
    expect(corruptAmong(hashes(7, 7, 8), 1n, 3)).toEqual([3n]);
    expect(corruptAmong(hashes(8, 7, 7), 1n, 3)).toEqual([1n]);
    expect(corruptAmong(hashes(7, 8), 1n, 3)).toEqual([2n]);
    expect(corruptAmong(hashes(7, 8, 9), 1n, 3)).toEqual([2n, 3n]);
  });

  test('is never one of a majority that agrees', () => {
    const votes = fc.array(fc.nat(2), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(votes, (all) => {
        const hashes = new Map(all.map((hash, at) => [BigInt(at), hash]));
        const corrupt = new Set(corruptAmong(hashes, 0n, all.length));
        for (const hash of new Set(all)) {
          const holders = [...hashes].filter(([, own]) => own === hash).map(([id]) => id);
          if (holders.length <= all.length / 2) continue;
          expect(holders.some((id) => corrupt.has(id))).toBe(false);
          expect(corrupt.size).toBe(all.length - holders.length);
        }
      }),
    );
  });
});
