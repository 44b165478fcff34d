/** The pure parts beside their obvious, slow models. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import { applyChange, oneChange } from '../../src/raft/confchange.ts';
import { raftConfig } from '../../src/raft/config.ts';
import { Inflights } from '../../src/raft/inflights.ts';
import { entrySizeBytes, RaftLog } from '../../src/raft/log.ts';
import type { Entry } from '../../src/raft/message.ts';
import { quorumValue, voteResult } from '../../src/raft/quorum.ts';
import { PENDING_READS_MAX, ReadOnly } from '../../src/raft/read-only.ts';
import { forkedRandom } from './forked-random.ts';

const SEED = { seed: 20_26 };

function entry(index: number, term: number): Entry {
  return { type: 'normal', term, index, data: new Uint8Array(0) };
}

/** Entries from index 1 with these terms; nothing committed. */
function logOf(terms: readonly number[], commit: number = 0): RaftLog {
  const entries = terms.map((term, i) => entry(i + 1, term));
  return new RaftLog({ snapshot: { index: 0, term: 0 }, entries, commit, applied: 0 });
}

function termsOf(log: RaftLog): (number | undefined)[] {
  return Array.from({ length: log.lastIndex - log.base }, (_, i) => log.termAt(log.base + i + 1));
}

const ascendingTerms = fc
  .array(fc.integer({ min: 1, max: 6 }), { maxLength: 12 })
  .map((terms) => terms.sort((a, b) => a - b));

describe('quorum', () => {
  test('the value is the largest that a majority has reached', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { minLength: 1, maxLength: 7 }), (values) => {
        const value = quorumValue(
          values.map((_, i) => BigInt(i + 1)),
          (id) => values[Number(id) - 1]!,
        );
        const reachedBy = (bound: number): number => values.filter((v) => v >= bound).length;
        expect(reachedBy(value) * 2).toBeGreaterThan(values.length);
        expect(reachedBy(value + 1) * 2).toBeLessThanOrEqual(values.length);
      }),
      SEED,
    );
  });

  test('nobody is outvoted in an empty half of a joint configuration', () => {
    expect(quorumValue([], () => 0)).toBe(Number.POSITIVE_INFINITY);
    expect(voteResult([], new Map())).toBe('won');
  });

  test.each([
    [[true, undefined, undefined], 'pending'],
    [[true, true, undefined], 'won'],
    [[false, true, undefined], 'pending'],
    [[false, false, undefined], 'lost'],
    [[true, true, false, false], 'lost'],
    [[true, true, true, false], 'won'],
  ] as const)('votes %j: %s', (answers, result) => {
    const voters = answers.map((_, i) => BigInt(i + 1));
    const votes = new Map<bigint, boolean>();
    for (const [i, answer] of answers.entries()) {
      if (answer !== undefined) votes.set(BigInt(i + 1), answer);
    }
    expect(voteResult(voters, votes)).toBe(result);
  });
});

describe('inflights', () => {
  test('agree with a list', () => {
    const limits = { maxInflightMessages: 20, maxInflightBytes: 100 };
    const action = fc.tuple(fc.boolean(), fc.nat(12));
    fc.assert(
      fc.property(fc.array(action, { maxLength: 200 }), (actions) => {
        const inflights = new Inflights(limits);
        let model: { index: number; bytes: number }[] = [];
        let index = 0;
        for (const [add, amount] of actions) {
          if (add && !inflights.full()) {
            index++;
            inflights.add(index, amount);
            model.push({ index, bytes: amount });
          } else if (!add) {
            inflights.freeTo(index - amount);
            model = model.filter((message) => message.index > index - amount);
          }
          const bytes = model.reduce((sum, message) => sum + message.bytes, 0);
          expect([inflights.count, inflights.bytes]).toEqual([model.length, bytes]);
          expect(inflights.full()).toBe(model.length >= 20 || bytes >= 100);
        }
      }),
      SEED,
    );
  });
});

describe('log', () => {
  test('accepting makes the log equal to the leader’s up to the last entry sent', () => {
    const cut = fc.tuple(fc.nat(12), fc.nat(12));
    fc.assert(
      fc.property(ascendingTerms, ascendingTerms, cut, (own, leader, [from, count]) => {
        const log = logOf(own);
        const previous = Math.min(from, leader.length);
        const sent = leader.slice(previous, previous + count);
        const entries = sent.map((term, i) => entry(previous + i + 1, term));
        const result = log.accept(previous, previous === 0 ? 0 : leader[previous - 1]!, entries);
        const fits = previous === 0 || own[previous - 1] === leader[previous - 1];
        expect(result.type).toBe(fits ? 'accepted' : 'mismatch');
        const through = previous + sent.length;
        if (fits) expect(termsOf(log).slice(previous, through)).toEqual(sent);
        else expect(termsOf(log)).toEqual(own);
        expect(log.stable).toBeLessThanOrEqual(log.handed);
      }),
      SEED,
    );
  });

  test('a committed entry is never replaced', () => {
    const log = logOf([1, 1, 2], 2);
    const replacement = [entry(2, 3), entry(3, 3)];
    expect(log.accept(1, 1, replacement)).toEqual({ type: 'conflictsWithCommitted', index: 2 });
    expect(termsOf(log)).toEqual([1, 1, 2]);
  });

  test('as many entries as fit are found from the end', () => {
    const entries = [100, 200, 300, 400].map((sizeBytes, at): Entry => {
      return { ...entry(8 + at, 1), data: new Uint8Array(sizeBytes - entrySizeBytes(entry(1, 1))) };
    });
    const log = new RaftLog({ snapshot: { index: 7, term: 1 }, entries, commit: 7, applied: 7 });
    expect(log.indexWithin(11, 10_000)).toBe(7);
    expect(log.indexWithin(11, 700)).toBe(9);
    expect(log.indexWithin(11, 699)).toBe(10);
    expect(log.indexWithin(11, 1)).toBe(11);
    expect(log.indexWithin(9, 200)).toBe(8);
    expect(log.indexWithin(20, 400)).toBe(10);
    expect(log.indexWithin(3, 400)).toBe(7);
  });

  test('the conflict search agrees with a walk', () => {
    const query = fc.tuple(fc.nat(15), fc.nat(7));
    fc.assert(
      fc.property(ascendingTerms, query, (terms, [index, term]) => {
        let walk = Math.min(index, terms.length);
        while (walk > 0 && terms[walk - 1]! > term) walk--;
        expect(logOf(terms).findConflictByTerm(index, term, 0)).toBe(walk);
      }),
      SEED,
    );
  });

  test('what storage confirms counts only while it is still there', () => {
    const log = logOf([1, 1]);
    log.append(entry(3, 2));
    log.append(entry(4, 2));
    expect(log.takeUnhanded().entries).toHaveLength(2);
    expect(log.stableTo(3, 2)).toBe(true);
    log.accept(2, 1, [entry(3, 5)]);
    expect([log.stable, log.handed]).toEqual([2, 2]);
    expect(log.stableTo(4, 2)).toBe(false);
    expect(log.stableTo(3, 2)).toBe(false);
    expect(log.takeUnhanded().entries).toEqual([entry(3, 5)]);
    expect(log.stableTo(3, 5)).toBe(true);
  });

  test('compaction keeps what is not applied or not durable', () => {
    const log = logOf([1, 1, 1, 1], 4);
    log.takeCommitted(Number.POSITIVE_INFINITY);
    log.appliedTo(3);
    log.compact(4);
    expect([log.base, log.lastIndex, log.termAt(3), log.termAt(2)]).toEqual([3, 4, 1, undefined]);
  });

  test('a portion is at least one entry and at most the limit', () => {
    const log = logOf([1, 1, 1, 1, 1], 5);
    const size = entrySizeBytes({ data: new Uint8Array(0) });
    expect(log.takeCommitted(1)).toHaveLength(1);
    expect(log.takeCommitted(size * 2)).toHaveLength(2);
    expect(log.takeCommitted(size * 9)).toHaveLength(2);
    expect(log.takeCommitted(size * 9)).toHaveLength(0);
  });

  test('nothing is applied before a pending snapshot is installed', () => {
    const log = logOf([1, 1], 1);
    const confState = simpleConf([1n]);
    const meta = { index: 5, term: 3, confState };
    log.restore(meta);
    expect(log.accept(5, 3, [entry(6, 3)])).toMatchObject({ type: 'accepted' });
    log.commitTo(6);
    expect(log.takeUnhanded().snapshot).toBe(meta);
    expect(log.takeCommitted(1_000)).toEqual([]);
    expect(log.snapshotInstalled(meta)).toBe(true);
    expect(log.takeCommitted(1_000)).toEqual([entry(6, 3)]);
  });
});

describe('read rounds', () => {
  test('reads join until the heartbeats leave, and a later answer confirms earlier rounds', () => {
    const reads = new ReadOnly();
    const voters = simpleConf([1n, 2n, 3n]);
    expect(reads.add({ from: 1n, context: 1 }, 10)).toBe(true);
    expect(reads.add({ from: 2n, context: 2 }, 11)).toBe(false);
    reads.close();
    expect(reads.add({ from: 1n, context: 3 }, 12)).toBe(true);
    expect(reads.takeConfirmed(voters, 1n)).toEqual([]);
    reads.acknowledge(3n, 2);
    const confirmed = reads.takeConfirmed(voters, 1n);
    expect(confirmed.map(({ index, requests }) => [index, requests.length])).toEqual([
      [11, 2],
      [12, 1],
    ]);
    expect([reads.pendingCount, reads.context]).toEqual([0, 0]);
  });

  test('an answer from the future confirms nothing', () => {
    const reads = new ReadOnly();
    reads.add({ from: 1n, context: 1 }, 10);
    reads.acknowledge(2n, 2);
    expect(reads.takeConfirmed(simpleConf([1n, 2n, 3n]), 1n)).toEqual([]);
  });

  test('are bounded', () => {
    const reads = new ReadOnly();
    for (let i = 0; i < PENDING_READS_MAX; i++) reads.postpone({ from: 1n, context: i + 1 });
    expect(reads.full()).toBe(true);
    expect(reads.takePostponed()).toHaveLength(PENDING_READS_MAX);
    expect(reads.full()).toBe(false);
  });
});

describe('membership', () => {
  test('changes are sets of one member, and never leave no voter', () => {
    const conf = simpleConf([1n, 2n], [3n]);
    expect(applyChange(conf, oneChange('addVoter', 3n))).toEqual(simpleConf([1n, 2n, 3n]));
    expect(applyChange(conf, oneChange('addLearner', 2n))).toEqual(simpleConf([1n], [2n, 3n]));
    expect(applyChange(conf, oneChange('remove', 9n))).toEqual(conf);
    const alone = simpleConf([1n]);
    expect(applyChange(alone, oneChange('remove', 1n))).toBe(alone);
    expect(applyChange(alone, oneChange('addLearner', 1n))).toBe(alone);
  });
});

describe('config', () => {
  test('names what is wrong', () => {
    const random = forkedRandom(1);
    expect(raftConfig({ id: 1n, random }).electionTimeoutTicks).toBe(10);
    expect(() => raftConfig({ id: 0n, random })).toThrow('member id 0');
    expect(() => raftConfig({ id: 1n, random, maxInflightBytes: 0 })).toThrow('maxInflightBytes');
    expect(() => raftConfig({ id: 1n, random, heartbeatTicks: 10 })).toThrow('heartbeatTicks');
  });
});
