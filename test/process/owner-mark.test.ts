/** What a harness has started and had no time to write down. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { killOrphans, ownerMark } from '../../harness/cluster/process/owner-mark.ts';
import { identify, killGroup } from '../../harness/cluster/process/process-table.ts';
import { sweepProcesses } from '../../harness/cluster/process/registry.ts';

const isLinux = process.platform === 'linux';

/** Resolves with a process and the one that it has started. */
async function startOwner(): Promise<{ readonly owner: ChildProcess; readonly started: number }> {
  const program = join(import.meta.dirname, 'marked-process.ts');
  const owner = spawn(process.execPath, [program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const pid = await new Promise<string>((resolve) => owner.stdout!.once('data', resolve));
  return { owner, started: Number(pid) };
}

let directory: string;
const outer = process.env.TMPDIR;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'owner-mark-test-'));
  process.env.TMPDIR = directory;
});
afterEach(() => {
  if (outer === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = outer;
  rmSync(directory, { recursive: true });
});

describe.skipIf(!isLinux)('processes that are written down nowhere', () => {
  test('end with their owner, and so do theirs; those of a living owner stay', async () => {
    const [dead, living] = await Promise.all([startOwner(), startOwner()]);
    try {
      const ended = new Promise((resolve) => dead.owner.once('exit', resolve));
      dead.owner.kill('SIGKILL');
      await ended;
      expect(identify(dead.started)).toBeDefined();
      process.env.TMPDIR = join(directory, 'another');
      expect(await killOrphans()).toBe(0);
      process.env.TMPDIR = directory;
      // The shell and what it runs.
      expect(await killOrphans()).toBeGreaterThanOrEqual(2);
      expect(identify(dead.started)).toBeUndefined();
      expect(identify(living.started)).toBeDefined();
      expect(await killOrphans()).toBe(0);
    } finally {
      living.owner.kill('SIGKILL');
      await Promise.all([dead, living].map(({ started }) => killGroup(started)));
    }
  });

  test('of another pid namespace, or with a mark that says nothing, are nobody we can judge', async () => {
    const mark = JSON.parse(Object.values(ownerMark())[0]!);
    const [name] = Object.keys(ownerMark());
    const gone = { ...mark, pid: 1, startTime: 'never' };
    const marks = [JSON.stringify({ ...gone, pidNamespace: 'pid:[1]' }), '{"pid":1}', 'torn{'];
    const pids = marks.map((text) => {
      const env = { ...process.env, [name!]: text };
      return spawn('sleep', ['600'], { detached: true, stdio: 'ignore', env }).pid!;
    });
    await killOrphans();
    expect(pids.map((pid) => identify(pid) !== undefined)).toEqual([true, true, true]);
    await Promise.all(pids.map(killGroup));
  });
});

describe('temporary files of dead owners', () => {
  test('go, and nothing else does', async () => {
    const dead = 2 ** 22 + 1;
    const entries = `stormraft-processes-${process.getuid?.() ?? 0}`;
    const names = [
      `stormdisk-probe-${dead}-x`,
      `storm-image-${dead}-y`,
      `storm-image-${process.pid}-z`,
      `storm-other-${dead}-z`,
      'storm-image-old',
    ];
    for (const name of [...names, entries])
      mkdirSync(join(directory, name, 'inner'), { recursive: true });
    rmSync(join(directory, entries, 'inner'), { recursive: true });
    const owner = { pid: dead, startTime: '1' };
    const entry = { runId: 'a', owner, groups: [], mountRoot: '/nowhere' };
    const write = (name: string, text: string): void =>
      writeFileSync(join(directory, entries, name), text);
    write('dead.json.next', JSON.stringify(entry));
    write('living.json.next', JSON.stringify({ ...entry, owner: identify(process.pid) }));
    write('torn.json.next', '{"own');
    write('torn-long-ago.json.next', '{"own');
    utimesSync(join(directory, entries, 'torn-long-ago.json.next'), 1, 1);
    await sweepProcesses();
    expect(readdirSync(directory).sort()).toEqual([...names.slice(2), entries].sort());
    expect(readdirSync(join(directory, entries)).sort()).toEqual([
      'living.json.next',
      'torn.json.next',
    ]);
  });
});
