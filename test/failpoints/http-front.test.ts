/** The endpoint, as etcd's own tools talk to it; and the variables that ask for it. */
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { SystemRandom } from '../../src/host/system-random.ts';
import { FAILPOINT_NAMES } from '../../src/ports/failpoints.ts';
import { StartError } from '../../src/server/exit-code.ts';
import { type FailpointChange, FailpointFront } from '../../src/server/failpoints/http-front.ts';
import { openFailpoints } from '../../src/server/failpoints/open-failpoints.ts';
import { FailpointRegistry } from '../../src/server/failpoints/registry.ts';
import { KeptLog } from '../support/kept-log.ts';

const ROOT = join(import.meta.dirname, '../..');
const open: FailpointFront[] = [];

afterEach(async () => {
  for (const front of open.splice(0)) await front.close();
});

async function started(): Promise<{ url: string; changes: FailpointChange[] }> {
  const registry = new FailpointRegistry({
    chance: () => 0,
    block: () => undefined,
    panic: (message) => {
      throw new Error(message);
    },
    breakpoint: () => undefined,
    print: () => undefined,
  });
  const changes: FailpointChange[] = [];
  const front = new FailpointFront(registry, (change) => changes.push(change));
  await front.listen('127.0.0.1', 0);
  open.push(front);
  return { url: `http://127.0.0.1:${front.port}`, changes };
}

async function ask(url: string, method: string, body?: string): Promise<readonly [number, string]> {
  const response = await fetch(url, { method, ...(body !== undefined && { body }) });
  return [response.status, await response.text()];
}

describe('the endpoint', () => {
  test('sets, tells, counts and takes back', async () => {
    const { url, changes } = await started();
    const [status, list] = await ask(`${url}/`, 'GET');
    expect(status).toBe(200);
    expect(list).toBe(FAILPOINT_NAMES.map((name) => `${name}=\n`).join(''));
    expect(await ask(`${url}/walAfterSync`, 'PUT', '1*sleep(5)->off')).toEqual([204, '']);
    expect(await ask(`${url}/walAfterSync`, 'GET')).toEqual([200, '1*sleep(5)->off\n']);
    expect(await ask(`${url}/walAfterSync/count`, 'GET')).toEqual([200, '0']);
    expect((await ask(`${url}/`, 'GET'))[1]).toContain('walAfterSync=1*sleep(5)->off\n');
    expect(await ask(`${url}/walAfterSync`, 'DELETE')).toEqual([204, '']);
    const several = 'beforeCommit=print;afterCommit=off';
    expect(await ask(`${url}/failpoints`, 'PUT', several)).toEqual([204, '']);
    expect(await ask(`${url}/afterCommit`, 'GET')).toEqual([200, 'off\n']);
    expect(changes.map(({ name, terms }) => `${name} ${terms}`)).toEqual([
      'walAfterSync 1*sleep(5)->off',
      'walAfterSync undefined',
      `failpoints ${several}`,
    ]);
  });

  test.each<[string, string, string | undefined, number]>([
    ['PUT', 'walAfterSync', 'boom', 400],
    ['PUT', 'nix', 'off', 400],
    ['PUT', 'failpoints', 'walAfterSync', 400],
    ['PUT', 'walAfterSync', 'off->'.repeat(20_000), 400],
    ['GET', 'nix', undefined, 404],
    ['GET', 'walAfterSync', undefined, 404],
    ['GET', 'nix/count', undefined, 404],
    ['GET', 'walAfterSync/count', undefined, 500],
    ['DELETE', 'walAfterSync', undefined, 400],
    ['DELETE', 'nix', undefined, 400],
    ['POST', 'walAfterSync', 'off', 405],
  ])('%s /%s %.20s is refused in one line', async (method, path, body, expected) => {
    const { url, changes } = await started();
    const [status, text] = await ask(`${url}/${path}`, method, body);
    expect(status).toBe(expected);
    expect(text.trim()).not.toBe('');
    expect(text.trim()).not.toContain('\n');
    expect(changes).toEqual([]);
  });
});

describe('the variables', () => {
  const parts = { log: new KeptLog(), random: new SystemRandom() };

  test('neither: there are no failpoints at all', async () => {
    expect((await openFailpoints({}, parts)).failpoints).toBe(undefined);
    const empty = { GOFAIL_HTTP: '', GOFAIL_FAILPOINTS: '' };
    expect((await openFailpoints(empty, parts)).failpoints).toBe(undefined);
  });

  test('points from the start, and a line that says so', async () => {
    const log = new KeptLog();
    const opened = await openFailpoints(
      { GOFAIL_FAILPOINTS: 'raftAfterSave=return(1)' },
      { ...parts, log },
    );
    opened.announce();
    expect(opened.failpoints?.hit('raftAfterSave')).toEqual({ value: 1 });
    expect(log.lines.join()).toContain('failpoints are on');
  });

  test.each([
    [{ GOFAIL_FAILPOINTS: 'nix=panic' }, 'settings', 'GOFAIL_FAILPOINTS: there is no failpoint'],
    [{ GOFAIL_FAILPOINTS: 'walAfterSync=boom' }, 'settings', 'GOFAIL_FAILPOINTS: walAfterSync: '],
    [{ GOFAIL_FAILPOINTS: 'panic' }, 'settings', 'GOFAIL_FAILPOINTS: "panic" is not NAME=TERMS'],
    [{ GOFAIL_HTTP: 'localhost' }, 'settings', 'GOFAIL_HTTP: "localhost" is not HOST:PORT'],
    [{ GOFAIL_HTTP: '127.0.0.1:70000' }, 'settings', 'is not HOST:PORT'],
  ])('%o is refused', async (environment, reason, message) => {
    const refused = openFailpoints(environment, parts);
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(StartError);
    await expect(refused).rejects.toMatchObject({ reason });
  });

  test('a port in use', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const refused = openFailpoints({ GOFAIL_HTTP: `127.0.0.1:${port}` }, parts);
    await expect(refused).rejects.toThrow(
      `GOFAIL_HTTP: cannot listen on 127.0.0.1:${port} (EADDRINUSE)`,
    );
    await expect(refused).rejects.toMatchObject({ reason: 'port' });
    await new Promise((resolve) => other.close(resolve));
  });
});

describe('docs/failpoints.md', () => {
  test('has every point, and every point has a place in the source', () => {
    const [, text = ''] = readFileSync(join(ROOT, 'docs/failpoints.md'), 'utf8').split(
      '## The points',
    );
    const rows = text.matchAll(/^\| `(\w+)` \|/gm);
    expect([...rows].map(([, name]) => name).sort()).toEqual([...FAILPOINT_NAMES]);
    const folders = ['src/member', 'src/mvcc', 'src/snap', 'src/wal', 'src/server'];
    const sources = folders.flatMap((folder) =>
      readdirSync(join(ROOT, folder))
        .filter((name) => name.endsWith('.ts'))
        .map((name) => readFileSync(join(ROOT, folder, name), 'utf8')),
    );
    const source = sources.join('\n');
    expect(FAILPOINT_NAMES.filter((name) => !source.includes(`'${name}'`))).toEqual([]);
  });
});
