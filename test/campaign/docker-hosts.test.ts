/** Docker hosts: where they are, and whether a connection leads there. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { isDaemonAt, readHosts } from '../../harness/campaign/docker-hosts.ts';

test('contexts are those of docker', () => {
  const configuration = mkdtempSync(join(tmpdir(), 'storm-docker-'));
  onTestFinished(() => rmSync(configuration, { recursive: true, force: true }));
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('DOCKER_CONFIG', configuration);
  const save = (name: string, address: string): void => {
    const digest = createHash('sha256').update(name).digest('hex');
    const directory = join(configuration, 'contexts', 'meta', digest);
    mkdirSync(directory, { recursive: true });
    const context = { Name: name, Endpoints: { docker: { Host: address } } };
    writeFileSync(join(directory, 'meta.json'), JSON.stringify(context));
  };
  save('desk', 'unix:///desk.sock');
  save('far', 'ssh://me@far');
  expect(readHosts('hosts', ['context:desk', 'unix:///a.sock'])).toEqual([
    { name: 'context:desk', address: 'unix:///desk.sock' },
    { name: 'unix:///a.sock', address: 'unix:///a.sock' },
  ]);
  expect(() => readHosts('hosts', 'context:far')).toThrow(/^hosts: context:far: .*run a shard of/);
  expect(() => readHosts('hosts', 'context:none')).toThrow(
    /no such context; see docker context ls/,
  );
});

test.each<[string, Parameters<typeof isDaemonAt>[1], boolean]>([
  ['unix:///a.sock', { socketPath: '/a.sock' }, true],
  ['unix:///a.sock', { socketPath: '/var/run/docker.sock' }, false],
  ['unix:///a.sock', { host: 'localhost', port: 2375 }, false],
  ['tcp://127.0.0.1:2375', { host: '127.0.0.1', port: '2375' }, true],
  ['tcp://127.0.0.1:2375', { host: '127.0.0.1', port: 2376 }, false],
  ['tcp://127.0.0.1:2375', { socketPath: '/var/run/docker.sock' }, false],
])('%s and %o: %s', (address, connection, isThere) => {
  expect(isDaemonAt(address, connection)).toBe(isThere);
});
