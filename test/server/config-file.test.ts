import { describe, expect, test } from 'vitest';
import { parseConfigFile } from '../../src/server/config-file.ts';
import { readSettings } from '../../src/server/read-settings.ts';
import { type Settings, settingsOf } from '../../src/server/settings.ts';
import { TlsDirectory } from '../support/test-certificates.ts';

function settings(...lines: string[]): Settings {
  return settingsOf(parseConfigFile(lines.join('\n')).values);
}

describe('the configuration file', () => {
  test('keys are the names of flags; a key without a value is not there', () => {
    expect(
      settings(
        'name: n1',
        'data-dir:',
        'heartbeat-interval: 50',
        'initial-cluster: n1=http://localhost:2380',
        'strict-reconfig-check: false',
        'log-outputs: [stderr, /var/log/x]',
        'cipher-suites: [TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256]',
        'auto-compaction-retention: "1"',
        "discovery-fallback: 'proxy'",
        'discovery:',
      ),
    ).toMatchObject({
      name: 'n1',
      dataDir: 'n1.etcd',
      heartbeatMs: 50,
      strictReconfigCheck: false,
      log: { outputs: ['stderr', '/var/log/x'] },
      compaction: { auto: { type: 'periodic', retentionMs: 3_600_000 } },
    });
  });

  test('durations are nanoseconds, or as flags have them', () => {
    const { watch, corruption, grpc } = settings(
      'watch-progress-notify-interval: 600000000000',
      'experimental-corrupt-check-time: 1500000000',
      'grpc-keepalive-timeout: 7s',
    );
    expect(watch.progressNotifyMs).toBe(600_000);
    expect(corruption.checkMs).toBe(1_500);
    expect(grpc.keepAliveTimeoutMs).toBe(7_000);
  });

  test('TLS is in two groups', () => {
    const { tls } = settings(
      'listen-client-urls: https://127.0.0.1:1',
      'advertise-client-urls: https://127.0.0.1:1',
      'listen-peer-urls: https://127.0.0.1:2',
      'client-transport-security:',
      '  cert-file: /c',
      '  key-file: /k',
      '  client-cert-auth: true',
      '  trusted-ca-file: /ca',
      '  allowed-cn: [a, b]',
      'peer-transport-security:',
      '  auto-tls: true',
      '  allowed-hostname: h',
      'client-crl-file: /crl',
    );
    expect(tls.clientCertAuth).toBe(true);
    expect(tls.client).toMatchObject({
      certFile: '/c',
      trustedCaFile: '/ca',
      crlFile: '/crl',
      allowedCns: ['a', 'b'],
    });
    expect(tls.peer).toMatchObject({ selfSigned: true, allowedHostnames: ['h'] });
  });

  test('unlike by flags, the advertised URL needs not be given', () => {
    const { advertiseClientUrls } = settings('listen-client-urls: http://127.0.0.1:1');
    expect(advertiseClientUrls).toEqual(['http://localhost:2379']);
  });

  test.each<[string[], string]>([
    [['nmae: x'], 'config-file: nmae is no setting; keys are the names of flags'],
    [['cert-file: /c'], 'config-file: cert-file belongs under client-transport-security, as cert-'],
    [['peer-auto-tls: true'], 'peer-auto-tls belongs under peer-transport-security, as auto-tls'],
    [
      ['client-transport-security:', '  cert: /c'],
      'config-file: client-transport-security has no key cert; there are cert-file',
    ],
    [['client-transport-security: yes'], 'client-transport-security must have lines of KEY: VALUE'],
    [['- name'], 'config-file: the file must have lines of KEY: VALUE'],
    [['name: [a'], 'config-file: is not YAML:'],
    [['name: a', 'name: b'], 'config-file: is not YAML:'],
    [['name: {a: b}'], 'config-file: name is neither text, number, true, false nor a list'],
    [['data-dir: &x 1', 'name: *x'], 'config-file: cannot be read: ReferenceError: Alias'],
    [['config-file: other'], 'config-file: config-file is no setting'],
    [['heartbeat-interval: fast'], 'heartbeat-interval: "fast" is not a positive whole number'],
    [['election-timeout: 100'], 'election-timeout: 100 ms is below 5'],
    [['proxy: on'], 'proxy: is not supported'],
  ])('%j is refused in one line', (lines, words) => {
    expect(() => settings(...lines)).toThrowError(words);
    expect(() => settings(...lines)).not.toThrowError('\n');
  });
});

describe('what a server is started with', () => {
  test('with a file, flags and environment do not count, and are told of', () => {
    using directory = new TlsDirectory();
    const file = directory.write('etcd.yml', 'heartbeat-interval: 50\n');
    const flags = ['--config-file', file, '--heartbeat-interval', '70'];
    const start = readSettings(flags, { ETCD_SNAPSHOT_COUNT: '9' });
    if (start.type !== 'serve') expect.fail(start.type);
    expect(start.settings).toMatchObject({ heartbeatMs: 50, snapshotCount: 10_000 });
    expect(start.warnings).toEqual([
      { kind: 'ignored', name: 'snapshot-count', use: 'config-file' },
      { kind: 'ignored', name: 'heartbeat-interval', use: 'config-file' },
    ]);
    const byVariable = readSettings([], { ETCD_CONFIG_FILE: file });
    expect(byVariable).toMatchObject({ settings: { heartbeatMs: 50 } });
  });

  test('a file that cannot be read is named', () => {
    using directory = new TlsDirectory();
    const missing = `${directory.path}/none`;
    expect(() => readSettings(['--config-file', missing], {})).toThrowError(
      `config-file: ${missing} cannot be read (ENOENT)`,
    );
    const large = directory.write('large', '#'.repeat(1024 * 1024 + 1));
    expect(() => readSettings(['--config-file', large], {})).toThrowError('more than 1048576');
  });

  test('help and version win over everything', () => {
    expect(readSettings(['--version', '--heartbeat-interval', 'x'], {}).type).toBe('version');
    expect(readSettings(['-help'], {}).type).toBe('help');
  });
});
