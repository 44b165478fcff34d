/** Frames between members: every type, wrong in every way, and which of them are mere lies. */
import { encodePeerValue } from '../../src/member/peer-question.ts';
import type { EntryType, Message } from '../../src/raft/message.ts';
import { decodeAskFrame, encodeAskFrame } from '../../src/transport/asking.ts';
import { encodeFrames, FrameReader } from '../../src/transport/frames.ts';
import { decodeLoggedRequest } from '../../src/wire/logged-request.ts';
import { decodePeerMessage, encodePeerMessage } from '../../src/wire/peer-message.ts';
import { PEER_MESSAGE_TYPES } from '../support/peer-message-types.ts';
import { type Chance, mutate } from './chance.ts';

export type PeerMessage = Exclude<Message, { type: 'MsgStorageAppendResp' }>;

interface Ends {
  readonly from: bigint;
  readonly to: bigint;
}

const ENTRY_TYPES: readonly EntryType[] = ['normal', 'confChange', 'confChangeV2'];

/** Every field of every message: the encoder takes those that the type has. */
export function randomMessage(
  chance: Chance,
  ends: Ends,
  type: PeerMessage['type'] = chance.pick(PEER_MESSAGE_TYPES),
): PeerMessage {
  const int = (): number => (chance.oneIn(4) ? chance.below(2 ** 32) * 2 ** 20 : chance.below(9));
  const index = int();
  const entries = Array.from({ length: chance.below(4) }, () => ({
    type: chance.pick(ENTRY_TYPES),
    term: int(),
    index: int(),
    data: chance.bytes(chance.below(40)),
  }));
  return {
    type,
    ...ends,
    term: int(),
    index,
    logTerm: int(),
    commit: int(),
    commitTerm: int(),
    reject: chance.oneIn(2),
    rejectHint: int(),
    transfer: chance.oneIn(2),
    context: int(),
    transferee: chance.bigint(),
    entries,
    snapshot: { index, term: int(), confState: randomConf(chance, ends) },
  } as PeerMessage;
}

function randomConf(chance: Chance, { from, to }: Ends) {
  const ids = (): bigint[] =>
    Array.from({ length: chance.below(4) }, () => chance.pick([from, to, chance.bigint()]));
  return {
    voters: ids(),
    learners: ids(),
    votersOutgoing: ids(),
    learnersNext: ids(),
    autoLeave: chance.oneIn(2),
  };
}

/** A few frames of which at least one is meant to be wrong. */
export function randomFrames(chance: Chance, ends: Ends): Buffer {
  const frames = Array.from({ length: 1 + chance.below(4) }, () => randomFrame(chance, ends));
  const whole = Buffer.concat(frames);
  return chance.oneIn(6) ? mutate(chance, whole) : whole;
}

function randomFrame(chance: Chance, ends: Ends): Buffer {
  const payload = randomPayload(chance, ends);
  const frame = encodeFrames([payload]);
  if (chance.oneIn(6)) {
    const lengths = [0, 1, payload.length + 1, 2 ** 26, 2 ** 26 + 1, 2 ** 32 - 1];
    frame.writeUInt32LE(chance.pick(lengths));
  }
  return frame;
}

function randomPayload(chance: Chance, ends: Ends): Uint8Array {
  switch (chance.below(6)) {
    case 0:
      return chance.bytes(chance.below(120));
    case 1:
      return askPayload(chance);
    case 2: {
      const others = { from: chance.bigint(), to: chance.bigint() };
      const wrong = { ...ends, ...(chance.oneIn(2) ? others : { to: ends.from }) };
      return encodePeerMessage(randomMessage(chance, wrong));
    }
    case 3:
      // Proposals of what no member understands, and snapshots without a file.
      return encodePeerMessage(randomMessage(chance, ends, chance.pick(['MsgProp', 'MsgSnap'])));
    default:
      return mutate(chance, encodePeerMessage(randomMessage(chance, ends)));
  }
}

function askPayload(chance: Chance): Uint8Array {
  // Numbers that no question of this run has: an answer to one would be a lie.
  const number = 2 ** 31 + chance.below(2 ** 31);
  const question = chance.pick([
    encodePeerValue({ type: 'leaseRenew', id: chance.bigint() }),
    encodePeerValue({ type: 'leaseTimeToLive', id: chance.bigint() }),
    encodePeerValue({ type: 'promote', member: chance.bigint() }),
    encodePeerValue({ type: 'hashKv', revision: chance.below(2 ** 31) }),
    Buffer.from('{"type":"leaseRenew","id":{"a":[]}}'),
  ]);
  const bytes = chance.oneIn(2) ? question : mutate(chance, question);
  const type = chance.oneIn(4) ? 'answer' : 'question';
  const frame = encodeAskFrame({ type, number, bytes });
  return chance.oneIn(6) ? frame.subarray(0, chance.below(frame.length)) : frame;
}

/**
 * True: among the frames is a message that the member which it says it is from could have sent,
 * and which therefore is believed. Raft's members trust each other.
 */
export function isPlausible(bytes: Uint8Array, ends: Ends): boolean {
  const reader = new FrameReader();
  reader.push(Buffer.from(bytes));
  for (let frame = reader.next(); frame !== undefined; frame = reader.next()) {
    // Whatever follows is not read any more.
    if (frame === 'too-long') return false;
    const verdict = verdictOf(frame, ends);
    if (verdict !== 'harmless') return verdict === 'plausible';
  }
  return false;
}

function verdictOf(frame: Buffer, ends: Ends): 'plausible' | 'malformed' | 'harmless' {
  const ask = decodeAskFrame(frame);
  if (ask !== undefined)
    return ask.number < 2 ** 31 && ask.type === 'answer' ? 'plausible' : 'harmless';
  const message = decodePeerMessage(frame);
  if (!message.ok) return 'malformed';
  const { value } = message;
  if (value.from !== ends.from || value.to !== ends.to) return 'malformed';
  // Snapshots come on a connection of their own, behind their file.
  if (value.type === 'MsgSnap') return 'malformed';
  if (value.type !== 'MsgProp') return 'plausible';
  const isGarbage = value.entries.some(
    ({ type, data }) => type === 'normal' && !(data.length === 0 || decodeLoggedRequest(data).ok),
  );
  return isGarbage ? 'malformed' : 'plausible';
}
