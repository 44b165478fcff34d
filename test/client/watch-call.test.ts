import { createServer, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ClientError } from '../../src/client/client-error.ts';
import { EtcdClient } from '../../src/client/etcd-client.ts';
import { keepAliveOnce } from '../../src/client/lease-client.ts';
import { WatchCall } from '../../src/client/watch-call.ts';
import { type WatchBatch, type WatchEnd, WatchEvents } from '../../src/client/watch-events.ts';
import { utf8Encode } from '../../src/lib/utf8.ts';
import type { WatchEvent, WatchRequest, WatchResult } from '../../src/mvcc/watch-request.ts';
import { frameMessage, MessageAssembler } from '../../src/wire/grpc-frame.ts';
import { decodeMessage } from '../../src/wire/proto-reader.ts';
import { ProtoWriter } from '../../src/wire/proto-writer.ts';
import { readWatchRequest, writeWatchResponse } from '../../src/wire/watch-messages.ts';
import { textOf } from '../mvcc/watch-history.ts';
import { expectErr } from './expect-result.ts';

/** What a watching client makes of servers that are slow, broken or gone. */

interface Server extends AsyncDisposable {
  readonly endpoint: string;
  readonly requests: WatchRequest[];
}

/** Calls `answer` when the first request of a stream has come. */
async function openServer(answer: (stream: ServerHttp2Stream) => void): Promise<Server> {
  const requests: WatchRequest[] = [];
  const sockets = new Set<Socket>();
  const server: Http2Server = createServer();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('stream', (stream: ServerHttp2Stream) => {
    const assembler = new MessageAssembler(1_000_000);
    stream.on('error', () => undefined);
    stream.on('data', (chunk: Buffer) => {
      assembler.push(new Uint8Array(chunk));
      for (let next = assembler.next(); next.ok && next.value; next = assembler.next()) {
        const request = decodeMessage(next.value, readWatchRequest);
        if (request.ok) requests.push(request.value);
        if (requests.length === 1) answer(stream);
      }
    });
  });
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const HEADERS = { ':status': 200, 'content-type': 'application/grpc' };

function respond(stream: ServerHttp2Stream, ...results: Partial<WatchResult>[]): void {
  if (!stream.headersSent) stream.respond(HEADERS, { waitForTrailers: true });
  for (const result of results) {
    const writer = new ProtoWriter();
    writeWatchResponse(writer, {
      header: { clusterId: 1n, memberId: 2n, revision: 9, raftTerm: 3 },
      result: {
        watchId: 0,
        created: false,
        canceled: false,
        compactRevision: 0,
        cancelReason: '',
        fragment: false,
        events: [],
        ...result,
      },
    });
    stream.write(frameMessage(writer.finish()));
  }
}

function endWith(stream: ServerHttp2Stream, status: string, message: string): void {
  stream.on('wantTrailers', () => {
    stream.sendTrailers({ 'grpc-status': status, 'grpc-message': message });
  });
  stream.end();
}

function put(key: string, modRevision: number): WatchEvent {
  const value = utf8Encode('v');
  const kv = { key: utf8Encode(key), createRevision: 1, modRevision, version: 2, value, lease: 0n };
  return { type: 'put', kv, prevKv: undefined };
}

async function readAll(watch: WatchEvents): Promise<{ batches: WatchBatch[]; end: WatchEnd }> {
  const batches: WatchBatch[] = [];
  for await (const batch of watch) batches.push(batch);
  return { batches, end: watch.end! };
}

async function endOf(client: EtcdClient): Promise<WatchEnd> {
  return (await readAll(new WatchEvents(client, { key: 'a' }))).end;
}

describe('WatchEvents', () => {
  test('fragments are put together; progress is a batch without events', async () => {
    await using server = await openServer((stream) => {
      respond(
        stream,
        { created: true },
        { fragment: true, events: [put('a', 5)] },
        { events: [put('b', 5)] },
        { watchId: -1 },
        { canceled: true, compactRevision: 12, cancelReason: 'why' },
      );
    });
    const client = new EtcdClient({ endpoint: server.endpoint });
    const watch = new WatchEvents(client, { key: 'a', startRevision: 4, filters: ['noDelete'] });
    const { batches, end } = await readAll(watch);
    expect(batches.map(({ events }) => events.map(textOf))).toEqual([
      ['5 a put v', '5 b put v'],
      [],
    ]);
    expect(watch.createdRevision).toBe(9);
    expect(end).toEqual({ type: 'canceled', compactRevision: 12, reason: 'why' });
    expect(server.requests).toMatchObject([
      { type: 'create', request: { startRevision: 4, filters: ['noDelete'] } },
    ]);
    client.close();
  });

  test('what came before the end is read first', async () => {
    await using server = await openServer((stream) => {
      respond(stream, { created: true }, { events: [put('a', 5)] });
      endWith(stream, '14', 'etcdserver: no leader');
    });
    const client = new EtcdClient({ endpoint: server.endpoint });
    const { batches, end } = await readAll(new WatchEvents(client, { key: 'a' }));
    expect(batches).toHaveLength(1);
    expect(end).toEqual({
      type: 'ended',
      error: { code: 14, message: 'etcdserver: no leader', definite: true },
    });
    client.close();
  });

  test('a reader that is slow slows the server down, and misses nothing', async () => {
    const COUNT = 2000;
    let most = 0;
    await using server = await openServer((stream) => {
      let sent = 0;
      const value = new Uint8Array(10_000);
      const more = (): void => {
        while (sent < COUNT && !stream.writableNeedDrain) {
          sent++;
          const event = put('a', sent);
          respond(stream, { events: [{ ...event, kv: { ...event.kv, value } }] });
        }
        most = Math.max(most, sent);
        if (sent === COUNT) endWith(stream, '0', '');
      };
      stream.on('drain', more);
      more();
    });
    const client = new EtcdClient({ endpoint: server.endpoint });
    const watch = new WatchEvents(client, { key: 'a' });
    let expected = 0;
    for await (const { events } of watch) {
      expected++;
      expect(events[0]!.kv.modRevision).toBe(expected);
      if (expected === 1) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        expect(most).toBeLessThan(COUNT);
      }
    }
    expect(expected).toBe(COUNT);
    expect(watch.end).toEqual({ type: 'ended', error: undefined });
    client.close();
  });
});

describe('how it ends, and whether anything was sent', () => {
  test('nobody listens', async () => {
    const { endpoint } = await (async () => {
      await using server = await openServer(() => undefined);
      return server;
    })();
    const client = new EtcdClient({ endpoint });
    expect(await endOf(client)).toMatchObject({ error: { code: 14, definite: true } });
    client.close();
  });

  test('the client is closed already', async () => {
    const client = new EtcdClient({ endpoint: 'http://127.0.0.1:1' });
    client.close();
    expect(await endOf(client)).toMatchObject({ type: 'ended', error: { definite: true } });
    expect(expectErr(await keepAliveOnce(client, 1n)).definite).toBe(true);
  });

  test('the server never answers', async () => {
    await using server = await openServer(() => undefined);
    const client = new EtcdClient({ endpoint: server.endpoint, timeoutMs: 100 });
    expect(await endOf(client)).toMatchObject({ error: { code: 4, definite: false } });
    expect(expectErr(await keepAliveOnce(client, 1n))).toMatchObject({ code: 4, definite: false });
    client.close();
  });

  test('the connection breaks', async () => {
    await using server = await openServer((stream) => {
      respond(stream, { created: true });
      setTimeout(() => stream.session?.destroy(), 20);
    });
    const client = new EtcdClient({ endpoint: server.endpoint });
    expect(await endOf(client)).toMatchObject({ error: { code: 14, definite: false } });
    client.close();
  });

  test('an answer that is none', async () => {
    await using server = await openServer((stream) => {
      stream.respond(HEADERS);
      stream.write(frameMessage(Uint8Array.of(0x0a, 0x7f)));
    });
    const client = new EtcdClient({ endpoint: server.endpoint });
    const end = await endOf(client);
    expect(end).toMatchObject({ error: { definite: false } });
    expect(end.type === 'ended' && end.error?.message).toContain('unreadable answer');
    client.close();
  });

  test('closed by the caller: nothing is called back, nothing is sent', async () => {
    await using server = await openServer((stream) => respond(stream, { created: true }));
    const client = new EtcdClient({ endpoint: server.endpoint });
    const called: (ClientError | undefined | string)[] = [];
    const call = new WatchCall(client, {
      onResponse: () => called.push('response'),
      onEnd: (error) => called.push(error),
    });
    expect(call.create({ key: 'a' })).toBe(true);
    call.close();
    expect(call.create({ key: 'a' })).toBe(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([called, server.requests]).toEqual([[], []]);
    client.close();
  });
});
