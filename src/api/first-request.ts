import type { Socket } from 'node:net';
import { assertNever } from '../lib/assert.ts';
import { repairAuthority } from './authority-repair.ts';

/**
 * The beginning of an HTTP/2 connection, looked at before nghttp2 gets it: the first request's
 * `:authority` may have to be repaired. Go's clients send no request before they have the
 * server's settings, so they get an empty frame of them, and its acknowledgement is taken out;
 * nghttp2 sends its own later. Clients that ask at once are handed over at once.
 */

const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;
/** What a frame may have before anything else is agreed on. */
const FRAME_BYTES_MAX = 16_384;
/** More than windows let a client send; beyond, the connection is cut. */
const HELD_BYTES_MAX = 256 * 1024;
const HEADERS = 1;
const SETTINGS = 4;
const GOAWAY = 7;
const SETTING_BYTES = 6;
const ACK = 1;
const END_HEADERS = 4;
const PADDED = 8;
const PRIORITY = 0x20;
const PRIORITY_BYTES = 5;
const EMPTY_SETTINGS = Uint8Array.of(0, 0, 0, SETTINGS, 0, 0, 0, 0, 0);

/**
 * Calls `ready` once, with the bytes back in the socket; never if the socket is lost before. A
 * client that is silent for `timeoutMs` is handed over as it is, if it has spoken HTTP/2 so far.
 */
export function awaitFirstRequest(socket: Socket, timeoutMs: number, ready: () => void): void {
  let held: Buffer = Buffer.alloc(0);
  let asked = false;
  let isOver = false;
  const leave = (): void => {
    isOver = true;
    clearTimeout(timer);
    socket.off('readable', look);
    socket.off('end', lost);
    socket.off('error', lost);
    socket.off('close', leave);
  };
  const lost = (): void => {
    socket.destroy();
  };
  const handOver = (bytes: Uint8Array): void => {
    leave();
    socket.unshift(bytes);
    ready();
  };
  const look = (): void => {
    const chunk: Buffer | null = socket.read();
    if (chunk === null) return;
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    const beginning = readBeginning(held, asked);
    switch (beginning.type) {
      case 'whole':
        return handOver(beginning.bytes);
      case 'silent':
        if (!asked) socket.write(EMPTY_SETTINGS);
        asked = true;
        return;
      case 'partial':
        if (held.length > HELD_BYTES_MAX) lost();
        return;
      default:
        return assertNever(beginning);
    }
  };
  const timer = setTimeout(() => {
    const beginning = readBeginning(held, asked);
    if (beginning.type === 'silent' && beginning.bytes !== undefined) handOver(beginning.bytes);
    else lost();
  }, timeoutMs);
  socket.on('end', lost);
  socket.on('error', lost);
  socket.on('close', leave);
  look();
  if (!isOver) socket.on('readable', look);
}

type Beginning =
  /** Ends within a frame, or before what must be waited for. */
  | { readonly type: 'partial' }
  /** Settings only; `bytes` to hand over nevertheless, unless ours are not acknowledged. */
  | { readonly type: 'silent'; readonly bytes: Uint8Array | undefined }
  | { readonly type: 'whole'; readonly bytes: Uint8Array };

const PARTIAL: Beginning = { type: 'partial' };

/** Walks over the frames; `asked`: an acknowledgement of settings must come, and is left out. */
function readBeginning(held: Buffer, asked: boolean): Beginning {
  const parts: Uint8Array[] = [held.subarray(0, PREFACE_BYTES)];
  let hasMore = false;
  let isAwaitingAck = asked;
  let at = PREFACE_BYTES;
  while (held.length - at >= FRAME_HEAD_BYTES) {
    const bodyBytes = held.readUIntBE(at, 3);
    const [type, flags] = [held[at + 3]!, held[at + 4]!];
    const end = at + FRAME_HEAD_BYTES + bodyBytes;
    const isSettings = type === SETTINGS && bodyBytes % SETTING_BYTES === 0;
    const isAck = isSettings && (flags & ACK) !== 0;
    // Faults, and what is none of this, are the business of who takes over.
    if (bodyBytes > FRAME_BYTES_MAX || (isAck && !isAwaitingAck)) break;
    if (held.length < end) return PARTIAL;
    const frame = held.subarray(at, end);
    if (!isAck) parts.push(type === HEADERS && !hasMore ? repairHeaders(frame) : frame);
    at = end;
    // Who leaves acknowledges nothing any more.
    if (isAck || type === GOAWAY) isAwaitingAck = false;
    if (!isSettings) hasMore = true;
    if (hasMore && !isAwaitingAck) break;
  }
  const isAtBoundary = at === held.length;
  if (!hasMore && isAtBoundary) {
    return { type: 'silent', bytes: isAwaitingAck ? undefined : Buffer.concat(parts) };
  }
  const isPartialHead = !hasMore && held.length - at < FRAME_HEAD_BYTES;
  if (isAwaitingAck || isPartialHead) return PARTIAL;
  return { type: 'whole', bytes: Buffer.concat([...parts, held.subarray(at)]) };
}

/** Only a frame that holds all headers: more than one takes none of the clients in question. */
function repairHeaders(frame: Buffer): Uint8Array {
  const flags = frame[4]!;
  if ((flags & END_HEADERS) === 0 || (flags & PADDED) !== 0) return frame;
  const priorityBytes = (flags & PRIORITY) === 0 ? 0 : PRIORITY_BYTES;
  const block = repairAuthority(frame.subarray(FRAME_HEAD_BYTES + priorityBytes));
  if (block === undefined) return frame;
  const head = Buffer.from(frame.subarray(0, FRAME_HEAD_BYTES + priorityBytes));
  head.writeUIntBE(priorityBytes + block.length, 0, 3);
  return Buffer.concat([head, block]);
}
