/** Connections that are told bytes, whatever comes back. */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from './chance.ts';
import type { Count } from './tally.ts';

/** What the fuzzer has open, so that nothing outlives a run. */
export class OpenSockets {
  readonly #sockets = new Set<Socket>();

  add(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }

  get count(): number {
    return this.#sockets.size;
  }

  destroy(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

export interface Throw {
  readonly port: number;
  /** Written one after the other, some with a pause between. */
  readonly parts: readonly Uint8Array[];
  readonly count: Count;
  readonly sockets: OpenSockets;
  readonly chance: Chance;
}

/** How long a member is waited for that may hang up or not. */
const LISTEN_MS = 60;
/** Longer than any of the server's own time-outs for connections that say nothing. */
const HANG_MS = 12_000;
/** Open ends at a time. */
const HANGING_MAX = 150;
/** Answers looked at. */
const REPLY_BYTES_MAX = 4096;

/** Says all of it, listens a little, leaves; resolves with the first bytes that came back. */
export async function throwBytes({ port, parts, count, sockets, chance }: Throw): Promise<Buffer> {
  const socket = sockets.add(connect(port, '127.0.0.1'));
  let [reply, isOver]: [Buffer, boolean] = [Buffer.alloc(0), false];
  socket.on('data', (chunk: Buffer) => {
    if (reply.length < REPLY_BYTES_MAX) reply = Buffer.concat([reply, chunk]);
  });
  const closed = new Promise<void>((resolve) => {
    const done = (): void => {
      isOver = true;
      resolve();
    };
    socket.on('end', done);
    socket.on('close', done);
  });
  count.connections += 1;
  for (const part of parts) {
    if (isOver) break;
    count.bytes += part.length;
    socket.write(part);
    if (chance.oneIn(6)) await sleep(1 + chance.below(10));
  }
  await Promise.race([closed, sleep(LISTEN_MS)]);
  if (isOver) count.closedByMember += 1;
  else if (chance.oneIn(12) && sockets.count < HANGING_MAX) {
    hang(socket, count);
    return reply;
  }
  leave(socket, chance);
  return reply;
}

/** Nothing more is said; the member may free itself of it. */
function hang(socket: Socket, count: Count): void {
  const timer = setTimeout(() => socket.destroy(), HANG_MS);
  socket.on('end', () => {
    count.closedByMember += 1;
    socket.destroy();
  });
  socket.on('close', () => clearTimeout(timer));
}

/** With an end, with a reset, or just gone. */
function leave(socket: Socket, chance: Chance): void {
  switch (chance.below(3)) {
    case 0:
      socket.resetAndDestroy();
      return;
    case 1:
      socket.end(() => socket.destroy());
      return;
    default:
      socket.destroy();
  }
}
