/** A log that nobody reads must not hold up the server. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { LogPipe, PENDING_BYTES_MAX } from '../../src/host/log-pipe.ts';

/** Takes `room` bytes, then nothing until it is given more. */
function narrowPipe(): { room: number; text: string; pipe: LogPipe } {
  const narrow = {
    room: Number.POSITIVE_INFINITY,
    text: '',
    pipe: new LogPipe((bytes) => {
      const took = Math.min(bytes.length, narrow.room);
      narrow.room -= took;
      narrow.text += bytes.subarray(0, took).toString();
      return took;
    }),
  };
  return narrow;
}

test('lines go through at once while somebody reads', () => {
  const narrow = narrowPipe();
  narrow.pipe.write('one\n');
  narrow.pipe.write('two\n');
  expect(narrow.text).toBe('one\ntwo\n');
});

test('what does not fit waits, a line cut in two included', () => {
  const narrow = narrowPipe();
  narrow.room = 6;
  for (const line of ['one\n', 'two\n', 'three\n']) narrow.pipe.write(line);
  expect(narrow.text).toBe('one\ntw');
  narrow.room = 100;
  narrow.pipe.flush();
  expect(narrow.text).toBe('one\ntwo\nthree\n');
});

test('beyond a mebibyte lines are dropped, and the log says how many', () => {
  const narrow = narrowPipe();
  narrow.room = 0;
  const line = `${'x'.repeat(65_535)}\n`;
  const kept = PENDING_BYTES_MAX / line.length;
  for (let n = 0; n < kept + 3; n++) narrow.pipe.write(line);
  narrow.room = Number.POSITIVE_INFINITY;
  narrow.pipe.flush();
  const lines = narrow.text.trimEnd().split('\n');
  expect(lines).toHaveLength(kept + 1);
  expect(JSON.parse(lines.at(-1)!)).toMatchObject({ level: 'warn', lines: 3 });
  narrow.pipe.write('after\n');
  expect(narrow.text.endsWith('\nafter\n')).toBe(true);
});

test('a reader that is gone is no reason to stop', () => {
  let calls = 0;
  const pipe = new LogPipe(() => {
    calls++;
    throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' });
  });
  pipe.write('one\n');
  pipe.write('two\n');
  expect(calls).toBe(2);
});

test.runIf(process.platform === 'linux')(
  'a program that logs to a FIFO nobody reads goes on',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'stormraft-log-pipe-'));
    const path = join(directory, 'fifo');
    execFileSync('mkfifo', [path]);
    const fifo = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    // Apart, because the program sets flags of its own.
    const output = openSync(path, constants.O_WRONLY);
    const module = new URL('../../src/host/pino-log.ts', import.meta.url).href;
    // More than a pipe holds; and what it says on its other output, it says after that.
    const program = `
      const { openLog } = await import(${JSON.stringify(module)});
      const log = openLog('info', { outputs: ['stdout'], format: 'json' }).value;
      for (let n = 0; n < 2000; n++) log.info('x'.repeat(100), { n });
      process.stderr.write('still here');
      setTimeout(() => {}, 60_000);
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', output, 'pipe'],
    });
    try {
      const [said] = await once(child.stderr!, 'data', { signal: AbortSignal.timeout(20_000) });
      expect(String(said)).toBe('still here');
      const seen = new Set<number>();
      let text = '';
      for (let tries = 0; tries < 200 && seen.size < 2000; tries++) {
        text += readAll(fifo);
        const lines = text.split('\n');
        text = lines.pop() ?? '';
        for (const line of lines) seen.add((JSON.parse(line) as { n: number }).n);
        await sleep(20);
      }
      expect(seen.size).toBe(2000);
    } finally {
      child.kill('SIGKILL');
      closeSync(fifo);
      closeSync(output);
      rmSync(directory, { recursive: true });
    }
  },
  30_000,
);

function readAll(fd: number): string {
  const chunk = Buffer.alloc(65_536);
  let text = '';
  try {
    for (;;) text += chunk.toString('utf8', 0, readSync(fd, chunk));
  } catch {
    return text;
  }
}
