import { describe, expect, test } from 'vitest';
import { parseFlags } from '../../src/server/parse-flags.ts';
import { type Settings, settingsOf } from '../../src/server/settings.ts';

function settings(...argv: string[]): Settings {
  return settingsOf(parseFlags(argv, {}).values);
}

const SECURE = [
  ...['--listen-client-urls', 'http://127.0.0.1:1,https://127.0.0.1:1'],
  ...['--advertise-client-urls', 'https://127.0.0.1:1'],
];

describe('settings in groups', () => {
  test('defaults are those of etcd 3.6, but for hashes at compactions', () => {
    expect(settings()).toMatchObject({
      walDir: undefined,
      listenClientHttp: [],
      listenMetrics: [],
      forceNewCluster: false,
      strictReconfigCheck: true,
      learnersMax: 1,
      snapshotCount: 10_000,
      raft: {
        preVote: true,
        initialElectionTickAdvance: true,
        catchupEntries: 5_000,
        readTimeoutMs: 5_000,
        writeTimeoutMs: 5_000,
      },
      retention: { walsMax: 5, snapshotsMax: 5 },
      unsafeNoFsync: false,
      log: { outputs: ['stderr'], format: 'json' },
      tls: { client: undefined, clientCertAuth: false, peer: undefined, selfSigned: [] },
      auth: { token: { type: 'simple', ttlS: 300 }, bcryptCost: 10 },
      compaction: { auto: { type: 'off' }, batchLimit: 1_000, sleepMs: 10 },
      quota: { backendBytes: 2 * 1024 ** 3 },
      corruption: {
        initialCheck: false,
        checkMs: 0,
        compactHashCheck: true,
        compactHashCheckMs: 60_000,
      },
      limits: { txnOpsMax: 128, requestBytesMax: 1_572_864, concurrentStreamsMax: 2 ** 32 - 1 },
      http: { cors: ['*'], hostWhitelist: ['*'], gateway: true, pprof: false },
      grpc: { keepAliveMinMs: 5_000, keepAliveIntervalMs: 7_200_000, keepAliveTimeoutMs: 20_000 },
      watch: { progressNotifyMs: 600_000 },
      lease: { checkpoint: false, checkpointPersist: false },
      warning: { applyMs: 100, unaryRequestMs: 300 },
      downgradeCheckMs: 5_000,
      metrics: 'basic',
    });
  });

  test('quota: zero is the default of etcd, negative is none', () => {
    expect(settings('--quota-backend-bytes', '0').quota.backendBytes).toBe(2 * 1024 ** 3);
    expect(settings('--quota-backend-bytes', '-1').quota.backendBytes).toBeUndefined();
    expect(settings('--quota-backend-bytes=4096').quota.backendBytes).toBe(4096);
  });

  test.each([
    [[], { type: 'off' }],
    [['--auto-compaction-retention', '2'], { type: 'periodic', retentionMs: 7_200_000 }],
    [['--auto-compaction-retention', '1h30m'], { type: 'periodic', retentionMs: 5_400_000 }],
    [
      ['--auto-compaction-mode', 'revision', '--auto-compaction-retention', '1000'],
      { type: 'revision', revisions: 1000 },
    ],
    [['--auto-compaction-mode', 'revision'], { type: 'off' }],
  ])('auto compaction %j', (argv, auto) => {
    expect(settings(...argv).compaction.auto).toEqual(auto);
  });

  test('tokens', () => {
    const jwt = 'jwt,pub-key=/a,priv-key=/b,sign-method=RS256,ttl=10m';
    expect(settings('--auth-token', jwt).auth.token).toEqual({
      type: 'jwt',
      publicKeyFile: '/a',
      privateKeyFile: '/b',
      signMethod: 'RS256',
      ttlMs: 600_000,
    });
    expect(settings('--auth-token-ttl', '5').auth.token).toEqual({ type: 'simple', ttlS: 5 });
    const short = settings('--auth-token', 'jwt,pub-key=/a,sign-method=ES256').auth.token;
    expect(short).toMatchObject({ privateKeyFile: undefined, ttlMs: 300_000 });
  });

  test('switches stand alone or take the words of Go', () => {
    expect(settings('--force-new-cluster').forceNewCluster).toBe(true);
    expect(settings('--strict-reconfig-check=false').strictReconfigCheck).toBe(false);
    expect(settings('--pre-vote=F').raft.preVote).toBe(false);
  });

  test('old names still work, and are told of', () => {
    const { values, warnings } = parseFlags(
      [
        '--experimental-initial-corrupt-check',
        ...['--experimental-corrupt-check-time', '1m'],
        '--experimental-compact-hash-check-enabled=false',
        ...['--feature-gates', 'LeaseCheckpoint=true'],
        '--memory-mlock',
        ...['--backend-batch-limit', '7', '--proxy', 'off'],
      ],
      {},
    );
    expect(settingsOf(values)).toMatchObject({
      corruption: { initialCheck: true, checkMs: 60_000, compactHashCheck: false },
      lease: { checkpoint: true },
    });
    expect(warnings.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
      'renamed experimental-initial-corrupt-check',
      'renamed experimental-corrupt-check-time',
      'renamed experimental-compact-hash-check-enabled',
      'ignored memory-mlock',
      'ignored backend-batch-limit',
    ]);
  });

  test('of the environment, what is empty or would only print is left out', () => {
    const environment = { ETCD_NAME: '', ETCD_VERSION: 'v3.6.0', ETCD_PRE_VOTE: 'false' };
    expect(parseFlags([], environment)).toEqual({
      values: { 'pre-vote': 'false' },
      warnings: [],
      unknownEnvironment: ['ETCD_VERSION'],
    });
  });

  test('values may begin with a dash, and the last of two counts', () => {
    expect(parseFlags(['--name', '--data-dir', '-name=b'], {}).values).toEqual({ name: 'b' });
  });
});

describe('TLS', () => {
  const CERT = ['--cert-file', '/c', '--key-file', '/k'];

  test('files, authorities and what they are for', () => {
    const { tls, listenClient } = settings(
      ...SECURE,
      ...CERT,
      ...['--trusted-ca-file', '/ca', '--client-cert-auth', '--client-crl-file', '/crl'],
      ...['--cipher-suites', 'TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,TLS_AES_128_GCM_SHA256'],
      ...['--tls-max-version', 'TLS1.3'],
    );
    expect(listenClient.map(({ port, secure }) => [port, secure])).toEqual([
      [1, false],
      [1, true],
    ]);
    expect(tls.clientCertAuth).toBe(true);
    expect(tls.peer).toBeUndefined();
    expect(tls.client).toMatchObject({
      certFile: '/c',
      keyFile: '/k',
      trustedCaFile: '/ca',
      crlFile: '/crl',
      requireClientCert: true,
      minVersion: 'TLSv1.2',
      maxVersion: 'TLSv1.3',
      cipherSuites: expect.stringMatching(/^ECDHE-RSA-AES128-GCM-SHA256:TLS_AES_128_GCM_SHA256:/),
      selfSigned: false,
    });
  });

  test('without https:// certificates are of no use', () => {
    expect(settings(...CERT, '--client-cert-auth').tls).toMatchObject({
      client: undefined,
      clientCertAuth: false,
    });
  });

  test('peers', () => {
    const url = 'https://127.0.0.1:2380';
    const { tls } = settings(
      ...['--listen-peer-urls', url, '--initial-advertise-peer-urls', url],
      ...['--peer-cert-file', '/c', '--peer-key-file', '/k', '--peer-client-cert-auth'],
      ...['--peer-client-cert-file', '/cc', '--peer-client-key-file', '/ck'],
      ...['--peer-cert-allowed-cn', 'a,b', '--peer-skip-client-san-verification'],
    );
    expect(tls.peer).toMatchObject({
      certFile: '/c',
      clientCertFile: '/cc',
      requireClientCert: true,
      allowedCns: ['a', 'b'],
      skipClientSanVerification: true,
    });
  });

  test('certificates to be made go where etcd keeps them; one that is given wins', () => {
    const { tls } = settings(...SECURE, '--auto-tls', '--name', 'n', ...memberNamed('n'));
    expect(tls.selfSigned).toEqual([
      {
        certFile: 'n.etcd/fixtures/client/cert.pem',
        keyFile: 'n.etcd/fixtures/client/key.pem',
        hosts: ['127.0.0.1'],
        validityYears: 1,
      },
    ]);
    expect(tls.client).toMatchObject({ selfSigned: true });
    expect(settings(...SECURE, ...CERT, '--auto-tls').tls.selfSigned).toEqual([]);
  });

  function memberNamed(name: string): readonly string[] {
    return ['--initial-cluster', `${name}=http://localhost:2380`];
  }
});

describe('what is refused, in one line that names the field', () => {
  test.each<[string[], string]>([
    [SECURE, 'cert-file: is required, as listen-client-urls has https://127.0.0.1:1; give it with'],
    [['--cert-file', '/c'], 'key-file: is required with cert-file'],
    [['--peer-key-file', '/c'], 'peer-cert-file: is required with peer-key-file'],
    [
      ['--peer-cert-allowed-cn', 'a', '--peer-cert-allowed-hostname', 'b'],
      'peer-cert-allowed-cn: excludes peer-cert-allowed-hostname',
    ],
    [['--cipher-suites', 'TLS_RSA_WITH_RC4_128_SHA'], 'cipher-suites: "TLS_RSA_WITH_RC4_128_SHA"'],
    [['--tls-min-version', 'TLS1.1'], 'tls-min-version: "TLS1.1" is not one of TLS1.2, TLS1.3'],
    [
      ['--tls-min-version', 'TLS1.3', '--tls-max-version', 'TLS1.2'],
      'tls-max-version: is older than tls-min-version',
    ],
    [
      ['--tls-min-version', 'TLS1.3', '--cipher-suites', 'TLS_AES_128_GCM_SHA256'],
      'cipher-suites: cannot be chosen with tls-min-version TLS1.3',
    ],
    [['--self-signed-cert-validity', '0'], 'self-signed-cert-validity: "0" is not a positive'],
    [['--pre-vote=maybe'], 'pre-vote: "maybe" is not true or false'],
    [['--pre-vote', 'false'], 'false: is not a flag; flags start with --'],
    [['--grpc-keepalive-interval', '5'], 'grpc-keepalive-interval: "5" is not a duration'],
    [['--grpc-keepalive-interval=-5s'], 'grpc-keepalive-interval: "-5s" is not a duration'],
    [['--quota-backend-bytes', '1GB'], 'quota-backend-bytes: "1GB" is not a whole number'],
    [['--max-txn-ops', '0'], 'max-txn-ops: "0" is not a positive whole number'],
    [['--max-concurrent-streams', '4294967296'], 'max-concurrent-streams: is too large'],
    [['--max-wals', '-1'], 'max-wals: "-1" is not a whole number'],
    [['--bcrypt-cost', '3'], 'bcrypt-cost: 3 is not in 4 to 31'],
    [['--auth-token', 'magic'], 'auth-token: "magic" is not simple or jwt'],
    [['--auth-token', 'jwt,pub-key=/a'], 'auth-token: sign-method is missing'],
    [['--auth-token', 'jwt,sign-method=none'], 'auth-token: sign-method "none" is unknown'],
    [['--auth-token', 'jwt,sign-method=RS256'], 'auth-token: has no key'],
    [['--auth-token', 'jwt,sign-method=HS256,pub-key=/a'], 'has one key only'],
    [['--auth-token', 'jwt,colour=red'], 'auth-token: "colour=red" is not pub-key='],
    [['--auth-token', 'jwt,pub-key=/a,sign-method=RS256,ttl=x'], 'auth-token: ttl "x" is not'],
    [['--auto-compaction-mode', 'daily'], 'auto-compaction-mode: "daily" is not one of periodic'],
    [['--auto-compaction-retention', 'x'], 'auto-compaction-retention: "x" is neither hours'],
    [
      ['--auto-compaction-mode', 'revision', '--auto-compaction-retention', '1h'],
      'auto-compaction-retention: "1h" is not a number of revisions',
    ],
    [['--compact-hash-check-time', '0s'], 'compact-hash-check-time: must be more than 0'],
    [['--feature-gates', 'Magic=true'], 'feature-gates: "Magic" is no gate'],
    [['--feature-gates', 'LeaseCheckpoint'], '"LeaseCheckpoint" is not NAME=true or NAME=false'],
    [['--feature-gates', 'LeaseCheckpointPersist=1'], 'LeaseCheckpointPersist needs'],
    [
      ['--feature-gates', 'InitialCorruptCheck=false', '--experimental-initial-corrupt-check'],
      'feature-gates: InitialCorruptCheck is given as true and as false',
    ],
    [
      ['--max-learners', '2', '--experimental-max-learners', '3'],
      'experimental-max-learners: is the old name of max-learners',
    ],
    [['--discovery', 'https://x'], 'discovery: is not supported; name all members'],
    [['--proxy', 'on'], 'proxy: is not supported'],
    [['--logger', 'glog'], 'logger: "glog" is not one of zap'],
    [['--log-outputs', ''], 'log-outputs: is empty'],
    [['--metrics', 'all'], 'metrics: "all" is not one of basic, extensive'],
  ])('%j', (argv, words) => {
    expect(() => settings(...argv)).toThrowError(words);
    expect(() => settings(...argv)).not.toThrowError('\n');
  });
});
