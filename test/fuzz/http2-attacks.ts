/** HTTP/2 byte by byte: proper beginnings, then frames that are wrong in one way or many. */

import { RANGE, RANGE_FRAME } from '../api/raw-grpc.ts';
import { FLAG, FRAME_TYPE, frame, grpcHeaders, headerBlock, PREFACE } from '../api/raw-http2.ts';
import { type Chance, mutate } from './chance.ts';
import { throwBytes } from './raw.ts';
import type { Attack } from './target.ts';

const FLOOD = 400;
const RESETS = 600;

type Maker = (chance: Chance) => readonly Uint8Array[];

/** By what the tally calls them. */
const MAKERS: Readonly<Record<string, Maker>> = {
  'mutated frames': (chance) => shuffled(chance).map((part) => mutate(chance, part)),
  'mutated lengths': (chance) => shuffled(chance).map((part) => withLength(chance, part)),
  'other types and flags': (chance) => shuffled(chance).map((part) => withHead(chance, part)),
  'other streams': (chance) => shuffled(chance).map((part) => withStream(chance, part)),
  'cut anywhere': (chance) => {
    const whole = Buffer.concat([...shuffled(chance)]);
    return [whole.subarray(0, chance.below(whole.length))];
  },
  continuations: (chance) => continuations(chance),
  'mutated headers': (chance) => [frame(FRAME_TYPE.headers, 5, 1, mutate(chance, block()))],
  'window updates': (chance) => [
    grpcHeaders(1, RANGE),
    ...repeat(1 + chance.below(30), () => windowUpdate(chance)),
  ],
  'flood of settings': (chance) => repeat(FLOOD, () => settings(chance)),
  'flood of pings': (chance) => repeat(FLOOD, () => frame(FRAME_TYPE.ping, 0, 0, chance.bytes(8))),
  'flood of empty frames': () => repeat(FLOOD, () => frame(FRAME_TYPE.data, 0, 1)),
  'rapid resets': (chance) => rapidResets(chance),
  'priorities and goaways': (chance) =>
    repeat(60, () =>
      frame(chance.pick([2, 7]), 0, chance.below(20), chance.bytes(chance.below(16))),
    ),
  'frames of noise': (chance) =>
    repeat(1 + chance.below(20), () =>
      frame(chance.below(16), chance.below(256), chance.below(12), chance.bytes(chance.below(90))),
    ),
};

export const http2Attack: Attack = async (target, { chance, tally, sockets }) => {
  const name = chance.pick(Object.keys(MAKERS));
  const count = tally.of(`client: h2 ${name}`);
  const parts = [...beginning(chance), ...MAKERS[name]!(chance)];
  count.requests += 1;
  await throwBytes({ port: target.clientPort, parts, count, sockets, chance });
};

function beginning(chance: Chance): readonly Uint8Array[] {
  switch (chance.below(8)) {
    case 0:
      return [PREFACE];
    case 1:
      return [PREFACE, mutate(chance, frame(FRAME_TYPE.settings, 0, 0, chance.bytes(12)))];
    case 2:
      return [mutate(chance, PREFACE)];
    case 3:
      return [PREFACE, frame(FRAME_TYPE.settings, 0, 0), frame(FRAME_TYPE.settings, FLAG.ack, 0)];
    default:
      return [PREFACE, frame(FRAME_TYPE.settings, 0, 0)];
  }
}

/** Two good calls, and what else a good client sends between them. */
function shuffled(chance: Chance): readonly Buffer[] {
  const frames = [
    grpcHeaders(1, RANGE),
    frame(FRAME_TYPE.data, FLAG.endStream, 1, RANGE_FRAME),
    frame(FRAME_TYPE.ping, 0, 0, chance.bytes(8)),
    frame(FRAME_TYPE.windowUpdate, 0, 0, Uint8Array.of(0, 1, 0, 0)),
    grpcHeaders(3, '/etcdserverpb.Watch/Watch'),
    frame(FRAME_TYPE.data, 0, 3, Uint8Array.of(0, 0, 0, 0, 5, 10, 3, 10, 1, 97)),
    frame(FRAME_TYPE.rstStream, 0, 3, Uint8Array.of(0, 0, 0, 8)),
    frame(FRAME_TYPE.priority, 0, 3, Uint8Array.of(0, 0, 0, 1, 16)),
  ];
  if (chance.oneIn(3)) frames.push(frames.splice(chance.below(frames.length), 1)[0]!);
  return frames;
}

function withLength(chance: Chance, part: Buffer): Buffer {
  if (!chance.oneIn(3)) return part;
  const other = Buffer.from(part);
  other.writeUIntBE(chance.pick([0, 1, part.length, 16_384, 16_385, 2 ** 24 - 1]), 0, 3);
  return other;
}

function withHead(chance: Chance, part: Buffer): Buffer {
  if (!chance.oneIn(2)) return part;
  const other = Buffer.from(part);
  other[3 + chance.below(2)] = chance.below(256);
  return other;
}

function withStream(chance: Chance, part: Buffer): Buffer {
  if (!chance.oneIn(2)) return part;
  const other = Buffer.from(part);
  other.writeUInt32BE(chance.pick([0, 1, 2, 3, 5, 7, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]), 5);
  return other;
}

function block(): Buffer {
  return headerBlock({
    ':method': 'POST',
    ':scheme': 'http',
    ':path': RANGE,
    ':authority': 'localhost',
    'content-type': 'application/grpc',
  });
}

/** Header blocks in pieces: whole, without an end, with strangers between, without an amount. */
function continuations(chance: Chance): readonly Buffer[] {
  const whole = block();
  const at = chance.below(whole.length);
  const first = frame(FRAME_TYPE.headers, 0, 1, whole.subarray(0, at));
  const rest = frame(FRAME_TYPE.continuation, FLAG.endHeaders, 1, whole.subarray(at));
  switch (chance.below(5)) {
    case 0:
      return [first, rest];
    case 1:
      return [first];
    case 2:
      return [first, frame(FRAME_TYPE.ping, 0, 0, chance.bytes(8)), rest];
    case 3:
      return [first, ...repeat(300, () => frame(FRAME_TYPE.continuation, 0, 1))];
    default: {
      const more = headerBlock({ 'x-more': 'v'.repeat(100) });
      return [first, ...repeat(900, () => frame(FRAME_TYPE.continuation, 0, 1, more))];
    }
  }
}

function windowUpdate(chance: Chance): Buffer {
  const payload = Buffer.alloc(4);
  payload.writeUInt32BE(chance.pick([0, 1, 65_535, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1]));
  return frame(FRAME_TYPE.windowUpdate, 0, chance.below(3), payload);
}

function settings(chance: Chance): Buffer {
  const payload = Buffer.alloc(6);
  payload.writeUInt16BE(chance.below(10), 0);
  payload.writeUInt32BE(chance.pick([0, 1, 100, 16_384, 2 ** 24 - 1, 2 ** 31 - 1, 2 ** 32 - 1]), 2);
  return frame(FRAME_TYPE.settings, 0, 0, payload);
}

function rapidResets(chance: Chance): readonly Buffer[] {
  const path = chance.pick([
    RANGE,
    '/etcdserverpb.Watch/Watch',
    '/etcdserverpb.Lease/LeaseKeepAlive',
  ]);
  return repeat(RESETS, (at) => {
    const id = 2 * at + 1;
    return Buffer.concat([
      grpcHeaders(id, path),
      frame(FRAME_TYPE.rstStream, 0, id, Uint8Array.of(0, 0, 0, chance.below(14))),
    ]);
  });
}

function repeat(count: number, make: (at: number) => Buffer): readonly Buffer[] {
  return Array.from({ length: count }, (_, at) => make(at));
}
