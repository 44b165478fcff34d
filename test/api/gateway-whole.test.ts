import { describe, expect, test } from 'vitest';
import { needsProgram, openApi, runProgram } from './api-fixture.ts';

/** Port, gateway, methods and services together, as scripts use them. */

const CURL = '/usr/bin/curl';
const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe.runIf(needsProgram(CURL))('curl', () => {
  test('put, range and txn', async () => {
    await using fixture = await openApi();
    const post = async (path: string, body: object): Promise<string> => {
      const url = `${fixture.endpoint}/v3/${path}`;
      const args = ['-sS', '-L', url, '-XPOST', '-d', JSON.stringify(body)];
      return (await runProgram(CURL, args)).stdout;
    };
    expect(await post('kv/put', { key: base64('foo'), value: base64('bar') })).toBe(
      '{"header":{"cluster_id":"18364758544493064720","member_id":"10276657743932975437",' +
        '"revision":"2","raft_term":"7"}}',
    );
    expect(JSON.parse(await post('kv/range', { key: base64('foo') }))).toMatchObject({
      kvs: [{ key: 'Zm9v', create_revision: '2', mod_revision: '2', version: '1', value: 'YmFy' }],
      count: '1',
    });
    const txn = {
      compare: [{ key: base64('foo'), target: 'VALUE', value: base64('bar') }],
      success: [{ request_put: { key: base64('foo'), value: base64('x') } }],
    };
    expect(JSON.parse(await post('kv/txn', txn))).toMatchObject({
      succeeded: true,
      responses: [{ response_put: {} }],
    });
    // What an old client once crashed a server with.
    const malformed = {
      compare: [{ result: 0, target: 1, key: 'Zm9v', TargetUnion: null }],
      success: [{ Request: { RequestPut: { key: 'Zm9v', value: 'YmFy' } } }],
    };
    expect(JSON.parse(await post('kv/txn', malformed))).toMatchObject({
      error: 'etcdserver: key not found',
      code: 3,
    });
  });

  test.each(['--http1.1', '--http2', '--http2-prior-knowledge'])('%s', async (version) => {
    await using fixture = await openApi();
    const curl = async (path: string, ...args: string[]): Promise<string> =>
      (await runProgram(CURL, ['-sS', version, `${fixture.endpoint}${path}`, ...args])).stdout;
    expect(await curl('/health')).toBe('{"health":"true","reason":""}');
    expect(await curl('/v3/kv/range', '-d', '{"key":"AA=="}')).toMatch(/^{"header":{.*}}$/);
    expect(await curl('/v3/kv/range')).toBe('Method Not Allowed\n');
    expect(await curl('/v2/keys')).toBe('Not Found\n');
  });

  test('a large body, for which curl asks before it sends it', async () => {
    await using fixture = await openApi();
    const body = JSON.stringify({ key: base64('foo'), value: base64('x'.repeat(1_400_000)) });
    const url = `${fixture.endpoint}/v3/kv/put`;
    const args = ['-sS', url, '-d', '@-', '-H', 'expect: 100-continue', '-w', ' %{http_code}'];
    const { stdout } = await runProgram(CURL, args, { input: body });
    expect(stdout).toMatch(/"revision":"2".* 200$/);
  });
});
