/** Membership changes in both of etcd's encodings. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type ConfChange,
  isLeaveEntry,
  LEAVE_JOINT,
  oneChange,
} from '../../src/raft/confchange.ts';
import {
  decodeConfChangeEntry,
  decodeConfChangeV2,
  encodeConfChangeV2,
} from '../../src/wire/conf-change.ts';
import { encodeConfChange } from '../../src/wire/raft-records.ts';

const SEEDED = { seed: 20_260_803, numRuns: 300 };
const NONE = new Uint8Array(0);

const change: fc.Arbitrary<ConfChange> = fc.record({
  transition: fc.constantFrom('auto', 'jointImplicit', 'jointExplicit'),
  changes: fc.array(
    fc.record({
      type: fc.constantFrom('addVoter', 'addLearner', 'remove', 'update'),
      member: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
    }),
    { maxLength: 5 },
  ),
});

describe('version 2', () => {
  test('comes back as it was', () => {
    fc.assert(
      fc.property(change, fc.uint8Array({ maxLength: 40 }), (value, context) => {
        const data = encodeConfChangeV2(value, context);
        const record = { change: value, context };
        expect(decodeConfChangeV2(data)).toEqual({ ok: true, value: record });
        const entry = { type: 'confChangeV2', data } as const;
        expect(decodeConfChangeEntry(entry)).toEqual({ ok: true, value: { ...record, id: 0n } });
      }),
      SEEDED,
    );
  });

  test('is the bytes of etcd: transition, and of each change type and id, are always there', () => {
    expect(hex(encodeConfChangeV2(oneChange('addVoter', 1n), NONE))).toBe('0800120408001001');
    const joint: ConfChange = {
      transition: 'jointExplicit',
      changes: [
        { type: 'addLearner', member: 300n },
        { type: 'remove', member: 2n },
      ],
    };
    expect(hex(encodeConfChangeV2(joint, Uint8Array.of(0x61)))).toBe(
      '08021205080310ac021204080110021a0161',
    );
  });

  test('leaves a joint configuration by no bytes at all', () => {
    const data = encodeConfChangeV2(LEAVE_JOINT, NONE);
    expect(isLeaveEntry({ type: 'confChangeV2', data })).toBe(true);
    // As a client of etcd's library would encode it; raft refuses to take it for a leave.
    expect(decodeConfChangeV2(Uint8Array.of(0x08, 0))).toMatchObject({
      ok: true,
      value: { change: LEAVE_JOINT },
    });
  });
});

test('version 1 is one change, with the id of its request', () => {
  const context = Uint8Array.of(1, 2);
  const changes = {
    addNode: 'addVoter',
    addLearnerNode: 'addLearner',
    removeNode: 'remove',
    updateNode: 'update',
  } as const;
  for (const type of ['addNode', 'addLearnerNode', 'removeNode', 'updateNode'] as const) {
    const data = encodeConfChange({ id: 7n, type, nodeId: 9n, context });
    expect(decodeConfChangeEntry({ type: 'confChange', data })).toEqual({
      ok: true,
      value: { change: oneChange(changes[type], 9n), id: 7n, context },
    });
  }
});

describe('malformed bytes are a value', () => {
  test('whatever they are', () => {
    const type = fc.constantFrom('confChange' as const, 'confChangeV2' as const);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), type, (data, entryType) => {
        const result = decodeConfChangeEntry({ type: entryType, data });
        if (!result.ok) expect(result.error.reason).not.toBe('');
      }),
      { ...SEEDED, numRuns: 2_000 },
    );
  });

  test.each([
    ['a transition to come', [0x08, 3], /transition 3/],
    ['a change to come', [0x12, 2, 0x08, 4], /type 4/],
    ['a change that is cut', [0x12, 3, 0x08, 0, 0x10], /no end/],
    ['bytes for a transition', [0x0a, 0], /wire type 2/],
  ])('%s', (_, bytes, reason) => {
    const result = decodeConfChangeV2(Uint8Array.from(bytes));
    expect(result.ok).toBe(false);
    if (!result.ok) expect(result.error.reason).toMatch(reason);
  });
});

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
