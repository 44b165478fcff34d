import type { Socket } from 'node:net';
import { assert } from '../lib/assert.ts';
import type { MemberId } from '../lib/ids.ts';
import type { Log } from '../ports/log.ts';
import type { Message, MsgSnap } from '../raft/message.ts';
import type { OpenCheckpoint } from '../snap/checkpoint-file.ts';
import type { ReceivingSnapshot, SnapshotSink, SnapshotSource } from '../snap/snapshot-files.ts';
import { decodePeerMessage, encodePeerMessage } from '../wire/peer-message.ts';
import { encodeFrames, FrameReader } from './frames.ts';

/**
 * One snapshot on a connection of its own: a frame with the MsgSnap, the file's size as u64
 * little-endian, the file; the receiver answers `OK\n` once it has all of it on disk. Only
 * then does its raft hear of the MsgSnap, so that it never waits for bytes.
 */

const RECEIVED = 'OK\n';
const SIZE_BYTES = 8;
const CHUNK_BYTES = 256 * 1024;
/** A transfer that makes no progress for this long has failed, where nothing else is said. */
const IDLE_MS_MAX = 10_000;
/** From the last byte sent to the receiver's word that the file is sound and durable. */
const VERIFY_MS_MAX = 120_000;

/** Sends the newest checkpoint over an accepted connection; resolves true once it is durable there. */
export async function sendSnapshot(
  socket: Socket,
  message: MsgSnap,
  source: SnapshotSource,
  idleMs: number = IDLE_MS_MAX,
): Promise<boolean> {
  try {
    const snapshot = await source.open();
    try {
      return await sendFile(socket, message, { snapshot, idleMs });
    } finally {
      await snapshot.close();
    }
  } finally {
    socket.destroy();
  }
}

async function sendFile(
  socket: Socket,
  message: MsgSnap,
  { snapshot, idleMs }: { readonly snapshot: OpenCheckpoint; readonly idleMs: number },
): Promise<boolean> {
  const payload = encodePeerMessage({ ...message, snapshot: snapshot.meta });
  const size = Buffer.alloc(SIZE_BYTES);
  size.writeBigUInt64LE(BigInt(snapshot.sizeBytes));
  const reply = awaitReply(socket, idleMs);
  socket.write(Buffer.concat([encodeFrames([payload]), size]));
  for (let offset = 0; offset < snapshot.sizeBytes && !socket.destroyed; ) {
    const chunk = await snapshot.readAt(offset, CHUNK_BYTES);
    if (chunk.length === 0) return false;
    offset += chunk.length;
    if (!socket.write(chunk)) await drained(socket);
  }
  // Checking and syncing a large file takes the receiver a while.
  socket.setTimeout(VERIFY_MS_MAX);
  return reply;
}

function awaitReply(socket: Socket, idleMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    let reply = '';
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      reply += chunk.toString('latin1');
      if (reply.length >= RECEIVED.length) resolve(reply === RECEIVED);
    });
    socket.on('close', () => resolve(false));
  });
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    // It may have closed while the chunk was read; no event would come any more.
    if (socket.destroyed) return resolve();
    const done = (): void => {
      socket.removeListener('drain', done);
      socket.removeListener('close', done);
      resolve();
    };
    socket.once('drain', done);
    socket.once('close', done);
  });
}

export interface ReceiveOptions {
  readonly sink: SnapshotSink;
  readonly log: Log;
  readonly peer: MemberId;
  readonly onMessage: (message: Message) => void;
  /** Silence of the sender after which the transfer has failed. */
  readonly idleMs?: number;
  /** Whether all of it is on disk now, and sound. */
  readonly onEnd: (success: boolean) => void;
}

/** Takes a snapshot off an accepted connection; failures close it and leave no file. */
export function receiveSnapshot(socket: Socket, first: Buffer, options: ReceiveOptions): void {
  // Nothing may be read between the handshake and the iterator below.
  socket.pause();
  socket.setTimeout(options.idleMs ?? IDLE_MS_MAX, () => socket.destroy());
  const run = async (): Promise<void> => {
    const chunks = chunksOf(socket, first);
    const reader = new FrameReader();
    const message = await readHeader(reader, chunks, options.peer);
    const receiving = await options.sink.create(message.snapshot);
    try {
      await copyBody(reader, chunks, receiving);
      await receiving.finish();
    } catch (error) {
      await receiving.abort();
      throw error;
    }
    socket.end(RECEIVED);
    options.onEnd(true);
    options.onMessage(message);
  };
  run().catch((error: unknown) => {
    options.log.warn('snapshot not received', { error: String(error) });
    options.onEnd(false);
    socket.destroy();
  });
}

async function* chunksOf(socket: Socket, first: Buffer): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  // The sender waits for the reply on the same connection, so reading stops before its end.
  for await (const chunk of socket.iterator({ destroyOnReturn: false })) yield chunk as Buffer;
}

async function readHeader(
  reader: FrameReader,
  chunks: AsyncGenerator<Buffer>,
  peer: MemberId,
): Promise<MsgSnap> {
  let frame = reader.next();
  while (frame === undefined) {
    reader.push(await nextChunk(chunks));
    frame = reader.next();
  }
  if (frame === 'too-long') throw new Error('frame too long');
  const message = decodePeerMessage(frame);
  if (!message.ok) throw new Error(message.error);
  if (message.value.type !== 'MsgSnap' || message.value.from !== peer) {
    throw new Error(`${message.value.type} instead of the peer's MsgSnap`);
  }
  return message.value;
}

async function copyBody(
  reader: FrameReader,
  chunks: AsyncGenerator<Buffer>,
  receiving: ReceivingSnapshot,
): Promise<void> {
  let head = reader.takeRest();
  while (head.length < SIZE_BYTES) head = Buffer.concat([head, await nextChunk(chunks)]);
  let remainingBytes = Number(head.readBigUInt64LE(0));
  for (let chunk = head.subarray(SIZE_BYTES); ; chunk = await nextChunk(chunks)) {
    if (chunk.length > remainingBytes) throw new Error('more bytes than announced');
    if (chunk.length > 0) await receiving.write(chunk);
    remainingBytes -= chunk.length;
    assert(remainingBytes >= 0, 'checked above');
    if (remainingBytes === 0) return;
  }
}

async function nextChunk(chunks: AsyncGenerator<Buffer>): Promise<Buffer> {
  const next = await chunks.next();
  if (next.done === true) throw new Error('the sender hung up');
  return next.value;
}
