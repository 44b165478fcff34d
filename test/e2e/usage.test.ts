/** What goes wrong around a storm rather than in it: one line, the field and the fix, status 3. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Ended, ROOT } from './lab.ts';
import { CLI, complaints, StormLab } from './storm-lab.ts';

let storms: StormLab;

beforeAll(() => {
  storms = new StormLab();
});
afterAll(() => storms[Symbol.asyncDispose]());

async function refused(args: readonly string[], complaint: RegExp): Promise<void> {
  const ended = await storms.storm(...args);
  expect(complaints(ended)).toEqual([expect.stringMatching(complaint)]);
  expect(ended.stderr).toMatch(/^storm: /);
  expect(ended.code).toBe(3);
}

describe('storm', () => {
  test.each<[string, readonly string[], RegExp]>([
    ['too many arguments', ['sweep', 'all'], /too many arguments/],
    ['a number that is none', ['run', '--rate', '1e3'], /--rate 1e3: give a whole number from 1/],
    ['a seed out of range', ['run', '--seed', '99999999999999'], /--seed 9+: .* from 0 to/],
    [
      'an unknown required fault',
      ['run', '--require', 'flood'],
      /--require flood: unknown fault; use/,
    ],
    [
      'a directory for an etcd',
      ['run', '--target', 'etcd:.'],
      /--target etcd:\.: no executable at .*; give etcd's full path/,
    ],
    ['a target that is none', ['durability', '--target', 'mysql'], /--target mysql: unknown; use/],
    [
      'a server for an etcd',
      ['run', '--target', `etcd:${process.execPath}`, '--server', '.'],
      /--server: only for --target stormraft/,
    ],
    [
      'an unknown mutant',
      ['mutants', '--only', 'none-such'],
      /--only none-such: no such mutant; use/,
    ],
    ['no storms', ['mutants', '--seeds', '0'], /--seeds 0: give a whole number from 1/],
    [
      'a timing that does not fit',
      ['failover', '--heartbeat-interval', '300'],
      /--election-timeout 1000 is below 5 x --heartbeat-interval 300; give at least 1500/,
    ],
  ])('%s', (_, args, complaint) => refused(args, complaint));

  test('a runs directory that cannot be made', async () => {
    const file = storms.lab.path('file');
    writeFileSync(file, '');
    const runs = join(file, 'runs');
    const args = ['run', '--cluster', 'process', '--runs-dir', runs];
    await refused(args, /--runs-dir .*file\/runs: /);
  });

  test('a server that cannot start is told with its own words', async () => {
    const server = storms.lab.path('broken');
    mkdirSync(join(server, 'src'), { recursive: true });
    writeFileSync(
      join(server, 'src/main.ts'),
      "process.stderr.write('cannot begin\\n'); process.exit(7);",
    );
    const args = ['run', '--cluster', 'process', '--server', server];
    await refused([...args, '--runs-dir', storms.runsDirectory], /n\d.*cannot begin/);
  });
});

/** Where testcontainers looks in the end, whatever DOCKER_HOST says. */
const SOCKET = '/var/run/docker.sock';
/** In a mount namespace of one's own, the socket is covered by what is none. */
const HIDE = `mount --bind /dev/null ${SOCKET} && exec "$0" "$@"`;
const mustHide = existsSync(SOCKET);
const canHide =
  !mustHide || spawnSync('unshare', ['--mount', 'sh', '-c', HIDE, 'true']).status === 0;
const cannot = canHide ? '' : ' (not run: a daemon is there and cannot be hidden)';

describe.skipIf(!canHide)(`storm without a container daemon${cannot}`, () => {
  const launch = (args: readonly string[]): Promise<Ended> => {
    const { lab } = storms;
    const environment = { HOME: lab.directory, XDG_RUNTIME_DIR: lab.directory, DOCKER_HOST: '' };
    if (!mustHide) return lab.launchOwn(CLI, args, { environment }).ended;
    const command = [process.execPath, join(ROOT, CLI), ...args];
    return lab.launch('unshare', ['--mount', 'sh', '-c', HIDE, ...command], { environment }).ended;
  };

  test('begins nothing where docker was asked for', async () => {
    const runs = storms.lab.path('never made');
    const ended = await launch(['run', '--cluster', 'docker', '--runs-dir', runs]);
    expect(complaints(ended)).toEqual([
      expect.stringMatching(/^storm: --cluster docker: .*; start the daemon or use --cluster proc/),
    ]);
    expect(ended.code).toBe(3);
    expect(existsSync(runs)).toBe(false);
  });

  test('runs on processes where nothing was asked for, and says why', async () => {
    const args = ['run', '--time-limit', '5', '--faults', 'kill', '--seed', '1'];
    const ended = await launch([...args, '--runs-dir', storms.runsDirectory]);
    expect(ended.stdout).toMatch(/^cluster: 3 members on process \(no docker: .+\)$/m);
    expect(ended.stdout).toMatch(/^verdict: valid/m);
    expect(ended, ended.stderr).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(storms.newestRun())).toContain('report.html');
  });
});
