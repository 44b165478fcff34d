/** The tunnel to a daemon elsewhere, with an ssh that only pretends. */

import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { openSshTunnel } from '../../harness/cluster/docker/ssh-tunnel.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'storm-ssh-test-'));
  mkdirSync(join(directory, 'tmp'));
  vi.stubEnv('PATH', [directory, process.env.PATH].join(delimiter));
  vi.stubEnv('TMPDIR', join(directory, 'tmp'));
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(directory, { recursive: true, force: true });
});

function pretend(script: string): void {
  const path = join(directory, 'ssh');
  writeFileSync(path, `#!${process.execPath}\nconst args = process.argv.slice(2);\n${script}`);
  chmodSync(path, 0o755);
}

/** Opens what a master opens, and ends with its input; forwards are written down. */
const MASTER = `
const { appendFileSync, writeFileSync } = require('node:fs');
const after = (flag) => args[args.indexOf(flag) + 1];
if (args.includes('-O')) {
  appendFileSync(__dirname + '/forwards', args.join(' ') + '\\n');
} else {
  for (const file of [after('-S'), after('-L').split(':')[0]]) writeFileSync(file, '');
  process.stdin.resume().on('end', () => process.exit());
}
`;

test('leads the socket and ports of the loopback there to ones here', async () => {
  pretend(MASTER);
  const tunnel = await openSshTunnel('ssh://me@far:2222');
  expect(existsSync(tunnel.socketPath)).toBe(true);
  const [port, ...others] = await tunnel.reach([80]);
  expect(others).toEqual([]);
  const forwards = readFileSync(join(directory, 'forwards'), 'utf8');
  expect(forwards).toContain(`-O forward -L 127.0.0.1:${port}:127.0.0.1:80 -l me -p 2222 -- far`);
});

test('says what ssh said last, and does not wait for it', async () => {
  pretend(`console.error('noise'); console.error('Permission denied'); process.exit(255);`);
  await expect(openSshTunnel('ssh://far')).rejects.toThrow(
    /^no tunnel to ssh:\/\/far: Permission denied$/,
  );
});

test('removes what a killed process has left', async () => {
  const stale = join(directory, 'tmp', 'storm-ssh-999999999-x');
  mkdirSync(stale);
  pretend(MASTER);
  await openSshTunnel('ssh://far');
  expect(existsSync(stale)).toBe(false);
});
