/** Membership changes as pure functions: what they make, what they refuse, and why it is safe. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { MemberId } from '../../src/lib/ids.ts';
import { confStateFault, isJoint, MEMBERS_MAX, simpleConf } from '../../src/raft/conf-state.ts';
import {
  applyChange,
  type ConfChange,
  changeConf,
  isLeaveEntry,
  LEAVE_JOINT,
  oneChange,
} from '../../src/raft/confchange.ts';
import type { ConfState } from '../../src/raft/message.ts';
import { jointQuorumValue, jointVoteResult } from '../../src/raft/quorum.ts';
import { parseConfChange } from './test-member.ts';

const SEED = { seed: 20_26, numRuns: 500 };
/** Few, so that changes meet, and every set of them can be looked at. */
const IDS: readonly MemberId[] = [1n, 2n, 3n, 4n, 5n, 6n];

const single = fc.record({
  type: fc.constantFrom(
    'addVoter' as const,
    'addLearner' as const,
    'remove' as const,
    'update' as const,
  ),
  member: fc.constantFrom(0n, ...IDS),
});
const joint: fc.Arbitrary<ConfChange> = fc.record({
  transition: fc.constantFrom('auto' as const, 'jointImplicit' as const, 'jointExplicit' as const),
  changes: fc.array(single, { maxLength: 4 }),
});
const change = fc.oneof(
  joint,
  single.map(({ type, member }) => oneChange(type, member)),
  fc.constant(LEAVE_JOINT),
);
const changes = fc.array(change, { minLength: 1, maxLength: 30 });

function changed(conf: ConfState, text: string): ConfState {
  const result = changeConf(conf, parseConfChange(text));
  expect(result).toMatchObject({ ok: true });
  return applyChange(conf, parseConfChange(text));
}

function refusal(conf: ConfState, asked: ConfChange): string | undefined {
  const result = changeConf(conf, asked);
  expect(applyChange(conf, asked) === conf).toBe(!result.ok);
  return result.ok ? undefined : result.error;
}

function decides(conf: ConfState, set: readonly MemberId[]): boolean {
  return jointVoteResult(conf, new Map(set.map((id) => [id, true]))) === 'won';
}

/** Two sets without a common member, one deciding under each configuration? */
function disjointDeciders(a: ConfState, b: ConfState): boolean {
  for (let bits = 0; bits < 2 ** IDS.length; bits++) {
    const inside = IDS.filter((_, at) => (bits >> at) % 2 === 1);
    const outside = IDS.filter((_, at) => (bits >> at) % 2 === 0);
    if (decides(a, inside) && decides(b, outside)) return true;
  }
  return false;
}

describe('any sequence of changes', () => {
  test('gives memberships that can exist, the same whenever it is applied', () => {
    fc.assert(
      fc.property(changes, (sequence) => {
        let first = simpleConf([1n, 2n, 3n]);
        let second = simpleConf([1n, 2n, 3n]);
        for (const next of sequence) {
          first = applyChange(first, next);
          second = applyChange(second, structuredClone(next));
          expect(confStateFault(first)).toBeUndefined();
          expect(second).toEqual(first);
          expect(first.voters.length).toBeGreaterThan(0);
        }
      }),
      SEED,
    );
  });

  test('goes by steps whose majorities overlap (thesis 4.1, 4.3)', () => {
    let joints = 0;
    fc.assert(
      fc.property(changes, (sequence) => {
        let conf = simpleConf([1n, 2n, 3n]);
        for (const next of sequence) {
          const after = applyChange(conf, next);
          expect(disjointDeciders(conf, after)).toBe(false);
          if (isJoint(after)) joints++;
          conf = after;
        }
      }),
      { ...SEED, numRuns: 100 },
    );
    expect(joints).toBeGreaterThan(100);
    // The check can fail: two at once without a joint phase.
    expect(disjointDeciders(simpleConf([1n]), simpleConf([1n, 2n, 3n]))).toBe(true);
  });

  test('through a joint configuration ends where the single changes end', () => {
    fc.assert(
      fc.property(fc.array(single, { minLength: 2, maxLength: 5 }), (list) => {
        const start = simpleConf([1n, 2n, 3n], [4n]);
        const entered = changeConf(start, { transition: 'auto', changes: list });
        if (!entered.ok) return;
        const jointly = applyChange(entered.value, LEAVE_JOINT);
        // A voter that never leaves keeps the way of single changes from ending without any.
        const guard = (conf: ConfState): ConfState => applyChange(conf, oneChange('addVoter', 9n));
        const one = list.reduce(
          (conf, { type, member }) => applyChange(conf, oneChange(type, member)),
          guard(start),
        );
        expect(guard(jointly)).toEqual(one);
      }),
      SEED,
    );
  });
});

describe('a joint configuration', () => {
  test('keeps a demoted voter a voter until it is left', () => {
    const entered = changed(simpleConf([1n, 2n, 3n]), 'addVoter 4, addLearner 3, remove 2');
    expect(entered).toEqual({
      voters: [1n, 4n],
      votersOutgoing: [1n, 2n, 3n],
      learners: [],
      learnersNext: [3n],
      autoLeave: true,
    });
    expect(changed(entered, '')).toEqual(simpleConf([1n, 4n], [3n]));
  });

  test('is entered by one change too, if asked to be', () => {
    const entered = changed(simpleConf([1n]), 'explicit: addVoter 2');
    expect(entered).toMatchObject({ voters: [1n, 2n], votersOutgoing: [1n], autoLeave: false });
    const implicit: ConfChange = { ...oneChange('addVoter', 2n), transition: 'jointImplicit' };
    expect(applyChange(simpleConf([1n]), implicit)).toEqual({ ...entered, autoLeave: true });
  });

  test('makes a learner that comes back a voter, and not both', () => {
    const entered = changed(simpleConf([1n, 2n]), 'addLearner 2, addVoter 3, addVoter 2');
    expect(entered).toMatchObject({ voters: [1n, 2n, 3n], learnersNext: [], learners: [] });
  });
});

describe('refused, and nothing is changed:', () => {
  const conf = simpleConf([1n, 2n], [3n]);
  const inJoint = applyChange(conf, parseConfChange('explicit: addVoter 3'));

  test('what the joint state does not allow', () => {
    expect(refusal(conf, LEAVE_JOINT)).toBe('notJoint');
    expect(refusal(inJoint, oneChange('addVoter', 4n))).toBe('joint');
    expect(refusal(inJoint, oneChange('update', 1n))).toBe('joint');
    expect(refusal(inJoint, parseConfChange('addVoter 4, remove 1'))).toBe('joint');
    expect(refusal(inJoint, LEAVE_JOINT)).toBeUndefined();
  });

  test('to be left without a voter, or to go joint from none', () => {
    expect(refusal(conf, parseConfChange('remove 1, remove 2'))).toBe('noVoters');
    expect(refusal(conf, parseConfChange('addLearner 1, addLearner 2'))).toBe('noVoters');
    expect(refusal(simpleConf([]), oneChange('addLearner', 1n))).toBe('noVoters');
    expect(refusal(simpleConf([]), parseConfChange('addVoter 1, addVoter 2'))).toBe('noVoters');
    expect(refusal(simpleConf([]), oneChange('addVoter', 1n))).toBeUndefined();
  });

  test('more members than one configuration may have', () => {
    const full = simpleConf(Array.from({ length: MEMBERS_MAX }, (_, i) => BigInt(i + 1)));
    expect(refusal(full, oneChange('addLearner', 5_000n))).toBe('tooManyMembers');
    const many = Array.from({ length: 100_000 }, (_, i) => ({
      type: 'addLearner' as const,
      member: BigInt(i + 1_000),
    }));
    expect(refusal(conf, { transition: 'auto', changes: many })).toBe('tooManyMembers');
  });
});

test('a leave is told by its type and by having no data', () => {
  const none = new Uint8Array(0);
  expect(isLeaveEntry({ type: 'confChangeV2', data: none })).toBe(true);
  expect(isLeaveEntry({ type: 'confChange', data: none })).toBe(false);
  expect(isLeaveEntry({ type: 'confChangeV2', data: Uint8Array.of(1) })).toBe(false);
});

test.each([
  ['an id twice', { voters: [1n, 1n] }, 'a member appears twice'],
  ['a voter that learns', { voters: [1n, 2n], learners: [2n] }, 'a member appears twice'],
  ['id 0', { voters: [0n] }, 'member id 0'],
  ['an outgoing learner', { votersOutgoing: [2n], learners: [2n] }, 'a learner still votes'],
  ['a future learner from nowhere', { learnersNext: [2n] }, 'a future learner does not vote'],
  ['a leave of nothing', { autoLeave: true }, 'nothing to leave'],
  ['only the outgoing half', { voters: [], votersOutgoing: [1n] }, 'no incoming voters'],
] as const)('a membership that cannot be: %s', (_, fields, fault) => {
  expect(confStateFault({ ...simpleConf([1n]), ...fields })).toBe(fault);
});

describe('decisions of two majorities', () => {
  const sets = { voters: [1n, 2n, 3n], votersOutgoing: [3n, 4n, 5n] };

  test('a value counts once both have reached it', () => {
    const reached = new Map([
      [1n, 9],
      [2n, 8],
      [3n, 7],
      [4n, 3],
      [5n, 2],
    ]);
    expect(jointQuorumValue(sets, (id) => reached.get(id)!)).toBe(3);
    expect(jointQuorumValue({ ...sets, votersOutgoing: [] }, (id) => reached.get(id)!)).toBe(8);
  });

  test.each([
    [[1, 2, 3], [], 'pending'],
    [[1, 2, 4, 5], [], 'won'],
    [[1, 2], [4, 5], 'lost'],
    [[3, 4], [1], 'pending'],
    [[4, 5], [1, 2], 'lost'],
  ])('yes from %j and no from %j: %s', (yes, no, result) => {
    const votes = new Map([
      ...yes.map((id) => [BigInt(id), true] as const),
      ...no.map((id) => [BigInt(id), false] as const),
    ]);
    expect(jointVoteResult(sets, votes)).toBe(result);
  });
});
