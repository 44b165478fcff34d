import { describe, expect, test } from 'vitest';
import { needsProgram, openApi, runProgram } from './api-fixture.ts';
import { MEMBER_ID } from './fake-services.ts';

const ETCDCTL = '/usr/bin/etcdctl';

describe.runIf(needsProgram(ETCDCTL))('stock etcdctl', () => {
  test('put, get, del and txn', async () => {
    await using fixture = await openApi();
    const etcdctl = (args: string[], input?: string) =>
      runProgram(ETCDCTL, ['--endpoints', fixture.endpoint, ...args], {
        env: { ETCDCTL_API: '3' },
        input,
      });
    expect(await etcdctl(['put', 'k1', 'v1'])).toMatchObject({ code: 0, stdout: 'OK\n' });
    expect((await etcdctl(['put', 'k2', 'v2'])).stdout).toBe('OK\n');
    expect((await etcdctl(['get', 'k1'])).stdout).toBe('k1\nv1\n');
    expect((await etcdctl(['get', '--prefix', 'k', '--print-value-only'])).stdout).toBe('v1\nv2\n');
    const json = JSON.parse((await etcdctl(['get', 'k2', '-w', 'json'])).stdout);
    expect(json).toMatchObject({ header: { revision: 3, raft_term: 7 }, count: 1 });
    const txn = 'value("k1") = "v1"\n\nput k1 v3\nget k1\n\nget k2\n\n';
    expect((await etcdctl(['txn'], txn)).stdout).toBe('SUCCESS\n\nOK\n\nk1\nv3\n');
    expect((await etcdctl(['txn'], txn)).stdout).toBe('FAILURE\n\nk2\nv2\n');
    expect((await etcdctl(['del', '--prefix', 'k'])).stdout).toBe('2\n');
    expect((await etcdctl(['get', 'k1'])).stdout).toBe('');
  });

  // With `http://`, `endpoint status` of etcdctl 3.4 sends all of it as the authority.
  test.each(['', 'http://'])('of %s…: status, health and member list', async (scheme) => {
    await using fixture = await openApi();
    const etcdctl = (args: string[]) =>
      runProgram(ETCDCTL, ['--endpoints', `${scheme}127.0.0.1:${fixture.port}`, ...args], {
        env: { ETCDCTL_API: '3' },
      });
    const status = await etcdctl(['endpoint', 'status', '-w', 'json']);
    expect(JSON.parse(status.stdout)).toMatchObject([
      { Status: { version: '3.6.0', dbSize: 8192, raftIndex: 21, raftTerm: 7 } },
    ]);
    const health = await etcdctl(['endpoint', 'health']);
    expect(health).toMatchObject({ code: 0 });
    expect(health.stdout + health.stderr).toContain('is healthy');
    const id = MEMBER_ID.toString(16);
    expect((await etcdctl(['member', 'list'])).stdout).toBe(
      `${id}, started, m1, http://127.0.0.1:2380, http://127.0.0.1:2379, false\n`,
    );
  });

  test('errors arrive in their words', async () => {
    await using fixture = await openApi();
    fixture.services.before = async () => ({
      code: 3,
      message: 'etcdserver: key is not provided',
      definite: true,
    });
    const put = await runProgram(ETCDCTL, ['--endpoints', fixture.endpoint, 'put', 'a', 'b'], {
      env: { ETCDCTL_API: '3' },
    });
    expect(put.code).not.toBe(0);
    expect(put.stderr).toContain('etcdserver: key is not provided');
  });
});
