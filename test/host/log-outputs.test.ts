import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLog } from '../../src/host/pino-log.ts';
import { TlsDirectory } from '../support/test-certificates.ts';

describe('where the log goes', () => {
  test('every file gets every line of the level, as JSON or for people', () => {
    using directory = new TlsDirectory();
    const [one, two] = [join(directory.path, 'one.log'), join(directory.path, 'two.log')];
    const json = openLog('info', { outputs: [one, two], format: 'json' });
    if (!json.ok) expect.fail(json.error);
    json.value.info('ready', { port: 1 });
    json.value.debug('not asked for');
    expect(JSON.parse(readFileSync(one, 'utf8'))).toMatchObject({ msg: 'ready', port: 1 });
    expect(readFileSync(two, 'utf8')).toBe(readFileSync(one, 'utf8'));
    const debug = openLog('debug', { outputs: [one, two], format: 'console' });
    if (!debug.ok) expect.fail(debug.error);
    debug.value.debug('looked', { port: 2 });
    debug.value.warn('warned');
    const lines = readFileSync(two, 'utf8').trimEnd().split('\n').slice(1);
    expect(lines.map((line) => line.split('\t').slice(1))).toEqual([
      ['debug', 'looked', '{"port":2}'],
      ['warn', 'warned'],
    ]);
  });

  test('a file that cannot be written is named', () => {
    expect(openLog('info', { outputs: ['/nonexistent/x.log'], format: 'json' })).toEqual({
      ok: false,
      error: '/nonexistent/x.log cannot be written (ENOENT); check that its directory exists',
    });
  });
});
