import { expect, test } from 'vitest';
import { simpleConf } from '../../src/raft/conf-state.ts';
import {
  decodeConfStateJson,
  decodeMemberJson,
  encodeConfStateJson,
  encodeMemberJson,
  parseHexId,
} from '../../src/snap/stored-json.ts';

const MAX_ID = 0xffff_ffff_ffff_ffffn;

test('a conf state is the JSON that etcd writes', () => {
  const state = simpleConf([1n, MAX_ID]);
  const text = '{"voters":[1,18446744073709551615],"auto_leave":false}';
  expect(encodeConfStateJson(state)).toBe(text);
  expect(decodeConfStateJson(text)).toEqual(state);
  const learning = simpleConf([2n], [7587000000000000001n]);
  expect(decodeConfStateJson(encodeConfStateJson(learning))).toEqual(learning);
});

test('so is a joint one', () => {
  const joint = {
    voters: [1n, 4n],
    learners: [5n],
    votersOutgoing: [1n, MAX_ID],
    learnersNext: [MAX_ID],
    autoLeave: true,
  };
  const text =
    '{"voters":[1,4],"learners":[5],"voters_outgoing":[1,18446744073709551615],' +
    '"learners_next":[18446744073709551615],"auto_leave":true}';
  expect(encodeConfStateJson(joint)).toBe(text);
  expect(decodeConfStateJson(text)).toEqual(joint);
});

test('a malformed conf state is none, nor one that cannot be', () => {
  const texts = [
    '{"voters":[1],"auto_leave":true}',
    '{"voters":[1],"auto_leave":1}',
    '{"voters":[1,1]}',
    '{"voters":[1],"learners":[2],"voters_outgoing":[2]}',
    '{"voters":[1],"voters_outgoing":["x"]}',
    '{"voters":[1],"learners_next":[2]}',
    '{"voters":["x"]}',
    '{"voters":1}',
    '[1]',
    '{"voters":[1',
    '',
  ];
  for (const text of texts) expect([text, decodeConfStateJson(text)]).toEqual([text, undefined]);
  expect(decodeConfStateJson('{"voters":null}')).toEqual(simpleConf([]));
});

test('a member is the JSON that etcd writes, and digits in its texts stay', () => {
  const text =
    '{"id":9372538179322589801,"peerURLs":["http://10.0.0.1:2380"],"isLearner":true,' +
    '"name":"a\\"1234567890123456789","clientURLs":["http://10.0.0.1:2379"]}';
  const member = {
    id: 9372538179322589801n,
    name: 'a"1234567890123456789',
    peerUrls: ['http://10.0.0.1:2380'],
    clientUrls: ['http://10.0.0.1:2379'],
    isLearner: true,
  };
  expect(decodeMemberJson(text)).toEqual(member);
  expect(encodeMemberJson(member)).toBe(text);
  const unstarted = { id: 1n, name: '', peerUrls: ['http://x'], clientUrls: [], isLearner: false };
  expect(encodeMemberJson(unstarted)).toBe('{"id":1,"peerURLs":["http://x"]}');
  expect(decodeMemberJson('{"id":1,"peerURLs":["http://x"],"clientURLs":null}')).toEqual(unstarted);
  for (const bad of ['{"id":-1}', '{"peerURLs":[]}', '{"id":1,"name":[]}', 'null']) {
    expect(decodeMemberJson(bad)).toBeUndefined();
  }
});

test('an id is in hexadecimal exactly as it is printed', () => {
  expect(parseHexId('f000000000000001')).toBe(0xf000_0000_0000_0001n);
  for (const bad of ['', '0a', 'F0', 'xyz', '10000000000000000']) {
    expect(parseHexId(bad)).toBeUndefined();
  }
});
