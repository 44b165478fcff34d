import { connect } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { serviceError } from '../../src/service/errors.ts';
import { frameMessage } from '../../src/wire/grpc-frame.ts';
import { expectErr, expectOk } from '../client/expect-result.ts';
import { openApi } from './api-fixture.ts';
import { RANGE, RANGE_FRAME, rawCall } from './raw-grpc.ts';

describe('gRPC front end', () => {
  test('an answer has headers, one frame and status 0 in the trailers', async () => {
    await using fixture = await openApi();
    const answer = await rawCall(fixture.endpoint, { path: RANGE, chunks: [RANGE_FRAME] });
    expect(answer.headers).toMatchObject({ ':status': 200, 'content-type': 'application/grpc' });
    expect(answer.trailers['grpc-status']).toBe('0');
    expect(answer.body.readUInt32BE(1)).toBe(answer.body.length - 5);
  });

  test('a message may come byte by byte', async () => {
    await using fixture = await openApi();
    const chunks = [...RANGE_FRAME].map((byte) => Uint8Array.of(byte));
    const answer = await rawCall(fixture.endpoint, { path: RANGE, chunks });
    expect(answer.trailers['grpc-status']).toBe('0');
  });

  test.each<[string, Uint8Array[], string, RegExp]>([
    ['no message', [], '13', /has no message/],
    ['half a message', [RANGE_FRAME.subarray(0, 6)], '13', /ends within a message/],
    ['a compressed message', [Uint8Array.of(1, 0, 0, 0, 1, 0)], '12', /compressed/],
    ['a malformed message', [frameMessage(Uint8Array.of(0x0a, 9))], '13', /truncated/],
    ['an unknown sort order', [frameMessage(Uint8Array.of(0x0a, 1, 97, 0x28, 9))], '3', /sort/],
  ])('%s is refused', async (_, chunks, status, message) => {
    await using fixture = await openApi();
    const answer = await rawCall(fixture.endpoint, { path: RANGE, chunks });
    expect(answer.headers['grpc-status']).toBe(status);
    expect(answer.headers['grpc-message']).toMatch(message);
    expect(fixture.services.calls).toEqual([]);
  });

  test('a message above the limit is refused before it has come', async () => {
    await using fixture = await openApi();
    const prefix = Uint8Array.of(0, 0, 0x20, 0, 1);
    const answer = await rawCall(fixture.endpoint, { path: RANGE, chunks: [prefix], end: false });
    expect(answer.headers['grpc-status']).toBe('8');
    expect(answer.headers['grpc-message']).toBe(
      'grpc: received message larger than max (2097153 vs. 2097152)',
    );
  });

  test('big requests below the limit and bigger answers pass', async () => {
    await using fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const value = new Uint8Array(1_500_000).fill(0x61);
    for (const key of ['a', 'b', 'c', 'd']) expectOk(await client.put({ key, value }));
    const all = expectOk(await client.range({ key: 'a', rangeEnd: 'z' }));
    expect(all.kvs.map((kv) => kv.value.length)).toEqual(new Array(4).fill(value.length));
    expect(expectErr(await client.put({ key: 'e', value: new Uint8Array(2_200_000) })).code).toBe(
      8,
    );
    expect(expectOk(await client.get('e')).kv).toBeUndefined();
    client.close();
  });

  test('unknown methods and services are unimplemented', async () => {
    await using fixture = await openApi();
    const call = (path: string) => rawCall(fixture.endpoint, { path, chunks: [RANGE_FRAME] });
    expect((await call('/etcdserverpb.KV/RangeStream')).headers).toMatchObject({
      'grpc-status': '12',
      'grpc-message': 'unknown method RangeStream for service etcdserverpb.KV',
    });
    expect((await call('/etcdserverpb.Other/Watch')).headers).toMatchObject({
      'grpc-status': '12',
      'grpc-message': 'unknown service etcdserverpb.Other',
    });
    expect((await call('/')).headers['grpc-status']).toBe('12');
  });

  test('what is no gRPC is a page, or there is none', async () => {
    await using fixture = await openApi();
    const call = (headers: Record<string, string>) =>
      rawCall(fixture.endpoint, { path: RANGE, chunks: [], headers });
    expect((await call({ 'content-type': 'application/json' })).headers[':status']).toBe(404);
    expect((await call({ 'content-type': 'application/grpcx' })).headers[':status']).toBe(404);
    expect((await call({ ':method': 'PUT' })).headers[':status']).toBe(405);
    const proto = await rawCall(fixture.endpoint, {
      path: RANGE,
      chunks: [RANGE_FRAME],
      headers: { 'content-type': 'application/grpc+proto' },
    });
    expect(proto.trailers['grpc-status']).toBe('0');
  });

  test('errors of services keep code and text', async () => {
    await using fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    fixture.services.before = async () => serviceError('compacted');
    expect(expectErr(await client.get('a'))).toEqual(serviceError('compacted'));
    fixture.services.before = async () => ({ code: 2, message: 'ümläut %', definite: false });
    expect(expectErr(await client.get('a')).message).toBe('ümläut %');
    client.close();
  });

  test('a service that throws costs one request', async () => {
    await using fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    fixture.services.before = async () => {
      throw new Error('bug');
    };
    expect(expectErr(await client.get('a'))).toMatchObject({ code: 13, definite: false });
    fixture.services.before = async () => undefined;
    expectOk(await client.get('a'));
    client.close();
  });

  test('the deadline is answered for a service that is late', async () => {
    await using fixture = await openApi();
    fixture.services.before = () => new Promise(() => undefined);
    const answer = await rawCall(fixture.endpoint, {
      path: RANGE,
      chunks: [RANGE_FRAME],
      headers: { 'grpc-timeout': '50m' },
    });
    expect(answer.headers).toMatchObject({
      'grpc-status': '4',
      'grpc-message': 'context deadline exceeded',
    });
    const malformed = await rawCall(fixture.endpoint, {
      path: RANGE,
      chunks: [RANGE_FRAME],
      headers: { 'grpc-timeout': 'soon' },
    });
    expect(malformed.headers['grpc-status']).toBe('13');
  });

  test('an answer for a client that has cancelled is dropped', async () => {
    await using fixture = await openApi();
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<undefined>();
    fixture.services.before = () => {
      started.resolve();
      return release.promise;
    };
    const session = connect(fixture.endpoint);
    const cancelled = session.request({
      ':method': 'POST',
      ':path': RANGE,
      'content-type': 'application/grpc',
    });
    cancelled.on('error', () => undefined);
    cancelled.write(RANGE_FRAME);
    await started.promise;
    cancelled.close(8);
    await new Promise((resolve) => cancelled.on('close', resolve));
    release.resolve(undefined);
    const answer = await rawCall(fixture.endpoint, { path: RANGE, chunks: [RANGE_FRAME] });
    expect(answer.trailers['grpc-status']).toBe('0');
    session.destroy();
  });

  test('thousands of cancelled requests do not end the connection', async () => {
    await using fixture = await openApi();
    fixture.services.before = () => new Promise(() => undefined);
    const session = connect(fixture.endpoint);
    let goaways = 0;
    session.on('goaway', () => {
      goaways += 1;
    });
    const headers = { ':method': 'POST', ':path': RANGE, 'content-type': 'application/grpc' };
    const closed = Array.from({ length: 3000 }, async () => {
      const stream = session.request(headers);
      stream.on('error', () => undefined);
      stream.write(RANGE_FRAME);
      setImmediate(() => stream.close(8));
      await new Promise((resolve) => stream.on('close', resolve));
    });
    await Promise.all(closed);
    await new Promise((resolve) => session.ping(() => resolve(undefined)));
    expect([goaways, session.destroyed]).toEqual([0, false]);
    session.destroy();
  });

  test('a thousand requests at once on one connection', async () => {
    await using fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    await Promise.all(keys.map(async (key) => expectOk(await client.put({ key, value: key }))));
    const { count } = expectOk(await client.range({ key: 'k', rangeEnd: 'l', countOnly: true }));
    expect(count).toBe(1000);
    client.close();
  });

  test('answers that a client does not read are bounded', async () => {
    await using fixture = await openApi({ unsentBytesMax: 100_000 });
    const writer = new EtcdClient({ endpoint: fixture.endpoint });
    expectOk(await writer.put({ key: 'a', value: new Uint8Array(200_000) }));
    writer.close();
    const session = connect(fixture.endpoint, { settings: { initialWindowSize: 0 } });
    const request = () => {
      const stream = session.request({
        ':method': 'POST',
        ':path': RANGE,
        'content-type': 'application/grpc',
      });
      stream.on('error', () => undefined);
      stream.end(RANGE_FRAME);
      return new Promise((resolve) => stream.on('response', resolve));
    };
    expect(await request()).not.toHaveProperty('grpc-status');
    expect(await request()).toMatchObject({ 'grpc-status': '8' });
    session.destroy();
  });

  test('closing lets requests in flight finish, and then refuses', async () => {
    const fixture = await openApi();
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const started = Promise.withResolvers<void>();
    const release = Promise.withResolvers<undefined>();
    fixture.services.before = () => {
      started.resolve();
      return release.promise;
    };
    const pending = client.get('a');
    await started.promise;
    const closed = fixture.api.close();
    release.resolve(undefined);
    expectOk(await pending);
    await closed;
    expect(expectErr(await client.get('a'))).toMatchObject({ code: 14, definite: true });
    client.close();
  });

  test('closing cuts requests that do not finish', async () => {
    const fixture = await openApi({ closeGraceMs: 20 });
    const client = new EtcdClient({ endpoint: fixture.endpoint });
    const started = Promise.withResolvers<void>();
    fixture.services.before = () => {
      started.resolve();
      return new Promise(() => undefined);
    };
    const pending = client.get('a');
    await started.promise;
    await fixture.api.close();
    expect(expectErr(await pending)).toMatchObject({ definite: false });
    client.close();
  });
});
