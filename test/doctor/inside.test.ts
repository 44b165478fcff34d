/** The programs that go along as text: they stand alone, and measure what they say. */

import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import type { Outcome, Trial } from '../../harness/doctor/inside/traffic.ts';
import {
  figure,
  type InsideProgram,
  insideCommand,
  parsePrinted,
} from '../../harness/doctor/inside-program.ts';

const execute = promisify(execFile);
const INSIDE = join(import.meta.dirname, '../../harness/doctor/inside');
const directory = mkdtempSync(join(tmpdir(), 'doctor-inside-test-'));

afterAll(() => rmSync(directory, { recursive: true }));

async function run(
  program: InsideProgram,
  ...parameters: string[]
): Promise<Readonly<Record<string, unknown>>> {
  const [node, ...rest] = insideCommand(process.execPath, program, parameters);
  const { stdout } = await execute(node, rest);
  return parsePrinted(stdout);
}

test.each(readdirSync(INSIDE))('%s imports nothing of ours', (file) => {
  const specifiers = readFileSync(join(INSIDE, file), 'utf8').matchAll(/from '([^']+)'/g);
  expect([...specifiers].filter(([, name]) => !name!.startsWith('node:'))).toEqual([]);
});

describe('work', () => {
  test('spins, and says how much of a processor it got', async () => {
    const share = figure(await run('work', 'spin', '200'), 'share');
    expect(share).toBeGreaterThan(0);
    expect(share).toBeLessThan(2);
  });

  test('times fsync, and removes its file', async () => {
    expect(figure(await run('work', 'fsync', directory), 'medianMs')).toBeGreaterThan(0);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('fills up to where it is told to stop, and removes its file', async () => {
    expect(await run('work', 'fill', directory, '1')).toEqual({ bytes: 2 ** 20, code: '' });
    expect(readdirSync(directory)).toEqual([]);
  });

  test('hoards', async () => {
    expect(await run('work', 'hoard', '8')).toEqual({ mebibytes: 8 });
  });

  test('dials', async () => {
    expect(await run('work', 'dial', '127.0.0.1', '1')).toEqual({
      answers: false,
      code: 'ECONNREFUSED',
    });
  });

  test('knows what it does not know', async () => {
    await expect(run('work', 'sleep')).rejects.toThrow('no such work: sleep');
  });
});

describe.skipIf(process.platform !== 'linux')('traffic', () => {
  const trial = async (parts: Partial<Trial>): Promise<Outcome> => {
    const nothing = { prepare: [], inject: [], heal: [], remove: [] };
    const whole: Trial = { measure: 'echo', shell: 'sh', ...nothing, ...parts };
    return (await run('traffic', JSON.stringify(whole))) as unknown as Outcome;
  };

  test.each([
    ['echo', 'answers'],
    ['loss', 'loss'],
    ['transfer', 'transfer'],
  ] as const)('%s: flows when nothing is done to it', async (measure, kind) => {
    const outcome = await trial({ measure, inject: ['test PORT -gt 0'] });
    expect(outcome).toMatchObject({
      ok: true,
      before: { kind },
      during: { kind },
      after: { kind },
    });
  });

  test('a step that fails is the answer, and what was made is removed', async () => {
    const [made, removed] = [join(directory, 'made'), join(directory, 'removed')];
    const outcome = await trial({
      prepare: [`touch ${made}`],
      inject: ['echo not permitted >&2; exit 1', `rm ${made}`],
      remove: [`mv ${made} ${removed}`],
    });
    expect(outcome).toEqual({ ok: false, error: 'not permitted' });
    expect([existsSync(made), existsSync(removed)]).toEqual([false, true]);
  });

  test('a program for all steps that is not there, or ends, is the answer', async () => {
    expect(await trial({ shell: ['no-such-nft', '-i'] })).toEqual({
      ok: false,
      error: 'spawn no-such-nft ENOENT',
    });
    expect(await trial({ shell: ['false'] })).toMatchObject({ ok: false });
  });
});

test('what is no JSON object with the figure is refused', () => {
  expect(() => parsePrinted('Killed')).toThrow('it printed no figures: Killed');
  expect(() => parsePrinted('3')).toThrow('no figures');
  expect(() => figure({ share: 'much' }, 'share')).toThrow('it printed no share');
});
