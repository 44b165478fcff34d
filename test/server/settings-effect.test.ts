import { createServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { localAddressOf } from '../../src/server/local-address.ts';
import { compactedRowsPerTick, memberConfigOf } from '../../src/server/member-config.ts';
import { parseFlags } from '../../src/server/parse-flags.ts';
import { checkAllPorts } from '../../src/server/ports-free.ts';
import { type Settings, settingsOf } from '../../src/server/settings.ts';
import { settingsWithoutEffect, warnOfSettings } from '../../src/server/warn-of-settings.ts';
import { KeptLog } from '../support/kept-log.ts';

function settings(...argv: string[]): Settings {
  return settingsOf(parseFlags(argv, {}).values);
}

describe('the pace of compaction', () => {
  test.each([
    [{ batchLimit: 1_000, sleepMs: 10 }, 10, 1_000],
    [{ batchLimit: 1_000, sleepMs: 10 }, 100, 10_000],
    [{ batchLimit: 100, sleepMs: 1_000 }, 10, 1],
    [{ batchLimit: 1, sleepMs: 60_000 }, 10, 1],
    [{ batchLimit: 1_000, sleepMs: 0 }, 10, 20_000],
    [{ batchLimit: 1_000_000, sleepMs: 1 }, 10, 20_000],
  ])('%j at ticks of %i ms: %i rows each', (pace, tickMs, rows) => {
    expect(compactedRowsPerTick(pace, tickMs)).toBe(rows);
  });

  test('is the member’s', () => {
    const ids = { memberId: 1n, clusterId: 2n };
    const flags = ['--compaction-batch-limit', '300', '--compaction-sleep-interval', '20ms'];
    const { limits, timing } = memberConfigOf(settings(...flags), ids);
    expect([timing.tickMs, limits.compactedRowsPerTickMax]).toEqual([10, 150]);
  });
});

describe('keepalive', () => {
  test('the server pings once a second at most, or never', () => {
    const intervalOf = (text: string) =>
      settings('--grpc-keepalive-interval', text).grpc.keepAliveIntervalMs;
    expect(['0', '1ms', '1s', '3h'].map(intervalOf)).toEqual([0, 1_000, 1_000, 10_800_000]);
  });
});

test('of slow requests: 0 is the default, as in etcd', () => {
  const flag = '--warning-unary-request-duration';
  expect(settings(flag, '0').warning.unaryRequestMs).toBe(300);
  expect(settings(flag, '1ms').warning.unaryRequestMs).toBe(1);
});

describe('SetMemberLocalAddr', () => {
  test.each([
    [['http://10.1.2.3:2380'], '10.1.2.3'],
    [
      ['http://localhost:1', 'http://127.9.9.9:1', 'http://0.0.0.0:1', 'http://10.0.0.1:1'],
      '10.0.0.1',
    ],
    [['http://[::1]:1', 'http://[::]:1', 'https://[2001:db8::1]:1'], '2001:db8::1'],
    [['http://n1.example:2380', 'unix:///a', 'http://127.0.0.1:1'], undefined],
  ])('%j: %s', (peerUrls, address) => {
    expect(localAddressOf(peerUrls)).toBe(address);
  });
});

describe('warnings', () => {
  test('of what was asked for in vain, and of nothing else', () => {
    expect(settingsWithoutEffect(settings())).toEqual([]);
    const vain = settings(
      ...['--enable-pprof', '--max-snapshots', '3', '--downgrade-check-time', '1s'],
      ...['--feature-gates', 'TxnModeWriteWithSharedBuffer=false'],
    );
    const names = settingsWithoutEffect(vain).map(([name]) => name);
    expect(names).toEqual([
      'enable-pprof',
      'max-snapshots',
      'downgrade-check-time',
      'feature-gates TxnModeWriteWithSharedBuffer',
    ]);
    const log = new KeptLog();
    warnOfSettings(vain, log);
    expect(log.lines).toEqual(Array(4).fill('this setting has no effect here'));
  });

  test('of a local address that is wanted and not there', () => {
    const lines = (url: string): string[] => {
      const log = new KeptLog();
      const own = ['--initial-advertise-peer-urls', url, '--initial-cluster', `default=${url}`];
      const gate = ['--feature-gates', 'SetMemberLocalAddr=true'];
      warnOfSettings(settings(...own, ...gate), log);
      return log.lines;
    };
    expect(lines('http://10.0.0.1:2380')).toEqual([]);
    expect(lines('http://localhost:2380')).toHaveLength(1);
  });

  test('without fsync, loudly', () => {
    const log = new KeptLog();
    warnOfSettings(settings('--unsafe-no-fsync'), log);
    expect(log.lines).toEqual([
      'UNSAFE: --unsafe-no-fsync: a crash of the machine loses acknowledged writes',
    ]);
  });
});

describe.runIf(process.platform === 'linux')('socket-reuse-port', () => {
  test('a port that another process shares is free; otherwise it is taken', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => {
      other.listen({ host: '127.0.0.1', port: 0, reusePort: true }, resolve);
    });
    const address = other.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const urls = [
      ...['--listen-client-urls', `http://127.0.0.1:${port}`],
      ...['--advertise-client-urls', `http://127.0.0.1:${port}`],
      ...['--listen-peer-urls', 'http://127.0.0.1:0'],
    ];
    await checkAllPorts(settings(...urls, '--socket-reuse-port'));
    await expect(checkAllPorts(settings(...urls))).rejects.toThrow('EADDRINUSE');
    other.close();
  });
});
