import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { err, type Result } from '../../src/lib/result.ts';
import { type ServiceError, serviceError } from '../../src/service/errors.ts';
import { streamSnapshot } from '../../src/service/snapshot-stream.ts';
import type { StreamSink } from '../../src/service/stream.ts';
import type { SnapshotExport } from '../../src/snap/snapshot-export.ts';
import type { ResponseHeader, SnapshotResponse } from '../../src/wire/gen/etcdserverpb/rpc_pb.ts';

const FILE = new Uint8Array(100_000).map((_, at) => at % 251);

class KeptSink implements StreamSink<SnapshotResponse> {
  readonly sent: SnapshotResponse[] = [];
  ended: 'open' | 'well' | ServiceError = 'open';
  writable = true;
  #drained: () => void = () => undefined;

  send(response: SnapshotResponse): void {
    this.sent.push(response);
  }

  onWritable(callback: () => void): void {
    this.#drained = callback;
  }

  end(error?: ServiceError): void {
    this.ended = error ?? 'well';
  }

  drain(): void {
    this.writable = true;
    this.#drained();
  }
}

/** The stream over a file that is all there, or whose reads fail. */
function open(
  sink: KeptSink,
  options: { refusal?: Result<never, ServiceError>; fails?: boolean } = {},
) {
  const seen = { created: 0, closed: 0 };
  const file = {
    sizeBytes: FILE.length,
    readAt: async (offset: number, lengthBytes: number) => {
      if (options.fails) throw new Error('the disk is gone');
      return FILE.subarray(offset, offset + lengthBytes);
    },
    close: async () => {
      seen.closed += 1;
    },
  };
  const create = async () => {
    seen.created += 1;
    return file;
  };
  const stream = streamSnapshot(sink, {
    admit: async () => options.refusal,
    snapshots: { create } as unknown as SnapshotExport,
    newDigest: () => {
      const hash = createHash('sha256');
      return { update: (bytes) => void hash.update(bytes), sum: () => hash.digest() };
    },
    header: () => ({}) as ResponseHeader,
  });
  return { stream, seen };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('the file comes in blobs that say what remains, then its checksum', async () => {
  const sink = new KeptSink();
  const { seen } = open(sink);
  await turn();
  expect(sink.ended).toBe('well');
  const blobs = sink.sent.slice(0, -1);
  expect(blobs.map(({ blob }) => blob.length)).toEqual([32_768, 32_768, 32_768, 1_696]);
  expect(blobs.map(({ remainingBytes }) => remainingBytes)).toEqual([67_232n, 34_464n, 1_696n, 0n]);
  expect(Buffer.concat(blobs.map(({ blob }) => blob)).equals(FILE)).toBe(true);
  expect(sink.sent.at(-1)).toMatchObject({ remainingBytes: 0n, version: '3.6.0' });
  const checksum = createHash('sha256').update(FILE).digest();
  expect(checksum.equals(sink.sent.at(-1)!.blob)).toBe(true);
  expect(seen).toEqual({ created: 1, closed: 1 });
});

test('it goes at the pace of the client', async () => {
  const sink = new KeptSink();
  sink.writable = false;
  const { seen } = open(sink);
  await turn();
  expect(sink.sent).toHaveLength(1);
  expect(seen.closed).toBe(0);
  sink.drain();
  await turn();
  expect(sink.ended).toBe('well');
});

test('a client that leaves ends it, and the file is removed', async () => {
  const sink = new KeptSink();
  sink.writable = false;
  const { stream, seen } = open(sink);
  await turn();
  stream.closed();
  await turn();
  expect(sink.sent).toHaveLength(1);
  expect(seen.closed).toBe(1);
});

test('who is not let in gets no file', async () => {
  const sink = new KeptSink();
  const denied = serviceError('permissionDenied');
  const { seen } = open(sink, { refusal: err(denied) });
  await turn();
  expect([sink.ended, seen.created]).toEqual([denied, 0]);
});

test('a disk that fails ends the call with an error, and the file is removed', async () => {
  const sink = new KeptSink();
  const { seen } = open(sink, { fails: true });
  await turn();
  expect(sink.ended).toMatchObject({ code: 14 });
  expect(seen.closed).toBe(1);
});
