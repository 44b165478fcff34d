import { create } from '@bufbuild/protobuf';
import type { Result } from '../lib/result.ts';
import type { ExportedSnapshot, SnapshotExport } from '../snap/snapshot-export.ts';
import {
  type ResponseHeader,
  type SnapshotResponse,
  SnapshotResponseSchema,
} from '../wire/gen/etcdserverpb/rpc_pb.ts';
import { API_VERSION } from './api-version.ts';
import { type ServiceError, serviceError } from './errors.ts';
import type { AnswerStream, StreamSink } from './stream.ts';

/** SHA-256, which the platform has. */
export interface Digest {
  update(bytes: Uint8Array): void;
  sum(): Uint8Array;
}

/** etcd's size of a message. */
const BLOB_BYTES = 32 * 1024;

/**
 * A snapshot as a stream: the file in blobs, each with what remains, then its SHA-256 as a blob.
 * It goes at the client's pace; the file is removed whoever ends the call.
 */
export function streamSnapshot(
  sink: StreamSink<SnapshotResponse>,
  parts: {
    readonly admit: () => Promise<Result<never, ServiceError> | undefined>;
    readonly snapshots: SnapshotExport;
    readonly newDigest: () => Digest;
    readonly header: () => ResponseHeader;
  },
): AnswerStream {
  let isOver = false;
  let resume: (() => void) | undefined;
  sink.onWritable(() => resume?.());
  const room = (): Promise<void> | undefined => {
    if (sink.writable || isOver) return undefined;
    return new Promise((resolve) => {
      resume = resolve;
    });
  };
  const run = async (): Promise<void> => {
    const denied = await parts.admit();
    if (denied !== undefined && !denied.ok) return sink.end(denied.error);
    const file = await parts.snapshots.create();
    try {
      await send(file);
    } finally {
      await file.close();
    }
  };
  const send = async (file: ExportedSnapshot): Promise<void> => {
    const digest = parts.newDigest();
    for (let offset = 0; offset < file.sizeBytes && !isOver; ) {
      const blob = await file.readAt(offset, BLOB_BYTES);
      digest.update(blob);
      offset += blob.length;
      sink.send(message(parts.header(), file.sizeBytes - offset, blob));
      await room();
    }
    if (isOver) return;
    sink.send(message(parts.header(), 0, digest.sum()));
    sink.end();
  };
  run().catch(() => sink.end(serviceError('stopped')));
  return {
    closed: () => {
      isOver = true;
      resume?.();
    },
  };
}

function message(header: ResponseHeader, remaining: number, blob: Uint8Array): SnapshotResponse {
  const remainingBytes = BigInt(remaining);
  return create(SnapshotResponseSchema, { header, remainingBytes, blob, version: API_VERSION });
}
