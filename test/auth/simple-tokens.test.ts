import { describe, expect, test } from 'vitest';
import { parseSimpleToken, SimpleTokens } from '../../src/auth/simple-tokens.ts';

const TTL = 30;
const [FIRST, SECOND, THIRD] = ['aaaaaaaaaaaaaaaa', 'BBBBBBBBBBBBBBBB', 'cccccccccccccccc'];

describe('a simple token', () => {
  test('is sixteen letters, a dot and the index of the login', () => {
    expect(parseSimpleToken(`${FIRST}.42`)).toEqual({ prefix: FIRST, index: 42 });
  });

  test.each(['', FIRST, `${FIRST}.`, `${FIRST}.x`, `${FIRST}.-1`, 'short.1', `${FIRST}.1.2`])(
    '%j is none',
    (text) => {
      expect(parseSimpleToken(text)).toBeUndefined();
    },
  );

  test('is its user’s, at the index it was made at only', () => {
    const tokens = new SimpleTokens();
    tokens.assign(FIRST, 42, 'alice', 0);
    expect(tokens.madeOf(FIRST)).toBe(`${FIRST}.42`);
    expect(tokens.touch(`${FIRST}.42`, 1, TTL)).toBe('alice');
    expect(tokens.touch(`${FIRST}.43`, 1, TTL)).toBeUndefined();
    expect(tokens.touch(`${SECOND}.42`, 1, TTL)).toBeUndefined();
    expect(tokens.madeOf(SECOND)).toBeUndefined();
  });
});

describe('its life', () => {
  test('ends when it was not used for its time', () => {
    const tokens = new SimpleTokens();
    tokens.assign(FIRST, 1, 'alice', 100);
    expect(tokens.touch(`${FIRST}.1`, 100 + TTL, TTL)).toBeUndefined();
    expect(tokens.size).toBe(0);
  });

  test('starts afresh with each use', () => {
    const tokens = new SimpleTokens();
    tokens.assign(FIRST, 1, 'alice', 0);
    for (let at = TTL - 1; at < 10 * TTL; at += TTL - 1) {
      expect(tokens.touch(`${FIRST}.1`, at, TTL)).toBe('alice');
    }
  });

  test('is not prolonged by the use of another', () => {
    const tokens = new SimpleTokens();
    tokens.assign(FIRST, 1, 'alice', 0);
    tokens.assign(SECOND, 2, 'bob', 0);
    expect(tokens.touch(`${FIRST}.1`, TTL - 1, TTL)).toBe('alice');
    expect(tokens.touch(`${SECOND}.2`, TTL, TTL)).toBeUndefined();
    expect(tokens.touch(`${FIRST}.1`, TTL, TTL)).toBe('alice');
  });

  test('ends with its user', () => {
    const tokens = new SimpleTokens();
    tokens.assign(FIRST, 1, 'alice', 0);
    tokens.assign(SECOND, 2, 'bob', 0);
    tokens.assign(THIRD, 3, 'alice', 0);
    tokens.invalidateUser('alice');
    expect(tokens.touch(`${FIRST}.1`, 1, TTL)).toBeUndefined();
    expect(tokens.touch(`${THIRD}.3`, 1, TTL)).toBeUndefined();
    expect(tokens.touch(`${SECOND}.2`, 1, TTL)).toBe('bob');
  });
});

test('one token too many ends the one used longest ago', () => {
  const tokens = new SimpleTokens(2);
  tokens.assign(FIRST, 1, 'alice', 0);
  tokens.assign(SECOND, 2, 'bob', 0);
  tokens.touch(`${FIRST}.1`, 1, TTL);
  tokens.assign(THIRD, 3, 'carol', 1);
  expect(tokens.size).toBe(2);
  expect(tokens.touch(`${SECOND}.2`, 1, TTL)).toBeUndefined();
  expect(tokens.touch(`${FIRST}.1`, 1, TTL)).toBe('alice');
  expect(tokens.touch(`${THIRD}.3`, 1, TTL)).toBe('carol');
});
