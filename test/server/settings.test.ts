import { describe, expect, test } from 'vitest';
import { clusterIdOf, memberIdOf } from '../../src/host/member-ids.ts';
import { parseFlags } from '../../src/server/parse-flags.ts';
import { type Settings, settingsOf } from '../../src/server/settings.ts';

function settings(argv: string[], environment: Record<string, string> = {}): Settings {
  return settingsOf(parseFlags(argv, environment).values);
}

describe('settings', () => {
  test('ids are those of etcd', () => {
    const id = memberIdOf(['http://127.0.0.1:23800'], 'etcd-cluster');
    expect(id.toString(16)).toBe('2e1259d415f2a040');
    expect(clusterIdOf([id]).toString(16)).toBe('48276a8f75b6a87');
  });

  test('defaults are those of etcd', () => {
    const defaults = settings([]);
    expect(defaults).toMatchObject({
      name: 'default',
      dataDir: 'default.etcd',
      heartbeatMs: 100,
      electionMs: 1000,
    });
    expect(defaults.listenClient).toEqual([
      { url: 'http://localhost:2379', host: 'localhost', port: 2379, secure: false },
    ]);
    expect(defaults.self.peerUrls).toEqual(['http://localhost:2380']);
  });

  test('port 0 leaves the choice to the system', () => {
    const urls = ['--listen-client-urls', 'http://0.0.0.0:0'];
    const { listenClient } = settings([...urls, '--advertise-client-urls', 'http://0.0.0.0:0']);
    expect(listenClient).toMatchObject([{ host: '0.0.0.0', port: 0 }]);
  });

  test('a Unix socket may stand for host and port', () => {
    const url = 'unix:///run/n1.sock:1';
    const flags = ['--listen-peer-urls', url, '--initial-advertise-peer-urls', url];
    const { listenPeer, self } = settings(flags);
    expect(listenPeer).toMatchObject([{ url, path: '/run/n1.sock:1', secure: false }]);
    expect(self.peerUrls).toEqual([url]);
  });

  test('a flag beats the environment, in both spellings', () => {
    expect(settings([], { ETCD_HEARTBEAT_INTERVAL: '50' }).heartbeatMs).toBe(50);
    expect(
      settings(['--heartbeat-interval=70'], { ETCD_HEARTBEAT_INTERVAL: '50' }).heartbeatMs,
    ).toBe(70);
    expect(settings(['-heartbeat-interval', '80']).heartbeatMs).toBe(80);
    expect(parseFlags([], { ETCD_UNHEARD_OF: '1' }).unknownEnvironment).toEqual([
      'ETCD_UNHEARD_OF',
    ]);
  });

  test('initial-cluster gives every member its id, in any order', () => {
    const cluster = 'n1=http://127.0.0.1:1001,n2=http://127.0.0.1:1002';
    const peer = ['--initial-advertise-peer-urls', 'http://127.0.0.1:1002'];
    const n2 = settings(['--name', 'n2', '--initial-cluster', cluster, ...peer]);
    expect(n2.initialMembers.map(({ name }) => name)).toEqual(['n1', 'n2']);
    expect(n2.self.id).toBe(memberIdOf(['http://127.0.0.1:1002'], 'etcd-cluster'));
  });

  const LISTEN = '--listen-client-urls';
  test.each([
    [['--no-such-flag'], '--no-such-flag: is no flag'],
    [['stray'], 'stray: is not a flag'],
    [['--name'], 'name: needs a value'],
    [['--name='], 'name: is empty'],
    [['--heartbeat-interval', 'fast'], 'heartbeat-interval: "fast" is not a positive whole number'],
    [['--election-timeout', '400'], 'set it to at least 500'],
    [['--election-timeout', '60000'], 'set it to at most 50000'],
    [
      ['--listen-peer-urls', 'localhost:2380'],
      'listen-peer-urls: "localhost:2380" must start with http://',
    ],
    [['--listen-peer-urls', 'http://'], 'listen-peer-urls: "http://" is not a URL'],
    [['--listen-peer-urls', 'http://a'], 'listen-peer-urls: "http://a" has no port'],
    [['--listen-peer-urls', 'http://a:1/x'], 'must not have a path'],
    [['--listen-peer-urls', 'https://a'], '"https://a" has no port; write https://HOST:PORT'],
    [['--listen-peer-urls', 'http://u:p@a:1'], 'must not have a user or a password'],
    [['--listen-peer-urls', 'http://a:1,https://a:1'], 'has a:1 with TLS and without; keep one'],
    [[LISTEN, 'http://a:1'], 'advertise-client-urls: is required with listen-client-urls'],
    [['--initial-cluster', 'n1'], 'initial-cluster: "n1" is not NAME=URL'],
    [['--initial-cluster', 'a=http://x:1,b=http://x:1'], 'is given twice'],
    [
      ['--initial-cluster', 'n1=http://127.0.0.1:2380'],
      'does not contain this member\'s name "default"',
    ],
    [['--initial-cluster', 'default=http://x:1'], 'make them the same'],
    [['--initial-cluster-state', 'old'], '"old" is not one of new, existing'],
    [['--log-level', 'loud'], 'log-level: "loud" is not one of'],
  ])('%j is refused in one line that names the field', (argv, words) => {
    expect(() => settings(argv)).toThrowError(words);
    expect(() => settings(argv)).not.toThrowError('\n');
  });
});
