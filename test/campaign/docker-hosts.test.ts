/** Docker hosts: where they are, and whether a connection leads there. */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { hostEnvironment, readHosts } from '../../harness/campaign/docker-hosts.ts';

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
  expect(readHosts('hosts', ['context:far', 'tcp://far:2375'])).toEqual([
    { name: 'context:far', address: 'ssh://me@far' },
    { name: 'tcp://far:2375', address: 'tcp://far:2375' },
  ]);
  expect(() => readHosts('hosts', 'context:none')).toThrow(
    /^hosts: context:none: docker has no such context; see docker context ls/,
  );
  expect(() => readHosts('hosts', 'ftp://far')).toThrow(/^hosts: ftp:\/\/far: unknown; give unix/);
});

test('certificates of a context are told to the process of a cell', () => {
  expect(hostEnvironment({ name: 'a', address: 'unix:///a' })).toEqual({
    DOCKER_HOST: 'unix:///a',
  });
  expect(hostEnvironment({ name: 'a', address: 'tcp://a:2376', tlsDirectory: '/tls' })).toEqual({
    DOCKER_HOST: 'tcp://a:2376',
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: '/tls',
  });
});
