/** Which daemon is asked for, and whether a connection leads there. */

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type Connection,
  isDaemonAt,
  isDaemonNamed,
  namedDaemon,
} from '../../harness/cluster/docker/daemon-address.ts';
import { sshTarget } from '../../harness/cluster/docker/ssh-tunnel.ts';

let configuration: string;
let environment: NodeJS.ProcessEnv;

beforeEach(() => {
  configuration = mkdtempSync(join(tmpdir(), 'storm-docker-'));
  environment = { DOCKER_CONFIG: configuration };
});

afterEach(() => rmSync(configuration, { recursive: true, force: true }));

function saveContext(name: string, address: string, files: readonly string[] = []): string {
  const digest = createHash('sha256').update(name).digest('hex');
  const meta = join(configuration, 'contexts', 'meta', digest);
  mkdirSync(meta, { recursive: true });
  const context = { Name: name, Endpoints: { docker: { Host: address } } };
  writeFileSync(join(meta, 'meta.json'), JSON.stringify(context));
  const tls = join(configuration, 'contexts', 'tls', digest, 'docker');
  mkdirSync(tls, { recursive: true });
  for (const file of files) writeFileSync(join(tls, file), '');
  return tls;
}

describe('the daemon that is asked for', () => {
  test('is none where nothing names one', () => {
    expect(namedDaemon(environment)).toBeUndefined();
    expect(namedDaemon({ ...environment, DOCKER_HOST: '', DOCKER_CONTEXT: '' })).toBeUndefined();
    expect(isDaemonNamed(environment)).toBe(false);
  });

  test('is DOCKER_HOST before DOCKER_CONTEXT before the current context', () => {
    saveContext('desk', 'unix:///desk.sock');
    const tls = saveContext('far', 'tcp://far:2376', ['cert.pem']);
    writeFileSync(join(configuration, 'config.json'), '{"currentContext": "desk"}');
    expect(namedDaemon(environment)?.source).toBe('docker context desk (unix:///desk.sock)');
    environment.DOCKER_CONTEXT = 'far';
    expect(namedDaemon(environment)).toEqual({
      url: 'tcp://far:2376',
      source: 'DOCKER_CONTEXT=far (tcp://far:2376)',
      tlsDirectory: tls,
    });
    environment.DOCKER_HOST = 'ssh://me@other';
    expect(namedDaemon(environment)?.url).toBe('ssh://me@other');
  });

  test('may be the default context, which is where docker looks anyway', () => {
    expect(namedDaemon({ ...environment, DOCKER_CONTEXT: 'default' })).toBeUndefined();
  });

  test.each([
    ['DOCKER_HOST', 'here', /^DOCKER_HOST=here: give unix:\/\/\/PATH, tcp:/],
    ['DOCKER_HOST', 'tcp://far', /^DOCKER_HOST=tcp:\/\/far: give/],
    ['DOCKER_HOST', 'ssh://-oProxyCommand=x', /^DOCKER_HOST=ssh:.*: give/],
    ['DOCKER_CONTEXT', 'none', /^DOCKER_CONTEXT=none: docker has no such context/],
  ])('%s=%s is refused, and no other daemon taken', (name, value, message) => {
    environment[name] = value;
    expect(() => namedDaemon(environment)).toThrow(message);
    expect(isDaemonNamed(environment)).toBe(true);
  });
});

test.each<[string, Connection, boolean]>([
  ['unix:///a.sock', { socketPath: '/a.sock' }, true],
  ['unix:///a.sock', { socketPath: '/var/run/docker.sock' }, false],
  ['unix:///a.sock', { host: 'localhost', port: 2375 }, false],
  ['tcp://127.0.0.1:2375', { host: '127.0.0.1', port: '2375' }, true],
  ['tcp://127.0.0.1:2375', { host: '127.0.0.1', port: 2376 }, false],
  ['tcp://127.0.0.1:2375', { socketPath: '/var/run/docker.sock' }, false],
])('%s and %o: %s', (address, connection, isThere) => {
  expect(isDaemonAt(address, connection)).toBe(isThere);
});

test.each([
  ['ssh://far', ['--', 'far'], '/var/run/docker.sock'],
  ['ssh://me@far:2222', ['-l', 'me', '-p', '2222', '--', 'far'], '/var/run/docker.sock'],
  ['ssh://far/run/user/1/docker.sock', ['--', 'far'], '/run/user/1/docker.sock'],
])('ssh is called for %s with %j', (address, args, remoteSocket) => {
  expect(sshTarget(address)).toEqual({ args, remoteSocket });
});
