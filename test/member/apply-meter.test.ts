import { expect, test } from 'vitest';
import { seededRandom } from '../../harness/seeded-random.ts';
import { putRequest } from '../../src/client/requests.ts';
import { Member } from '../../src/member/member.ts';
import { simpleConf } from '../../src/raft/conf-state.ts';
import type { Entry } from '../../src/raft/message.ts';
import { encodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { MEMBER_CONFIG } from './member-config.ts';

test('the meter is told of every entry, when its effect is there', () => {
  const entries = Array.from({ length: 5 }, (_, at): Entry => {
    const request = putRequest({ key: `k${at}`, value: 'v' });
    const data = encodeLoggedRequest({ id: 0n, request: { type: 'put', request } });
    return { type: 'normal', term: 1, index: at + 1, data };
  });
  const hardState = { term: 1, vote: undefined, commit: 5 };
  const snapshot = { index: 0, term: 0, confState: simpleConf([1n, 2n, 3n]) };
  const recovered = {
    checkpoint: undefined,
    raft: { hardState, snapshot, entries, applied: 0 },
  };
  const told: string[] = [];
  const member: Member = new Member(MEMBER_CONFIG, recovered, seededRandom(1), {
    begin: () => told.push('begin'),
    applied: ({ index }) => told.push(`${index}: ${member.machine.store.revision}`),
  });
  for (let turn = 0; turn < 10; turn++) member.takeOutputs();
  expect(told.filter((each) => each !== 'begin')).toEqual(['1: 2', '2: 3', '3: 4', '4: 5', '5: 6']);
  expect(told[0]).toBe('begin');
});
