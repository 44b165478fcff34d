import { describe, expect, test } from 'vitest';
import {
  ALL_ERRORS,
  definiteness,
  type ServiceFailure,
  serviceError,
} from '../../src/service/errors.ts';

describe('the table of errors', () => {
  test.each<[ServiceFailure, number, string, boolean]>([
    ['keyNotProvided', 3, 'key is not provided', true],
    ['keyNotFound', 3, 'key not found', true],
    ['valueProvided', 3, 'value is provided', true],
    ['leaseProvided', 3, 'lease is provided', true],
    ['tooManyOps', 3, 'too many operations in txn request', true],
    ['duplicateKey', 3, 'duplicate key given in txn request', true],
    ['invalidSortOption', 3, 'invalid sort option', true],
    ['requestTooLarge', 3, 'request is too large', true],
    ['compacted', 11, 'mvcc: required revision has been compacted', true],
    ['futureRevision', 11, 'mvcc: required revision is a future revision', true],
    ['leaseNotFound', 5, 'requested lease not found', true],
    ['notSupportedForLearner', 9, 'rpc not supported for learner', true],
    ['tooManyRequests', 2, 'too many requests', true],
    ['noLeader', 14, 'no leader', true],
    ['leaderChanged', 14, 'leader changed', true],
    ['stopped', 14, 'server stopped', false],
    ['timeout', 14, 'request timed out', false],
    [
      'timeoutLeaderFailed',
      14,
      'request timed out, possibly due to previous leader failure',
      false,
    ],
  ])('%s', (failure, code, text, definite) => {
    const message = `etcdserver: ${text}`;
    expect(serviceError(failure)).toEqual({ code, message, definite });
    expect(definiteness(code, message)).toBe(definite);
  });

  test('has every text once', () => {
    expect(new Set(ALL_ERRORS.map(({ message }) => message)).size).toBe(ALL_ERRORS.length);
  });

  test('what times out, stops or is cancelled is never definite', () => {
    for (const { message, definite } of ALL_ERRORS) {
      if (/timed out|deadline|stopped|cancel/.test(message)) expect(definite).toBe(false);
    }
  });
});

describe('an answer from a server', () => {
  test('is definite if code and text are known to be', () => {
    expect(definiteness(7, 'etcdserver: permission denied')).toBe(true);
    expect(definiteness(4, 'etcdserver: context deadline exceeded')).toBe(false);
  });

  test('running out of space is not: a real etcd may have applied the write', () => {
    expect(definiteness(8, 'etcdserver: mvcc: database space exceeded')).toBe(false);
  });

  test('is indefinite if the text is unknown, or the code is not the text’s', () => {
    expect(definiteness(14, 'connection reset')).toBe(false);
    expect(definiteness(3, '')).toBe(false);
    expect(definiteness(8, 'etcdserver: too many requests')).toBe(false);
    expect(definiteness(2, 'etcdserver: no leader')).toBe(false);
  });
});
