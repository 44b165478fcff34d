import { describe, expect, test } from 'vitest';
import { type ConnectionPeer, callerOf, PLAIN_PEER } from '../../src/api/rpc-caller.ts';
import { ANONYMOUS } from '../../src/service/caller.ts';

const CAROL: ConnectionPeer = { commonName: () => 'carol' };

function called(metadata: Readonly<Record<string, string>>, peer = PLAIN_PEER): unknown {
  return callerOf((name) => metadata[name], peer);
}

describe('who calls', () => {
  test('nobody in particular', () => {
    expect(called({})).toBe(ANONYMOUS);
    expect(called({ hasleader: 'false', 'user-agent': 'x' })).toBe(ANONYMOUS);
  });

  test('the token has two names, and one of them a prefix', () => {
    expect(called({ token: 'abc.1' })).toEqual({ ...ANONYMOUS, token: 'abc.1' });
    expect(called({ authorization: 'abc.1' })).toEqual({ ...ANONYMOUS, token: 'abc.1' });
    expect(called({ authorization: 'Bearer abc.1' })).toEqual({ ...ANONYMOUS, token: 'abc.1' });
    expect(called({ token: 'a', authorization: 'b' })).toEqual({ ...ANONYMOUS, token: 'a' });
    // An empty one is a token that is wrong, not none.
    expect(called({ token: '' })).toEqual({ ...ANONYMOUS, token: '' });
  });

  test('a leader may be required', () => {
    expect(called({ hasleader: 'true' })).toEqual({ ...ANONYMOUS, requireLeader: true });
  });

  test('a certificate names the caller, unless it is a gateway that shows it', () => {
    expect(called({}, CAROL)).toEqual({ ...ANONYMOUS, commonName: 'carol' });
    expect(called({ 'grpcgateway-accept': 'application/json' }, CAROL)).toBe(ANONYMOUS);
  });
});
