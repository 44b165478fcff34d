import { expect, test } from 'vitest';
import { utf8Encode } from '../../src/lib/utf8.ts';
import {
  decodePeerAnswer,
  decodePeerQuestion,
  encodePeerValue,
  type PeerAnswer,
  type PeerQuestion,
} from '../../src/member/peer-question.ts';

const QUESTIONS: readonly PeerQuestion[] = [
  { type: 'leaseRenew', id: 0xffff_ffff_ffff_fffen },
  { type: 'leaseTimeToLive', id: 1n },
  { type: 'promote', member: 0x8000_0000_0000_0001n },
  { type: 'hashKv', revision: 12 },
];
const ANSWERS: readonly PeerAnswer[] = [
  { type: 'leaseRenewed', ttlS: 60 },
  { type: 'leaseTimes', ttlS: -1, grantedTtlS: 0 },
  { type: 'promoted' },
  { type: 'hash', hash: 0xffff_ffff, compactRevision: 3, hashRevision: 9 },
  { type: 'hash', hash: 0, compactRevision: -1, hashRevision: 1 },
  { type: 'refused', failure: 'learnerNotReady' },
];

test.each(QUESTIONS)('question $type comes back as it was, ids unrounded', (question) => {
  expect(decodePeerQuestion(encodePeerValue(question))).toEqual({ ok: true, value: question });
});

test.each(ANSWERS)('answer $type comes back as it was', (answer) => {
  expect(decodePeerAnswer(encodePeerValue(answer))).toEqual({ ok: true, value: answer });
});

test.each([
  '',
  '{',
  'null',
  '[]',
  '{"type":"somethingNew"}',
  '{"type":"leaseRenew","id":7}',
  '{"type":"leaseRenew","id":"0x1ffffffffffffffff"}',
  '{"type":"promote","member":"7"}',
  '{"type":"hashKv","revision":-1}',
  '{"type":"hashKv","revision":1.5}',
])('%j is no question', (text) => {
  expect(decodePeerQuestion(utf8Encode(text))).toEqual({ ok: false, error: 'malformed' });
});

test.each([
  '{"type":"leaseRenewed"}',
  '{"type":"leaseTimes","ttlS":1}',
  '{"type":"hash","hash":-1,"compactRevision":0,"hashRevision":0}',
  '{"type":"refused","failure":7}',
  '{"type":"promote","member":"0x1"}',
])('%j is no answer', (text) => {
  expect(decodePeerAnswer(utf8Encode(text))).toEqual({ ok: false, error: 'malformed' });
});
