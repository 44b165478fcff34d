/** Bad input on the real command line: status 3 and one line that names the field and the fix. */
import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';

const CLI = resolve(import.meta.dirname, '../../harness/cli.ts');

interface Ended {
  readonly status: number | string | null | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

function storm(...args: string[]): Promise<Ended> {
  return new Promise((done) => {
    execFile(process.execPath, [CLI, ...args], (error, stdout, stderr) => {
      done({ status: error === null ? 0 : error.code, stdout, stderr });
    });
  });
}

test.concurrent.each<[string, readonly string[], RegExp]>([
  ['no command', [], /no command; use run, check, report, sim/],
  ['unknown command', ['rum'], /unknown command rum; use run/],
  ['unknown flag', ['run', '--sede', '1'], /unknown option '--sede'.*--seed/],
  ['flag without value', ['run', '--seed'], /--seed.*argument missing/],
  ['bad number', ['run', '--seed', '-3'], /--seed -3: give a whole number from 0 to/],
  ['number out of range', ['run', '--time-limit', '1'], /--time-limit 1: .* from 5 to/],
  [
    'election too short',
    ['run', '--election-timeout', '300'],
    /--election-timeout 300 is below 5 x --heartbeat-interval 100; give at least 500/,
  ],
  [
    'unknown fault',
    ['run', '--faults', 'kill,kil'],
    /--faults kil: unknown fault; use kill, kill-all/,
  ],
  ['required but left out', ['run', '--faults', 'kill', '--require', 'pause'], /add it there/],
  ['unknown backend', ['run', '--cluster', 'k8s'], /--cluster k8s: unknown; use docker, process/],
  ['no server there', ['run', '--server', '/nonexistent'], /no src\/main\.ts there/],
  ['no etcd there', ['run', '--target', 'etcd:/nonexistent'], /no executable at \/nonexistent/],
  ['missing run directory', ['check', '/nonexistent'], /no plan\.json there; give runs\/<name>/],
  ['no run directory', ['report'], /missing required argument 'dir'/],
  ['bad rounds', ['durability', '--rounds', '0'], /--rounds 0: give a whole number from 1/],
  ['too few to fail over', ['failover', '--members', '1'], /--members 1: .* from 3 to 9/],
  ['seed of other code', ['replay', '7@000000000000'], /seed 7 was made by code 0+ and this is/],
  ['nothing to replay', ['replay', '/nonexistent'], /\/nonexistent: no scenario .*give a seed/],
  ['no scenario', ['replay', 'package.json'], /package\.json: field format: not storm-scenario/],
  ['unknown mutant', ['mutants', '--only', 'nobody'], /--only nobody: no such mutant; use vote/],
  ['unknown catalogue', ['mutants', '--of', 'docs'], /--of docs: unknown; use server, checkers/],
  ['bad shard', ['fuzz', '--shard', '3/2'], /--shard 3\/2: give i\/n with i from 1 to n/],
  ['too many members', ['sim', '--members', '8'], /--members 8: give a whole number from 1 to 7/],
  [
    'nothing to measure against',
    ['bench', 'zookeeper'],
    /bench zookeeper: unknown; use bench etcd/,
  ],
  ['bad cell', ['bench', 'etcd', '--only', 'stormraft', '--cells', 'get:1'], /--cells get:1: give/],
  ['nothing to scope', ['scope'], /scope: give what to play .*or --live/],
  ['etcd cannot be simulated', ['run', '--cluster', 'sim', '--target', 'etcd:/bin/sh'], /--target/],
])('%s', async (_, args, message) => {
  const { status, stderr } = await storm(...args);
  expect(stderr).toMatch(message);
  expect(stderr.trim().split('\n')).toHaveLength(1);
  expect(status).toBe(3);
});

test('help is no error', async () => {
  const { status, stdout } = await storm('run', '--help');
  expect(status).toBe(0);
  expect(stdout).toContain('--time-limit');
});
