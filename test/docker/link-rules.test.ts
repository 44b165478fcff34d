import { describe, expect, test } from 'vitest';
import {
  linkRules,
  type PeerLinks,
  parseLossCounts,
  parsePeerLinks,
  parseReset,
  parseResetCount,
  resetRules,
} from '../../harness/cluster/docker/agent/link-rules.ts';
import { GOOD_LINKS, type LinkQuality } from '../../harness/network/link-quality.ts';

const PORTS = { peer: 2380, proxy: 7072 };

function peer(
  ip: string,
  incoming: Partial<LinkQuality>,
  outgoing: Partial<LinkQuality>,
): PeerLinks {
  return {
    ip,
    incoming: { ...GOOD_LINKS, ...incoming },
    outgoing: { ...GOOD_LINKS, ...outgoing },
  };
}

describe('link rules', () => {
  test('of good links empty both chains', () => {
    expect(linkRules([peer('10.0.0.2', {}, {})], PORTS)).toBe(
      '*filter\n:STORM_LINKS - [0:0]\nCOMMIT\n*nat\n:STORM_PROXY - [0:0]\nCOMMIT\n',
    );
  });

  test('lose in the kernel what comes, and leave what goes to the peer', () => {
    const rules = linkRules(
      [peer('10.0.0.2', { lossPercent: 12.5 }, {}), peer('10.0.0.3', {}, { lossPercent: 50 })],
      PORTS,
    );
    expect(rules.split('\n').filter((line) => line.startsWith('-A'))).toEqual([
      '-A STORM_LINKS -s 10.0.0.2/32',
      '-A STORM_LINKS -s 10.0.0.2/32 -m statistic --mode random --probability 0.125000 -j DROP',
    ]);
  });

  test('lead slow and thin peers to the proxy, whichever direction it is, and reset the others', () => {
    const peers = [
      peer('10.0.0.2', { delayMs: 5 }, {}),
      peer('10.0.0.3', {}, { rateBytesPerS: 9 }),
    ];
    const to = '-p tcp -m tcp --dport 2380';
    expect(
      linkRules(peers, PORTS)
        .split('\n')
        .filter((line) => line.startsWith('-A')),
    ).toEqual([
      `-A STORM_LINKS -s 10.0.0.2/32 ${to} ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset`,
      `-A STORM_LINKS -s 10.0.0.3/32 ${to} ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset`,
      `-A STORM_PROXY -s 10.0.0.2/32 ${to} -j REDIRECT --to-ports 7072`,
      `-A STORM_PROXY -s 10.0.0.3/32 ${to} -j REDIRECT --to-ports 7072`,
    ]);
  });

  test('of resets hit what is established and let resets through', () => {
    expect(resetRules(['10.0.0.2'])).toContain(
      '-A STORM_RESET -s 10.0.0.2/32 -p tcp -m conntrack --ctstate ESTABLISHED' +
        ' -m tcp ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset\n',
    );
    expect(resetRules([])).toBe('*filter\n:STORM_RESET - [0:0]\nCOMMIT\n');
  });
});

test('counts are those of our chains, loss apart from what came', () => {
  const saved = [
    '*filter',
    ':STORM_LINKS - [0:0]',
    '[200:9000] -A STORM_LINKS -s 10.0.0.2/32',
    '[19:900] -A STORM_LINKS -s 10.0.0.2/32 -m statistic --mode random --probability 0.1 -j DROP',
    '[30:900] -A STORM_LINKS -s 10.0.0.3/32',
    '[1:900] -A STORM_LINKS -s 10.0.0.3/32 -m statistic --mode random --probability 0.1 -j DROP',
    '[7:420] -A STORM_LINKS -s 10.0.0.3/32 -p tcp -m tcp --dport 2380 -j REJECT --reject-with tcp-reset',
    '[3:180] -A STORM_RESET -s 10.0.0.3/32 -p tcp -m conntrack --ctstate ESTABLISHED -m tcp ! --tcp-flags RST RST -j REJECT --reject-with tcp-reset',
    '[99:1] -A OTHER -s 10.0.0.3/32',
    'COMMIT',
  ].join('\n');
  expect(parseLossCounts(saved)).toEqual({ carried: 230, lost: 20 });
  expect(parseResetCount(saved)).toBe(3);
});

describe('the body of', () => {
  test('links names addresses and qualities; what is left out is good', () => {
    const body = '{"peers":[{"ip":"10.0.0.2","incoming":{"delayMs":5}}]}';
    expect(parsePeerLinks(body)).toEqual([peer('10.0.0.2', { delayMs: 5 }, {})]);
  });

  test.each([
    ['no JSON', '{'],
    ['no list', '{"peers":{}}'],
    ['no address', '{"peers":[{"incoming":{}}]}'],
    ['a second rule', '{"peers":[{"ip":"10.0.0.2\\n-F INPUT"}]}'],
    ['a quality that is none', '{"peers":[{"ip":"10.0.0.2","outgoing":{"lossPercent":"1 -j X"}}]}'],
    ['too many', JSON.stringify({ peers: Array(65).fill({ ip: '10.0.0.2' }) })],
  ])('links is refused when it is %s', (_, body) => {
    expect(parsePeerLinks(body)).toBeUndefined();
  });

  test('a reset is a list of addresses, each once', () => {
    expect(parseReset('{"peers":["10.0.0.2","10.0.0.2"]}')).toEqual(['10.0.0.2']);
    expect(parseReset('{"peers":["n2"]}')).toBeUndefined();
    expect(parseReset('[]')).toBeUndefined();
  });
});
